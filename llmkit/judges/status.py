"""Calibrated, provisional or refused: what test labels and probes show of a judge, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from llmkit.judgements import Figures, Probe, ProbeName, Status
from llmkit.judges.figures import kappa_form
from llmkit.judges.judge import Judge
from llmkit.stats.acceptance import trials_needed
from llmkit.stats.proportion import lower_bound, upper_bound

ITEMS = "items"
"""What ``needs`` counts where all labels bear on one figure."""
POWER = 0.8
LEAST_TRIED = 50
"""Items that a probe must have tried; with fewer "nothing moved" shows little: none of 50 leaves up to 6 % open."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of a test.

    Attributes:
        status: ``calibrated``, ``provisional`` or ``refused``.
        reasons: Sentences with their counts: what was shown of a calibrated judge, else why it is not one.
        needs: Class (or ``items``) → how many more test labels would settle it four times of five, at the rates that
            were seen; a class is absent where it needs none, or where no number would do.
        confidence: Of each bound, one-sided, adjusted for the looks.
    """

    status: Status
    reasons: tuple[str, ...]
    needs: Mapping[str, int]
    confidence: float


@dataclass(frozen=True, slots=True)
class _Finding:
    """``shown``: as it must be; ``open``: not shown, not disproved; ``failed``."""

    state: Literal["shown", "open", "failed"]
    said: str
    needs: Mapping[str, int] = field(default_factory=dict)


def confidence_of(judge: Judge, looks: int) -> float:
    """Return the confidence of each bound for the definition that these test labels are used for as the ``looks``-th.

    1 − (1 − c)/L, after Bonferroni: among L definitions the best looks better than it is.
    """
    return 1 - (1 - judge.spec.accept.confidence) / max(1, looks)


def decide(judge: Judge, test: Figures, probes: Sequence[Probe], *, looks: int) -> Decision:
    """Decide what a judge may be called.

    *Refused*: no better than chance (TPR + TNR ≤ 1; kappa ≤ 0), a figure provably below its bound, more than
    ``max_unread`` without a verdict, instructions inside the text that provably move the rate, by more than
    ``max_injection``, flips provably above ``max_flip``. *Calibrated*: every figure provably at its bound, and nothing
    open. Else *provisional*: a bound not reached, flips, ``cannot_tell`` or injection above what may be, or a probe for
    flips or injection that was not run, or on fewer items than :func:`tried_enough`.

    Bounds are exact and one-sided (Clopper and Pearson) for TPR, TNR, agreement and flips, and those of
    :func:`llmkit.stats.agreement.kappa_bound.kappa_bounds` for kappa.

    Args:
        judge: With what it must show.
        test: On the test part.
        probes: As far as they were run.
        looks: Distinct definitions that this test part has been used for, this one included.
    """
    confidence = confidence_of(judge, looks)
    findings = [
        *_figures(judge, test, confidence, looks),
        *_chance(judge, test),
        *_silent(judge, test),
        *_probes(judge, test, probes, confidence),
    ]
    states = {finding.state for finding in findings}
    worst = "failed" if "failed" in states else "open" if "open" in states else "shown"
    status: dict[str, Status] = {"failed": "refused", "open": "provisional", "shown": "calibrated"}
    of_worst = [finding for finding in findings if finding.state == worst]
    needs = {} if worst == "failed" else {name: n for finding in of_worst for name, n in finding.needs.items()}
    return Decision(status[worst], tuple(finding.said for finding in of_worst), needs, confidence)


def _figures(judge: Judge, test: Figures, confidence: float, looks: int) -> Iterator[_Finding]:
    accept, table = judge.spec.accept, test.counts.table
    sure = _sure(judge, confidence, looks)
    scaled = _per_effective(test)
    if judge.scale.kind == "pass_fail":
        (tp, fn), (fp, tn) = table
        yield _bounded("TPR", "passing items", "pass", tp, tp + fn, accept.tpr_lower, confidence, sure, scaled)
        yield _bounded("TNR", "failing items", "fail", tn, fp + tn, accept.tnr_lower, confidence, sure, scaled)
    elif judge.scale.kind == "pairwise":
        right, n = sum(row[at] for at, row in enumerate(table)), test.counts.n
        yield _bounded("agreement", "pairs", ITEMS, right, n, accept.agreement_lower, confidence, sure, scaled)
    else:
        yield _kappa_bounded(judge, test, confidence, sure, scaled)


def _bounded(
    name: str, of: str, label: str, k: float, n: float, bound: float, confidence: float, sure: str, scaled: float
) -> _Finding:
    if not n:
        needed = trials_needed(bound, 1.0, confidence, POWER)
        needs = {} if needed is None else {label: needed}
        return _Finding("open", f"{name}: there is no verdict on any of the {of}{_takes(needs)}", needs)
    k = min(k, n)
    low, high = lower_bound(k, n, confidence), upper_bound(k, n, confidence)
    start = f"{name} {k / n:.2f} on {_count(n)} {of}"
    if low >= bound:
        return _Finding("shown", f"{start}: at least {_down(low, bound)} {sure}")
    if high < bound:
        return _Finding(
            "failed", f"{start}: {_count(k)} of {_count(n)}, at most {_up(high, bound)} {sure}, below {bound:g}"
        )
    needed = trials_needed(bound, k / n, confidence, POWER)
    needs = {} if needed is None else {label: max(1, math.ceil((needed - n) * scaled))}
    said = f"{start}: at least {_down(low, bound)} {sure}, below {bound:g}"
    return _Finding("open", f"{said}{_takes(needs)}", needs)


def _kappa_bounded(judge: Judge, test: Figures, confidence: float, sure: str, scaled: float) -> _Finding:
    from llmkit.stats.agreement.kappa_bound import kappa_bounds, kappa_items_needed

    weights, scores = kappa_form(judge.scale)
    bound, n, table = judge.spec.accept.kappa_lower, test.counts.n, test.counts.table
    name = "weighted kappa" if judge.scale.ordered else "kappa"
    found = kappa_bounds(table, weights, scores=scores, confidence=confidence) if n else None
    if found is None:
        return _Finding("open", f"{name} cannot be had: {'all are of one word' if n else 'there is no verdict'}")
    start = f"{name} {found.value:.2f} on {_count(n)} items"
    if found.low >= bound:
        return _Finding("shown", f"{start}: at least {_down(found.low, bound)} {sure}")
    if found.high < bound:
        return _Finding("failed", f"{start}: at most {_up(found.high, bound)} {sure}, below {bound:g}")
    needed = kappa_items_needed(table, bound, weights, scores=scores, confidence=confidence, power=POWER)
    needs = {} if needed is None else {ITEMS: max(1, math.ceil((needed - n) * scaled))}
    said = f"{start}: at least {_down(found.low, bound)} {sure}, below {bound:g}"
    return _Finding("open", f"{said}{_takes(needs)}", needs)


def _chance(judge: Judge, test: Figures) -> Iterator[_Finding]:
    if judge.scale.kind == "pass_fail":
        tpr, tnr = (None if rate is None else rate.value for rate in (test.tpr, test.tnr))
        if tpr is not None and tnr is not None and tpr + tnr <= 1 + 1e-12:
            yield _Finding("failed", f"TPR {tpr:.2f} + TNR {tnr:.2f} is not above 1: no better than a coin")
        return
    rate = test.weighted_kappa if judge.scale.ordered else test.kappa
    if judge.scale.kind == "pairwise" and test.counts.n and (rate is None or rate.value is None):
        yield _Finding("open", "labels and verdicts are all of one word: who always says it would look the same")
    if rate is not None and rate.value is not None and rate.value <= 0:
        yield _Finding("failed", f"kappa {rate.value:.2f} on {rate.n} items: no better than chance")


def _silent(judge: Judge, test: Figures) -> Iterator[_Finding]:
    counts, accept = test.counts, judge.spec.accept
    asked = counts.asked
    if asked and counts.unread > accept.max_unread * asked:
        said = (
            f"{counts.unread} of {_count(asked)} items ended without a verdict, more than {_percent(accept.max_unread)}"
        )
        yield _Finding("failed", said)
    if asked and counts.cannot_tell > accept.max_cannot_tell * asked:
        said = f"of {counts.cannot_tell} of {_count(asked)} items the judge cannot tell, more than"
        yield _Finding("open", f"{said} {_percent(accept.max_cannot_tell)}")


def tried_enough(verdicts: float) -> int:
    """Return how many items a probe must have tried to show anything, of a test with so many verdicts.

    Nine tenths of a small test: some items lose their verdict while they are tried.
    """
    return math.floor(min(LEAST_TRIED, 0.9 * verdicts))


def _probes(judge: Judge, test: Figures, probes: Sequence[Probe], confidence: float) -> Iterator[_Finding]:
    accept, counts = judge.spec.accept, test.counts
    enough = tried_enough(counts.asked - counts.cannot_tell - counts.unread)
    ran = {probe.name: probe for probe in probes if probe.moved is not None and probe.n}
    injection = ran.get("injection")
    if injection is None:
        yield _Finding("open", "whether instructions inside the judged text move verdicts was not tried")
    elif abs(injection.moved or 0.0) > accept.max_injection + 1e-12:
        # A judge that wavers by itself moves a little, too: only what is proven to obey is refused for it.
        state: Literal["open", "failed"] = "failed" if injection.flagged else "open"
        yield _Finding(state, f"injection: {injection.said}; at most {_percent(accept.max_injection)} may")
    elif injection.n < enough:
        yield _few(injection, enough)
    for name in _flips(judge):
        probe = ran.get(name)
        if probe is None:
            yield _Finding("open", f"{name}: whether verdicts flip was not tried")
        elif (share := probe.moved or 0.0) > accept.max_flip + 1e-12:
            proven = lower_bound(min(1.0, share) * probe.n, probe.n, confidence) > accept.max_flip
            said = f"{name}: {probe.said}; at most {_percent(accept.max_flip)} may"
            yield _Finding("failed" if proven else "open", said)
        elif probe.n < enough:
            yield _few(probe, enough)


def _flips(judge: Judge) -> tuple[ProbeName, ...]:
    """Return the probes that count flips; where both orders are asked, a flip is a tie, and changes no verdict."""
    ordered = judge.scale.kind == "pairwise" and not judge.method.swap
    return ("order", "repeat", "rewording") if ordered else ("repeat", "rewording")


def _few(probe: Probe, enough: int) -> _Finding:
    of = "item" if probe.n == 1 else "items"
    return _Finding(
        "open", f"{probe.name}: tried on {probe.n} {of}, too few to show anything: {enough} are needed (--probe-items)"
    )


def _sure(judge: Judge, confidence: float, looks: int) -> str:
    said = f"with {_percent(confidence)} confidence"
    if looks <= 1:
        return said
    return f"{said} ({_percent(judge.spec.accept.confidence)} over {looks} looks at these labels)"


def _per_effective(test: Figures) -> float:
    """Return how many labelled items one effective item takes."""
    judged = test.counts.asked - test.counts.cannot_tell - test.counts.unread
    return max(1.0, judged / test.counts.n) if test.counts.weighted and test.counts.n else 1.0


def _takes(needs: Mapping[str, int]) -> str:
    if not needs:
        return "; no number of further labels would show it at this rate"
    ((name, number),) = needs.items()
    return f"; about {number} more {'items' if name == ITEMS else f'labelled {name}'} would show it at this rate"


def _count(n: float) -> str:
    return f"{n:.0f}" if float(n).is_integer() else f"{n:.1f} (effective)"


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _digits(bound: float) -> int:
    return max(2, len(f"{bound:.6f}".rstrip("0").partition(".")[2]))


def _down(value: float, bound: float) -> str:
    """Write a lower bound, rounded down and in as many digits as what it is held against: it never claims too much."""
    digits = _digits(bound)
    return f"{math.floor(value * 10**digits + 1e-9) / 10**digits:.{digits}f}"


def _up(value: float, bound: float) -> str:
    digits = _digits(bound)
    shown = math.ceil(value * 10**digits - 1e-9) / 10**digits
    return f"{shown:.{digits}f}" if shown < bound else f"{value:.6f}"
