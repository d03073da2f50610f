"""A metric of sums over the corpus: BLEU, chrF, a word error rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential.estimate import Region, regions
from llmkit.stats.sequential.evidence import Evidence, agreeing, interval, positive, rows_of, tally
from llmkit.stats.sequential.flips import crossed, swapped_totals
from llmkit.stats.sequential.likelihood import el_bound, el_z
from llmkit.stats.sequential.schedule import Schedule
from llmkit.stats.sequential.series import Series
from llmkit.stats.sequential.tango import least_margin

Floats = NDArray[np.float64]
_CERTAIN = 1.0 - 1e-6


@dataclass(frozen=True)
class CorpusDifference:
    """The difference of a function of summed statistics.

    Each unit's part in the difference is its jackknife pseudo-value, n·D − (n − 1)·D₍₋ᵢ₎ (Tukey 1958), and the mean of
    these is judged as in :mod:`~.likelihood` (jackknife empirical likelihood: Jing, Yuan and Zhou, JASA 104, 2009).
    A drop is proven where that says so and the difference is larger than swapping the arms of units explains, which is
    exact where arms can be swapped.

    Attributes:
        name: Of the metric.
        margin: The worsening that a pass rules out, in the metric's unit.
        value: Maps sums, shape (…, k), to the metric, shape (…).
        higher_is_better: Direction.
        span: The metric's range in its unit: 100 for BLEU.
        planned: Units at the trial's end, where they are fewer than the trial's.
    """

    name: str
    margin: float
    value: Callable[[Floats], Floats]
    higher_is_better: bool
    span: float
    planned: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.margin < self.span:
            raise ValueError(f"the margin of {self.name} lies in (0, {self.span:g}), not {self.margin}")

    def rules_out(self, series: Series, passing: Schedule) -> bool:
        """Say whether a worsening as large as the margin is ruled out at the latest look."""
        _, parts, scale = self._parts(series)
        z = passing.z[-1]
        if least_margin(passing.n, z) * self.span * series.span > self.margin or scale is None:
            return False
        return el_z(parts / scale, self.margin / scale) >= z

    def proves(self, series: Series, fail: Schedule, seed: tuple[int, ...]) -> bool:
        """Say whether a worsening is proven at the latest look."""
        _, parts, scale = self._parts(series)
        return scale is not None and el_z(-parts / scale, 0.0) >= fail.z[-1] and self._swaps(series, fail, seed)

    def look(self, series: Series, fail: Schedule, passing: Schedule, seed: tuple[int, ...]) -> Evidence:
        """Say both, and what there is to know beside."""
        gain, parts, scale = self._parts(series)
        losses, gains, ties = self._tally(series)
        passes, fails = self.rules_out(series, passing), self.proves(series, fail, seed)
        least, most = self._bounds(series, parts, scale, fail, passing)
        least, most = agreeing(least, most, self.margin, passes=passes, fails=fails)
        low, high = interval(least, most, flip=self.higher_is_better, limit=_CERTAIN * self.span)
        return Evidence(
            passes=passes,
            fails=fails,
            estimate=(gain if self.higher_is_better else -gain) if np.isfinite(gain) else None,
            low=low,
            high=high,
            ruled_out=None if most >= _CERTAIN * self.span else most,
            losses=losses,
            gains=gains,
            ties=ties,
            method="swap+jackknife-el",
            spread=positive(float(parts.std())) if scale is not None else None,
            worse=-1 if self.higher_is_better else 1,
        )

    def regions(self, series: Series, fail: Schedule, passing: Schedule) -> tuple[Region, ...]:
        """Return where each look let the trial go on; none where a look's metric was not defined."""
        looks = []
        for data, over, under in rows_of(series, fail, passing):
            gain, parts, scale = self._parts(data)
            if scale is None:
                return ()
            looks.append((over.n, -gain, *self._bounds(data, parts, scale, over, under)))
        return regions(looks, self.margin)

    def _bounds(
        self, series: Series, parts: Floats, scale: float | None, fail: Schedule, passing: Schedule
    ) -> tuple[float, float]:
        """Return the worsenings between which both rules cannot tell at the latest look."""
        if scale is None:
            return -self.span, self.span
        z = passing.z[-1]
        most = max(el_bound(parts / scale, z) * scale, least_margin(passing.n, z) * self.span * series.span)
        return -el_bound(-parts / scale, fail.z[-1]) * scale, most

    def _parts(self, series: Series) -> tuple[float, Floats, float | None]:
        """Return the difference, positive where head is better, each unit's part in it, and what none exceeds.

        The last is None where a metric without one of the units is not defined.
        """
        base, head = _rows(series.base), _rows(series.head)
        n = len(base)
        whole = self._gain(base.sum(axis=0), head.sum(axis=0))
        if n < 2:
            return float(whole), np.zeros(n), None
        without = self._gain(base.sum(axis=0) - base, head.sum(axis=0) - head)
        parts = np.asarray(n * whole - (n - 1) * without)
        if not np.isfinite(parts).all():
            return float(whole), parts, None
        return float(whole), parts, max(self.span * series.span, float(np.abs(parts).max()))

    def _gain(self, base: Floats, head: Floats) -> Floats:
        with np.errstate(all="ignore"):
            difference = np.asarray(self.value(head)) - np.asarray(self.value(base))
        return difference if self.higher_is_better else -difference

    def _swaps(self, series: Series, fail: Schedule, seed: tuple[int, ...]) -> bool:
        base, head = _rows(series.base), _rows(series.head)
        moved = swapped_totals(base - head, fail.counts, seed)
        first = [count - 1 for count in fail.counts]
        loss = -self._gain(np.cumsum(base, axis=0)[first] - moved, np.cumsum(head, axis=0)[first] + moved)
        paths = np.where(np.isfinite(loss), loss, -np.inf) / self.span
        return bool(np.isfinite(paths[0]).all()) and crossed(paths, fail.levels, tie=1e-9) is not None

    def _tally(self, series: Series) -> tuple[int, int, int]:
        gain = self._gain(_rows(series.base), _rows(series.head))
        return tally(np.where(np.isfinite(gain), gain, 0.0))


def _rows(values: Floats) -> Floats:
    return values if values.ndim == 2 else values[:, None]
