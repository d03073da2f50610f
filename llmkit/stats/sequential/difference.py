"""A metric that is the mean of the units' scores in [0, 1]: accuracy, F1, a judge's grade, the rate of failures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential.evidence import Evidence, agreeing, interval, positive, tally
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
    """The mean difference of scores in [0, 1], paired by unit.

    Where each unit's difference is −1, 0 or 1, a drop is proven by the exact walk of :mod:`~.signs` and ruled out by
    Tango's score; else by random sign flips with a likelihood guard, and by the likelihood of :mod:`~.likelihood`.

    Attributes:
        name: Of the metric.
        margin: The drop (the rise, where lower is better) that a pass rules out, in (0, 1).
        higher_is_better: Direction.
        planned: Units at the trial's end, where they are fewer than the trial's.
    """

    name: str
    margin: float
    higher_is_better: bool = True
    planned: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.margin < 1:
            raise ValueError(f"the margin of {self.name} lies in (0, 1), not {self.margin}")

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
        if whole:
            most = tango_bound(losses, gains, passing.n, passing.z[-1])
            least = -tango_bound(gains, losses, fail.n, fail.z[-1])
        else:
            most = span * el_bound(gain / span, passing.z[-1])
            least = -span * el_bound(-gain / span, fail.z[-1])
        most = max(most, span * least_margin(passing.n, passing.z[-1]))
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

    def _gain(self, series: Series) -> tuple[Floats, float]:
        """Return the differences, positive where head is better, and what none can exceed."""
        gain = series.head - series.base if self.higher_is_better else series.base - series.head
        return gain, max(series.span, float(np.abs(gain).max()))


def _is_whole(gain: Floats, span: float) -> bool:
    return span <= 1 and bool(np.isin(gain, (-1.0, 0.0, 1.0)).all())
