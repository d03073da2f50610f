"""A metric that is the mean of the units' scores of a bounded scale: accuracy, F1, a judge's grade, attempts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential.estimate import Region, regions
from llmkit.stats.sequential.evidence import Evidence, agreeing, interval, positive, rows_of, tally
from llmkit.stats.sequential.flips import crossed, sign_flips
from llmkit.stats.sequential.likelihood import el_bound, el_z
from llmkit.stats.sequential.schedule import Schedule
from llmkit.stats.sequential.series import Series
from llmkit.stats.sequential.signs import critical_losses, losses_and_pairs
from llmkit.stats.sequential.tango import least_margin, tango_bound, tango_z

Floats = NDArray[np.float64]
_CERTAIN = 1.0 - 1e-6  # a drop of all there is, which needs no ruling out


@dataclass(frozen=True)
class Difference:
    """The mean difference of scores of a scale that has two ends, paired by unit.

    Where each unit's difference is −1, 0 or 1, a drop is proven by the exact walk of :mod:`~.signs` and ruled out by
    Tango's score; else by random sign flips with a likelihood guard, and by the likelihood of :mod:`~.likelihood`.

    Attributes:
        name: Of the metric.
        margin: The drop (the rise, where lower is better) that a pass rules out, in (0, span).
        higher_is_better: Direction.
        planned: Units at the trial's end, where they are fewer than the trial's.
        span: How far two scores can lie apart: 2 for one to three attempts. All is judged as a share of it.
    """

    name: str
    margin: float
    higher_is_better: bool = True
    planned: int | None = None
    span: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.margin < self.span:
            raise ValueError(f"the margin of {self.name} lies in (0, {self.span:g}), not {self.margin}")

    def rules_out(self, series: Series, passing: Schedule) -> bool:
        """Say whether a drop as large as the margin is ruled out at the latest look."""
        gain, span = self._gain(series)
        n, z = passing.n, passing.z[-1]
        if least_margin(n, z) * span > self.margin:
            return False
        if _is_whole(gain, span):
            return tango_z(float((gain < 0).sum()), float((gain > 0).sum()), n, self.margin) >= z
        return el_z(gain / span, self.margin / span) >= z

    def proves(self, series: Series, fail: Schedule, seed: tuple[int, ...]) -> bool:
        """Say whether a drop is proven at the latest look."""
        gain, span = self._gain(series)
        if _is_whole(gain, span):
            losses, pairs = losses_and_pairs(np.rint(gain).astype(np.int64), fail.counts)
            return losses[-1] >= critical_losses(pairs, fail.levels)[-1]
        if el_z(-gain / span, 0.0) < fail.z[-1]:
            return False
        return crossed(sign_flips(-gain, fail.counts, seed), fail.levels) is not None

    def look(self, series: Series, fail: Schedule, passing: Schedule, seed: tuple[int, ...]) -> Evidence:
        """Say both, and what there is to know beside."""
        gain, span = self._gain(series)
        whole = _is_whole(gain, span)
        losses, gains, ties = tally(gain)
        passes, fails = self.rules_out(series, passing), self.proves(series, fail, seed)
        least, most = self._bounds(gain, span, fail, passing)
        least, most = agreeing(least, most, self.margin, passes=passes, fails=fails)
        low, high = interval(least, most, flip=self.higher_is_better, limit=_CERTAIN * span)
        return Evidence(
            passes=passes,
            fails=fails,
            estimate=float((series.head - series.base).mean()),
            low=low,
            high=high,
            ruled_out=None if most >= _CERTAIN * span else most,
            losses=losses,
            gains=gains,
            ties=ties,
            method="exact-walk+tango" if whole else "sign-flip+el",
            spread=positive(float(gain.std())),
            worse=-1 if self.higher_is_better else 1,
        )

    def regions(self, series: Series, fail: Schedule, passing: Schedule) -> tuple[Region, ...]:
        """Return where each look let the trial go on."""
        whole = _is_whole(*self._gain(series))
        looks = []
        for data, over, under in rows_of(series, fail, passing):
            gain, span = self._gain(data)
            drop = -float(gain.mean())
            least, most = self._bounds(gain, span, over, under)
            if whole:  # the walk's own boundary, half a step before the losses that cross it
                _, pairs = losses_and_pairs(np.rint(gain).astype(np.int64), over.counts)
                critical = critical_losses(pairs, over.levels)[-1]
                least = drop - (2 * critical - pairs[-1] - 1) / over.n if critical <= pairs[-1] else -math.inf
            looks.append((over.n, drop, least, most))
        return regions(looks, self.margin)

    def bounds(self, series: Series, fail: Schedule, passing: Schedule) -> tuple[float, float]:
        """Return the drops between which both rules cannot tell at the latest look."""
        return self._bounds(*self._gain(series), fail, passing)

    def _bounds(self, gain: Floats, span: float, fail: Schedule, passing: Schedule) -> tuple[float, float]:
        n, z = passing.n, passing.z[-1]
        if _is_whole(gain, span):
            losses, gains, _ = tally(gain)
            most, least = tango_bound(losses, gains, n, z), -tango_bound(gains, losses, n, fail.z[-1])
        else:
            most, least = span * el_bound(gain / span, z), -span * el_bound(-gain / span, fail.z[-1])
        return least, max(most, span * least_margin(n, z))

    def _gain(self, series: Series) -> tuple[Floats, float]:
        """Return the differences, positive where head is better, and the loss that stands for what was not seen."""
        gain = series.head - series.base if self.higher_is_better else series.base - series.head
        return gain, self.span * series.span


def _is_whole(gain: Floats, span: float) -> bool:
    return span <= 1 and bool(np.isin(gain, (-1.0, 0.0, 1.0)).all())
