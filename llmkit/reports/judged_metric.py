"""A judged metric in words: the raw rate called so, what it is corrected to, and what the judge was measured to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from llmkit.judgements import standing
from llmkit.reports.judge_words import STYLES, paid
from llmkit.reports.numbers import UNKNOWN, count, decimals, estimate, figure
from llmkit.types import Interval, Judged, MetricResult, RunResult, Totals


def cell(metric: MetricResult, judged: Judged) -> list[tuple[str, str]]:
    """Return what stands in a table's cell: lines, each with its style. The status is among them, always.

    The interval of the raw rate is of verdicts: it covers what the judge says, and not what is so.
    """
    lines = [(raw(metric), "")]
    if judged.rate is not None:
        lines.append((f"corrected {_with(judged.rate, judged.interval)} {judged.estimator or ''}".rstrip(), "bold"))
        lines.append((standing(judged.status, judged.lock), STYLES[judged.status]))
    else:
        lines.append((f"{standing(judged.status, judged.lock)}: not corrected", STYLES[judged.status]))
    rest = unscored(metric, judged)
    return [*lines, (rest, "yellow")] if rest else lines


def raw(metric: MetricResult) -> str:
    """Write the raw rate, called so."""
    return f"raw {estimate(metric)}" if metric.value is not None else estimate(metric)


def unscored(metric: MetricResult, judged: Judged) -> str | None:
    """Say what has no score, the judge's own doing apart: that is neither right nor wrong."""
    parts = [
        f"{count(number)} {what}"
        for number, what in ((judged.cannot_tell, "cannot tell"), (judged.unread, "without a verdict"))
        if number
    ]
    failed = metric.failed - judged.cannot_tell - judged.unread
    if failed > 0:
        wrong, interval = metric.value_failures_wrong, metric.interval_failures_wrong
        said = f"raw {_with(wrong, interval)} if wrong" if wrong is not None else f"{UNKNOWN} if wrong"
        parts.append(f"{count(failed)} failed: {said}")
    return ", ".join(parts) or None


def reasons(results: Sequence[RunResult]) -> Iterator[tuple[str, str]]:
    """Yield each judged metric with why its rate is corrected so, or not at all; each line once."""
    seen = set()
    for run in results:
        for metric in run.metrics.values():
            if metric.judged is None:
                continue
            said = standing(metric.judged.status, metric.judged.lock)
            line = metric.name, f"{said}: {metric.judged.why}"
            if metric.judged.why and line not in seen:
                seen.add(line)
                yield line


def bills(judging: Mapping[str, Totals]) -> list[str]:
    """Return one line a judge: what its calls cost."""
    return [f"judge {name}: {paid(totals)}" for name, totals in judging.items()]


def _with(value: float, interval: Interval | None) -> str:
    digits = decimals(value, interval)
    if interval is None:
        return f"{figure(value, digits)} [no interval]"
    return f"{figure(value, digits)} [{figure(interval.low, digits)}, {figure(interval.high, digits)}]"
