"""A relative rise of a quantile: the 95th percentile of the latency."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.quantiles import normal_cdf
from llmkit.stats.sequential.estimate import Region
from llmkit.stats.sequential.evidence import Evidence, agreeing, interval, tally
from llmkit.stats.sequential.flips import crossed, swapped_totals
from llmkit.stats.sequential.order import quantile_bounds
from llmkit.stats.sequential.schedule import Schedule
from llmkit.stats.sequential.series import Series

Floats = NDArray[np.float64]
_MOST = 1e9


@dataclass(frozen=True)
class QuantileRise:
    """The rise of a quantile of head over base's, as a share of base's, for any distribution above 0.

    Both quantiles have order-statistic bounds at the look's level; the bound of their ratio is put together from them
    on the log scale by the rule of Zou and Donner (Statistics in Medicine 27, 2008): the squared distances add up, as
    those of independent estimates do. Pairs that are slow together make it wider than it need be, never narrower. A
    rise is proven where that bound says so and where more of head's units than of base's are above the pooled
    quantile than swapped arms explain, which is exact where arms can be swapped.

    Attributes:
        name: Of the metric.
        margin: The relative rise that a pass rules out, above 0.
        quantile: Which one, in (0, 1).
        planned: Units at the trial's end, where they are fewer than the trial's.
    """

    name: str
    margin: float
    quantile: float = 0.95
    planned: int | None = None

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"the margin of {self.name} is above 0, not {self.margin}")
        if not 0 < self.quantile < 1:
            raise ValueError(f"the quantile of {self.name} lies in (0, 1), not {self.quantile}")

    def rules_out(self, series: Series, passing: Schedule) -> bool:
        """Say whether a rise as large as the margin is ruled out at the latest look."""
        return quantile_ratio(series.base, series.head, self.quantile, passing.z[-1]) <= math.log1p(self.margin)

    def proves(self, series: Series, fail: Schedule, seed: tuple[int, ...]) -> bool:
        """Say whether a rise is proven at the latest look."""
        fall = quantile_ratio(series.head, series.base, self.quantile, fail.z[-1])
        return fall < 0 and self._swaps(series.base, series.head, fail, seed)

    def look(self, series: Series, fail: Schedule, passing: Schedule, seed: tuple[int, ...]) -> Evidence:
        """Say both, and what there is to know beside."""
        base, head = series.base, series.head
        passes, fails = self.rules_out(series, passing), self.proves(series, fail, seed)
        least = math.expm1(-quantile_ratio(head, base, self.quantile, fail.z[-1]))
        most = _expm1(quantile_ratio(base, head, self.quantile, passing.z[-1]))
        least, most = agreeing(least, most, self.margin, passes=passes, fails=fails)
        low, high = interval(least, most, flip=False, limit=_MOST)
        losses, gains, ties = tally(base - head)
        at_base, at_head = float(np.quantile(base, self.quantile)), float(np.quantile(head, self.quantile))
        return Evidence(
            passes=passes,
            fails=fails,
            estimate=at_head / at_base - 1 if at_base > 0 else None,
            low=None if low is None or low <= -1 else low,
            high=high,
            ruled_out=high,
            losses=losses,
            gains=gains,
            ties=ties,
            method="swap+order-statistics",
        )

    def regions(self, series: Series, fail: Schedule, passing: Schedule) -> tuple[Region, ...]:
        """Return nothing: a quantile's paths are not Brownian enough at its few tail values."""
        return ()

    def _swaps(self, base: Floats, head: Floats, fail: Schedule, seed: tuple[int, ...]) -> bool:
        columns = np.zeros((len(base), len(fail.counts)))
        for look, count in enumerate(fail.counts):
            pooled = np.quantile(np.concatenate([base[:count], head[:count]]), self.quantile)
            columns[:count, look] = (head[:count] > pooled).astype(float) - (base[:count] > pooled)
        totals = swapped_totals(columns, fail.counts, seed)
        looks = np.arange(len(fail.counts))
        return crossed(columns.sum(axis=0) - 2 * totals[:, looks, looks], fail.levels) is not None


def quantile_ratio(under: Floats, over: Floats, quantile: float, z: float) -> float:
    """Return an upper bound of the logarithm of ``over``'s quantile over ``under``'s; ∞ where there is none."""
    if math.isinf(z):
        return math.inf
    error = normal_cdf(-z)
    low, _ = quantile_bounds(under, quantile, error)
    _, high = quantile_bounds(over, quantile, error)
    centre, top = float(np.quantile(under, quantile)), float(np.quantile(over, quantile))
    if not (low > 0 and top > 0 and math.isfinite(high)):
        return math.inf
    return math.log(top / centre) + math.hypot(math.log(high / top), math.log(centre / low))


def _expm1(value: float) -> float:
    return math.expm1(value) if value < math.log(_MOST) else _MOST
