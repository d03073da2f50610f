"""A relative rise of a mean of unbounded values: cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential.estimate import Region, regions
from llmkit.stats.sequential.evidence import Evidence, agreeing, interval, positive, rows_of, tally
from llmkit.stats.sequential.flips import crossed, sign_flips
from llmkit.stats.sequential.likelihood import el_z
from llmkit.stats.sequential.roots import crossing
from llmkit.stats.sequential.schedule import Schedule
from llmkit.stats.sequential.series import Series
from llmkit.stats.sequential.tango import QUARTER, least_margin

Floats = NDArray[np.float64]
_MOST = 1e3  # a thousandfold rise is no bound

PESSIMIST = 1.0
"""Weight of the observation that is added, as bad as the largest seen. With the ¼ of bounded scores, a rise of the
margin passes in up to 6 % of trials where costs are lognormal with σ = 1.5, and in 14 % where one answer in twenty runs
away."""

RUNAWAY = 4.0
"""Times base's mean that a runaway answer costs more: as many units are needed as show a margin's worth of those."""


@dataclass(frozen=True)
class RatioOfMeans:
    """The rise of head's mean over base's, as a share of base's.

    A rise is proven by sign flips of head − base, exact where arms can be swapped, with a likelihood guard. A rise of
    the margin m is ruled out by the likelihood score of (1 + m)·base − head, whose added observation is as bad as the
    largest value seen, of weight 1, once there are units enough to have shown answers that cost four times base's mean
    more. That is an approximation: nothing bounds what a unit that was not seen may cost.

    Attributes:
        name: Of the metric.
        margin: The relative rise that a pass rules out, above 0.
        planned: Units at the trial's end, where they are fewer than the trial's.
    """

    name: str
    margin: float
    planned: int | None = None

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"the margin of {self.name} is above 0, not {self.margin}")

    def rules_out(self, series: Series, passing: Schedule) -> bool:
        """Say whether a rise as large as the margin is ruled out at the latest look."""
        z = passing.z[-1]
        if _floor(passing.n, z) * series.span > self.margin:
            return False
        if not series.base.any():  # of nothing, the only rise that is none
            return not series.head.any()
        return _score((1 + self.margin) * series.base - series.head, PESSIMIST * series.span) >= z

    def proves(self, series: Series, fail: Schedule, seed: tuple[int, ...]) -> bool:
        """Say whether a rise is proven at the latest look."""
        rise = series.head - series.base
        return (
            _score(rise, QUARTER) >= fail.z[-1]
            and crossed(sign_flips(rise, fail.counts, seed), fail.levels) is not None
        )

    def look(self, series: Series, fail: Schedule, passing: Schedule, seed: tuple[int, ...]) -> Evidence:
        """Say both, and what there is to know beside."""
        base, head = series.base, series.head
        passes, fails = self.rules_out(series, passing), self.proves(series, fail, seed)
        least, most = _least(base, head, fail.z[-1]), _most(series, passing.z[-1])
        least, most = agreeing(least, most, self.margin, passes=passes, fails=fails)
        low, high = interval(least, most, flip=False, limit=_MOST)
        losses, gains, ties = tally(base - head)
        mean = float(base.mean())
        estimate = float(head.mean()) / mean - 1 if mean > 0 else (None if head.any() else 0.0)
        spread = float((head - (1 + (estimate or 0.0)) * base).std()) / mean if mean > 0 else 0.0
        return Evidence(
            passes=passes,
            fails=fails,
            estimate=estimate,
            low=None if low is None or low <= -1 else low,
            high=high,
            ruled_out=high,
            losses=losses,
            gains=gains,
            ties=ties,
            method="sign-flip+el",
            spread=positive(spread),
        )

    def regions(self, series: Series, fail: Schedule, passing: Schedule) -> tuple[Region, ...]:
        """Return where each look let the trial go on; none where a look's base cost nothing."""
        looks = []
        for data, over, under in rows_of(series, fail, passing):
            if not data.base.any():
                return ()
            rise = float(data.head.mean() / data.base.mean()) - 1
            least, most = _least(data.base, data.head, over.z[-1]), _most(data, under.z[-1])
            looks.append((over.n, rise, least, most))
        return regions(looks, self.margin)


def _floor(n: int, z: float) -> float:
    """Return the smallest rise that ``n`` units can rule out where a few runaway answers make it."""
    return RUNAWAY * least_margin(n, z)


def _score(good: Floats, w: float) -> float:
    """Return the score of "the mean is 0" against more, scaled by the largest value seen."""
    scale = float(np.abs(good).max(initial=0.0))
    return el_z(good / scale, 0.0, w) if scale > 0 else -np.inf


def _most(series: Series, z: float) -> float:
    base, head = series.base, series.head
    floor = _floor(len(base), z) * series.span
    if not base.any():  # a rise of nothing: none where head is free as well, else without end
        return _MOST if head.any() else floor
    start = max(float(head.mean() / base.mean()) - 1, -1.0)
    return max(
        crossing(lambda rise: _score((1 + rise) * base - head, PESSIMIST * series.span) - z, start, _MOST), floor
    )


def _least(base: Floats, head: Floats, z: float) -> float:
    if not base.any():
        return -1.0
    end = float(head.mean() / base.mean()) - 1
    return -crossing(lambda fall: _score(head - (1 - fall) * base, QUARTER) - z, -end, 1.0) if end > -1 else -1.0
