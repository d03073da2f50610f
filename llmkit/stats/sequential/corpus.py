"""A metric of sums over the corpus: BLEU, chrF, a word error rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential.evidence import Evidence, interval, positive, tally
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

    def look(self, series: Series, fail: Schedule, passing: Schedule, seed: tuple[int, ...]) -> Evidence:
        """Judge the data of all looks so far by the two boundaries."""
        gain, parts = self._parts(series)
        losses, gains, ties = self._tally(series)
        estimate = (gain if self.higher_is_better else -gain) if np.isfinite(gain) else None
        method = "swap+jackknife-el"
        if not np.isfinite(parts).all():
            return Evidence(False, False, estimate, None, None, None, losses, gains, ties, method)
        scale = max(self.span, float(np.abs(parts).max()))
        scaled = parts / scale
        fails = el_z(-scaled, 0.0) >= fail.z[-1] and self._swaps(series, fail, seed)
        z = passing.z[-1]
        most = max(el_bound(scaled, z) * scale, least_margin(passing.n, z) * self.span)
        least = -el_bound(-scaled, fail.z[-1]) * scale
        least = max(least, 0.0) if fails else min(least, 0.0)
        low, high = interval(least, most, flip=self.higher_is_better, limit=_CERTAIN * self.span)
        ruled_out = None if most >= _CERTAIN * self.span else most
        spread = positive(float(parts.std()))
        passes, worse = most <= self.margin, -1 if self.higher_is_better else 1
        return Evidence(passes, fails, estimate, low, high, ruled_out, losses, gains, ties, method, spread, worse)

    def _parts(self, series: Series) -> tuple[float, Floats]:
        """Return the difference, positive where head is better, and each unit's part in it."""
        base, head = _rows(series.base), _rows(series.head)
        n = len(base)
        whole = self._gain(base.sum(axis=0), head.sum(axis=0))
        if n < 2:
            return float(whole), np.full(n, np.nan)
        without = self._gain(base.sum(axis=0) - base, head.sum(axis=0) - head)
        return float(whole), np.asarray(n * whole - (n - 1) * without)

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
