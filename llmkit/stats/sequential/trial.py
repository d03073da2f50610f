"""A trial of several measures: eight looks at most, three verdicts."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from llmkit.stats.sequential.estimate import median_unbiased
from llmkit.stats.sequential.evidence import Evidence, Measure
from llmkit.stats.sequential.reading import Reading, Verdict
from llmkit.stats.sequential.schedule import LEAST, Schedule, schedule
from llmkit.stats.sequential.series import Series

LOOKS = 8
ALPHA = 0.05


def look_counts(n_max: int, looks: int = LOOKS) -> Mapping[int, int]:
    """Return the units at each look, by its number from 1: equal steps, none below 20 units but the last."""
    every = enumerate(sorted({math.ceil(n_max * k / looks) for k in range(1, looks + 1)}), start=1)
    return {look: count for look, count in every if count >= LEAST or count == n_max}


class Trial:
    """Decides whether head is worse than base, while the data come in.

    A measure fails when a worsening is proven, passes when one as large as its margin is ruled out, and passes where
    both hold at one look: a drop within the margin was allowed. The trial fails with the first measure that does, and
    passes when all have. A failure of each measure may be wrong with its share of alpha, so that the trial's is with
    alpha at most; a pass needs every measure, so that each may use all of alpha (intersection–union).

    All is computed anew from the data at each look. The trial itself remembers how many looks there were and which
    measures have passed.

    Args:
        measures: What gates; a slice of a metric is a measure too.
        n_max: Units at the last look, fixed before the first.
        looks: Looks at most.
        alpha: One-sided error of a failure, and of a pass.
        seed: Of the random sign flips.
        weights: Each measure's share of alpha for its failure; equal by default. They sum to 1.
    """

    def __init__(
        self,
        measures: Sequence[Measure],
        *,
        n_max: int,
        looks: int = LOOKS,
        alpha: float = ALPHA,
        seed: int = 0,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        names = [measure.name for measure in measures]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"a trial needs measures of different names, not {names}")
        if n_max < 1 or looks < 1 or not 0 < alpha < 0.5:
            raise ValueError(f"a trial needs n_max ≥ 1, looks ≥ 1, alpha in (0, 0.5), not {n_max}, {looks}, {alpha}")
        shares = dict(weights) if weights is not None else dict.fromkeys(names, 1 / len(names))
        if set(shares) != set(names) or min(shares.values()) <= 0 or not math.isclose(sum(shares.values()), 1):
            raise ValueError(f"the measures' weights are above 0 and sum to 1, not {shares}")
        self._measures = tuple(measures)
        self._numbers, self._counts = zip(*look_counts(n_max, looks).items(), strict=True)
        self._n_max, self._alpha, self._seed, self._weights = n_max, alpha, seed, shares
        self._done = 0
        self._over = False
        self._passed: dict[str, Reading] = {}
        self._readings: dict[str, Reading] = {}

    @property
    def counts(self) -> tuple[int, ...]:
        """Units at each planned look."""
        return self._counts

    @property
    def readings(self) -> Mapping[str, Reading]:
        """By measure; what has passed stays as it was at the look at which it did."""
        return MappingProxyType(self._readings)

    def next_count(self) -> int | None:
        """Return the units that the next look wants; None when the trial is over."""
        return None if self._over else self._counts[self._done]

    def look(
        self, series: Mapping[str, Series], *, stop: bool = False
    ) -> Literal["pass", "fail", "undecided", "go on"]:
        """Judge all data so far.

        Args:
            series: By measure; one that is missing has no data.
            stop: The trial ends here whatever is found, because the money ran out. It spends what a look spends at
                this point and no more, so that what made it end cannot make it err.

        Returns:
            "undecided" only where the trial is over.

        Raises:
            ValueError: When the trial is over, or for a series of a measure that there is none of.
        """
        if self._over:
            raise ValueError("the trial is over")
        unknown = set(series) - set(self._weights)
        if unknown:
            raise ValueError(f"no such measure: {', '.join(sorted(unknown))}")
        self._done += 1
        last = self._done == len(self._counts)
        self._readings = {m.name: self._passed.get(m.name) or self._read(m, series, last) for m in self._measures}
        if any(reading.verdict == "fail" for reading in self._readings.values()):
            self._name_others(series, last)
            self._over = True
            return "fail"
        self._passed = {name: reading for name, reading in self._readings.items() if reading.verdict == "pass"}
        if len(self._passed) == len(self._measures):
            self._over = True
            return "pass"
        self._over = last or stop
        return "undecided" if self._over else "go on"

    def _name_others(self, series: Mapping[str, Series], last: bool) -> None:
        """Share the alpha of what failed among the rest, at this look only (Holm's step), until nothing more fails."""
        while True:
            failed = {name for name, reading in self._readings.items() if reading.verdict == "fail"}
            rest = [m for m in self._measures if self._readings[m.name].verdict == "undecided"]
            share = sum(self._weights[name] for name in self._weights if name not in failed)
            found = {m.name: self._read(m, series, last, self._weights[m.name] / share) for m in rest}
            fallen = {name: reading for name, reading in found.items() if reading.verdict == "fail"}
            if not fallen:
                return
            self._readings.update({name: _named(self._readings[name], found) for name, found in fallen.items()})

    def _read(self, measure: Measure, series: Mapping[str, Series], last: bool, weight: float | None = None) -> Reading:
        number = self._numbers[self._done - 1]
        share = self._alpha * (self._weights[measure.name] if weight is None else weight)
        data = series.get(measure.name)
        counts = data.counts if data is not None else ()
        planned = measure.planned or self._n_max
        passing = schedule(counts, planned, alpha=self._alpha, final=last)
        fail = schedule(counts, planned, alpha=share, final=last)
        if data is None or passing is None or fail is None:
            return Reading(measure.name, measure.margin, "undecided", number, counts[-1] if counts else 0)
        seed = (self._seed & 0xFFFFFFFF, zlib.crc32(measure.name.encode()))
        evidence = measure.look(data, fail, passing, seed)
        verdict: Verdict = "pass" if evidence.passes else "fail" if evidence.fails else "undecided"
        early = verdict != "undecided" and not last
        return Reading(
            name=measure.name,
            margin=measure.margin,
            verdict=verdict,
            look=number,
            n=fail.n,
            drop_proven=evidence.fails,
            estimate=evidence.estimate,
            adjusted=_adjusted(measure, data, evidence, fail, passing) if early else None,
            low=evidence.low,
            high=evidence.high,
            ruled_out=evidence.ruled_out,
            losses=evidence.losses,
            gains=evidence.gains,
            ties=evidence.ties,
            method=evidence.method,
        )


def _named(own: Reading, passed_on: Reading) -> Reading:
    """Return a failure by alpha that was passed on: Holm's step proves a worsening, and not how large it is.

    So the bounds stay those of the measure's own share of alpha, and end at no difference.
    """
    low, high = own.low, own.high
    if passed_on.estimate is not None and passed_on.estimate < 0:
        high = None if high is None else min(high, 0.0) + 0.0  # no -0.0
    elif passed_on.estimate is not None:
        low = None if low is None else max(low, 0.0)
    return replace(passed_on, low=low, high=high, adjusted=None)


def _adjusted(measure: Measure, data: Series, evidence: Evidence, fail: Schedule, passing: Schedule) -> float | None:
    """Return the median-unbiased difference of a measure that its own boundary stopped."""
    if evidence.spread is None or evidence.estimate is None:
        return None
    sign, looks = evidence.worse, measure.regions(data, fail, passing)
    if not looks:
        return None
    found = median_unbiased(sign * evidence.estimate, looks, evidence.spread, failed=not evidence.passes)
    return None if found is None else sign * found
