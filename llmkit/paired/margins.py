"""Whether side b is worse by a margin: the gate's rules and verdicts, on two runs that are there already."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from llmkit.errors import UnknownNameError, UsageError
from llmkit.paired.differences import Scored
from llmkit.paired.failed import Readings, readings, wrong_answers
from llmkit.paired.held import Held
from llmkit.paired.pairing import Pairs
from llmkit.paired.rows import Source
from llmkit.paired.scorers import Measure, scorers_of
from llmkit.scoring.base import Scorer, bounds_of
from llmkit.stats.noninferiority import beyond, decidable, decide, needed, spread_seen
from llmkit.stats.sequential import CorpusDifference, Difference, Reading, Series, unit_span, units
from llmkit.stats.sequential import Measure as Rule
from llmkit.suites.gating import span_of
from llmkit.types import Interval
from llmkit.variants import MarginVerdict

Side = tuple[Source, Held]

JUDGED = "a judge gives its scores, and raw verdicts decide nothing: `llmkit gate` decides on the corrected difference"
ENDLESS = "its values have no end, so that no mean of them can be ruled out"


@dataclass(frozen=True)
class _Asked:
    """One metric that can be decided.

    Attributes:
        name: The metric.
        margin: In its unit.
        span: How far its values can lie apart.
        measure: How it is computed.
        read: Its scores, with failures in both readings.
        series: Units of the reading that decides.
    """

    name: str
    margin: float
    span: float
    measure: Measure
    read: Readings
    series: Series

    @property
    def rule(self) -> Rule:
        """The gate's rule for it."""
        better, value = self.measure.higher_is_better, self.measure.value
        if value is not None:
            return CorpusDifference(self.name, self.margin, value, better, self.span)
        return Difference(self.name, self.margin, better, span=self.span)

    @property
    def doubtful(self) -> bool:
        """Whether there are failures that the other reading alone counts as wrong answers."""
        return bool((self.read.wrong.both & ~self.read.own.both).any())


def check(margins: Mapping[str, float], metrics: Sequence[str], confidence: float) -> None:
    """Refuse margins that nothing can be decided with, before anything is computed.

    Raises:
        UsageError: No such metric, a margin that is not above 0, a confidence of ½ or less.
    """
    for name, margin in margins.items():
        if name not in metrics:
            raise UnknownNameError("metric", name, metrics, where="--margin")
        if not (margin > 0 and math.isfinite(margin)):
            raise UsageError(
                f"the margin of {name} is {margin:g}, and must be above 0",
                hint=f"It is by how much b may be worse, in the metric's own unit: {name}=.02",
            )
    if margins and confidence <= 0.5:
        raise UsageError(
            f"a margin is decided with an error of 1 − confidence, and {1 - confidence:g} is a coin's",
            hint="Write a confidence above .5, as .95",
        )


def verdicts(
    margins: Mapping[str, float],
    a: Side,
    b: Side,
    pairs: Pairs,
    measures: Mapping[str, Measure],
    *,
    confidence: float,
    seed: int,
) -> tuple[MarginVerdict, ...]:
    """Say of each metric whether b is worse by its margin or more.

    Args:
        margins: Metric → by how much b may be worse; checked.
        a: One side, and its rows.
        b: The other.
        pairs: Their pairs.
        measures: Metric → how it is computed.
        confidence: 1 less the one-sided error of either verdict.
        seed: Of the random sign flips.

    Raises:
        UsageError: A margin that is as large as its metric's scale.
    """
    if not margins:
        return ()
    sides = (b[1], a[1])
    known = [scorers_of(side) for side in sides]
    scorers = {name: [found[name] for found in known if name in found] for name in margins}
    first = {name: found[0] for name, found in scorers.items() if found}
    wrong = [wrong_answers(*side, rows, first) for side, rows in ((a, pairs.a), (b, pairs.b))]
    alpha = round(1 - confidence, 12)  # .05, not .05 and a rounding error
    asked, refused = [], {}
    for name, margin in margins.items():
        read = readings(name, a[1], b[1], pairs, (wrong[0].get(name, {}), wrong[1].get(name, {})))
        why = _refused(name, measures[name], scorers[name], read, sides) or ""
        if why:
            refused[name] = why
        else:
            asked.append(_asked(name, margin, measures[name], scorers[name], read, pairs))
    found = {v.metric: v for v in _decided(asked, pairs, alpha, seed)}
    held_back = _nothing_compared(a[1], b[1], pairs) or _unfinished(a[1], b[1])
    return tuple(
        _held_back(found[name], held_back)
        if name in found
        else MarginVerdict(
            name,
            margins[name],
            "undecided",
            reason=refused[name],
            higher_is_better=measures[name].higher_is_better,
            alpha=alpha,
        )
        for name in margins
    )


def _refused(
    name: str, measure: Measure, scorers: Sequence[Scorer], read: Readings, sides: Sequence[Held]
) -> str | None:
    """Say why nothing can be decided of a metric, whatever its scores are."""
    if any((side.setup.signatures or {}).get(name, "").startswith("judge:") for side in sides):
        return JUDGED
    if measure.unknown is not None:
        return measure.unknown
    if not read.own.both.any():
        return "no pair is scored on both sides"
    if any(math.isinf(end) for scorer in scorers for end in bounds_of(scorer) or ()):
        return ENDLESS
    if measure.value is None:
        values = np.concatenate([side[read.wrong.both] for side in (read.wrong.a, read.wrong.b)])
        low, high = measure.bounds or (0.0, 1.0)
        if values.min() < low or values.max() > high:
            return f"nothing says between which values it lies: some are outside of {low:g} to {high:g}"
    return None


def _asked(
    name: str, margin: float, measure: Measure, scorers: Sequence[Scorer], read: Readings, pairs: Pairs
) -> _Asked:
    span = max((span_of(scorer) for scorer in scorers), default=1.0)
    if measure.value is None and measure.bounds is not None:
        span = max(span, measure.bounds[1] - measure.bounds[0])
    if not margin < span:
        unit = ": .02 is two points of a hundred" if span == 1 else ""
        raise UsageError(
            f"the margin of {name} is {margin:g}, as large as its scale",
            hint=f"It is in the metric's own unit, between 0 and {span:g}{unit}",
        )
    return _Asked(name, margin, span, measure, read, _series(read.own, measure, pairs))


def _series(scored: Scored, measure: Measure, pairs: Pairs) -> Series:
    """Return the units that are scored on both sides: samples, or clusters, averaged over epochs."""
    rows = scored.both
    table = (scored.a, scored.b) if measure.value is None else (scored.stats_a, scored.stats_b)
    sample, clusters = pairs.sample[rows], None if pairs.clusters is None else pairs.clusters[rows]
    base, head = units(table[0][rows], table[1][rows], sample, clusters)
    if measure.value is not None and clusters is not None:  # sums, and not sums over the mean size
        size = len(np.unique(sample)) / len(base)
        base, head = base * size, head * size
    return Series(base, head, len(base), (len(base),), unit_span(sample, clusters))


def _decided(asked: Sequence[_Asked], pairs: Pairs, alpha: float, seed: int) -> Iterator[MarginVerdict]:
    """Decide all metrics together, once with failures as the gate reads them, and once with all as wrong answers."""
    if not asked:
        return
    rules = [one.rule for one in asked]
    found = decide(rules, {one.name: one.series for one in asked}, alpha=alpha, seed=seed)
    again: Mapping[str, Reading] = {}
    if any(one.doubtful for one in asked):
        all_wrong = {one.name: _series(one.read.wrong, one.measure, pairs) for one in asked}
        again = decide(rules, all_wrong, alpha=alpha, seed=seed)
    for one in asked:
        second = again[one.name] if one.doubtful else None
        yield _verdict(one, found[one.name], second, alpha, 1 / len(asked), clustered=pairs.clusters is not None)


def _verdict(
    one: _Asked, reading: Reading, second: Reading | None, alpha: float, share: float, *, clustered: bool
) -> MarginVerdict:
    better, value = one.measure.higher_is_better, one.measure.value
    base, head = one.series.base, one.series.head
    ends = (base.mean(), head.mean()) if value is None else (value(base.sum(axis=0)), value(head.sum(axis=0)))
    low = -one.span if reading.low is None else max(reading.low, -one.span)
    high = one.span if reading.high is None else min(reading.high, one.span)
    found = MarginVerdict(
        metric=one.name,
        margin=one.margin,
        verdict=reading.verdict,
        a=_finite(float(ends[0])),
        b=_finite(float(ends[1])),
        difference=reading.estimate,
        interval=Interval(low, high, reading.method, 1 - alpha - alpha * share),
        n=reading.n,
        losses=reading.losses,
        gains=reading.gains,
        ties=reading.ties,
        clustered=clustered,
        ruled_out=reading.ruled_out,
        within=reading.verdict == "pass" and reading.drop_proven,
        beyond=beyond(reading, higher_is_better=better, level=alpha * share),
        wrong_a=one.read.wrong_a,
        wrong_b=one.read.wrong_b,
        left_out=int(np.count_nonzero(~one.read.own.both)),
        failures_wrong=None if second is None else second.verdict,
        method=reading.method,
        higher_is_better=better,
        alpha=alpha,
    )
    if found.verdict == "undecided":
        return _with_needs(found, one, reading, share)
    return replace(found, verdict="undecided", within=False, reason=why) if (why := _unsure(found, one)) else found


def _unsure(found: MarginVerdict, one: _Asked) -> str | None:
    """Say why a pass is none: failures are no scores, and may be what got worse."""
    if found.verdict != "pass":
        return None
    if one.read.unreadable:
        count = one.read.unreadable
        return (
            f"{count:,} {'failure' if count == 1 else 'failures'} cannot be counted as wrong answers; the rest passes"
        )
    if found.failures_wrong in (None, "pass"):
        return None
    said = "fails" if found.failures_wrong == "fail" else "is undecided"
    return f"it passes where failures are left out, and {said} where they count as wrong answers"


def _with_needs(found: MarginVerdict, one: _Asked, reading: Reading, share: float) -> MarginVerdict:
    """Add what would decide it, planned at the spread seen; the effect seen is noise, and plans nothing."""
    if one.measure.value is not None or reading.n < 2:
        return found
    scale = one.span * one.series.span  # clusters of unequal size have differences beyond the span
    spread, binary = spread_seen(reading, one.series, one.span)
    how = {"binary": binary, "share": share, "alpha": found.alpha}
    needs = needed(one.margin / scale, spread, **how)  # type: ignore[arg-type]
    least = decidable(reading.n, spread, **how)  # type: ignore[arg-type]
    least = None if least is None or scale * least >= one.span else scale * least  # a margin lies below the span
    return replace(found, needs=needs, decidable=least)


def _held_back(found: MarginVerdict, why: str | None) -> MarginVerdict:
    if why is None or found.verdict != "pass":
        return found
    return replace(found, verdict="undecided", within=False, reason=why)


def _nothing_compared(a: Held, b: Held, pairs: Pairs) -> str | None:
    """Say so where each pair shares one stored answer: a variant that was never asked cannot pass."""
    one, two = a.answers[pairs.a], b.answers[pairs.b]
    both = (one >= 0) & (two >= 0)
    if both.any() and (one[both] == two[both]).all():
        return "each pair shares one stored answer, so that nothing was compared"
    return None


def _unfinished(a: Held, b: Held) -> str | None:
    """Say which run did not end: what it lacks may be what got worse."""
    for which, side in (("a", a), ("b", b)):
        if side.setup.status not in (None, "completed"):
            return f"run {side.setup.run_id} ({which}) is {side.setup.status}: what it lacks may be what got worse"
    return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
