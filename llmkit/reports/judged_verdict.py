"""What stands behind a judged metric of a gate, in words: the raw difference, what it is divided by, and the lock."""

from __future__ import annotations

from collections.abc import Iterator

from llmkit.judgements import standing
from llmkit.reports.judge_words import named_lock, rate
from llmkit.reports.numbers import UNKNOWN, count, dollars
from llmkit.verdicts import JudgedVerdict, JudgeSpent, MetricVerdict, Planned, Unjudged


def lines(metric: MetricVerdict) -> list[str]:
    """Say how a judged metric was corrected, what was left out, and what is known of its errors; else nothing."""
    judged = metric.judged
    return [] if judged is None else list(_lines(metric, judged))


def short(metric: MetricVerdict) -> str:
    """Return the same in a few words, for one line with others: ``raw -0.11 ÷ 0.75, lock 3f9c…``; else nothing."""
    judged = metric.judged
    if judged is None or judged.raw is None or judged.youden is None:
        return ""
    return f"raw {_signed(judged.raw)} ÷ {judged.youden:.3g}, {named_lock(judged.lock)}"


def spent(one: JudgeSpent) -> str:
    """Say what a judge's calls came to, on both sides together."""
    cost = "cost unknown" if one.cost_usd is None else f"{dollars(one.cost_usd)} paid"
    named = f"judge {one.judge}: {one.model}" if one.model else f"judge {one.judge}"
    return f"{named} · {_calls(one.calls)} · {cost}"


def planned(one: Planned) -> str:
    """Say how many calls of judges a gate may make beside its own; nothing where there are none."""
    said = (f"{_calls(calls)} of the judge {name}" for name, calls in one.judge_calls.items() if calls)
    return ", ".join(said)


def _lines(metric: MetricVerdict, judged: JudgedVerdict) -> Iterator[str]:
    head = f"judged by {judged.judge} ({standing(judged.status, judged.lock)})"
    if judged.raw is None or judged.youden is None:
        yield head
    else:
        yield (
            f"{head}: raw {_rate(metric.base)} → {_rate(metric.head)}, {_signed(judged.raw)}; corrected: that"
            f" ÷ {judged.youden:.3g}, which is TPR + TNR − 1, the labels' uncertainty in the interval"
        )
    if metric.slice is not None:  # the rest is said where the whole is
        return
    if judged.tpr is not None and judged.tnr is not None:
        yield f"test labels: TPR {rate(judged.tpr)}, TNR {rate(judged.tnr)}"
    if _without(judged.base) or _without(judged.head):
        yield f"left out for want of a verdict: base {_unjudged(judged.base)}; head {_unjudged(judged.head)}"
    if judged.errors:
        yield judged.errors


def _without(one: Unjudged) -> int:
    return one.cannot_tell + one.unread


def _unjudged(one: Unjudged) -> str:
    text = f"{count(_without(one))} of {count(one.asked)}"
    return f"{text} ({count(one.cannot_tell)} cannot tell, {count(one.unread)} unread)" if _without(one) else text


def _rate(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3g}"


def _signed(value: float) -> str:
    return f"{value:+.3g}"


def _calls(number: int) -> str:
    return f"{count(number)} {'call' if number == 1 else 'calls'}"
