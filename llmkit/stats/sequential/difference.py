"""A metric that is the mean of the units' scores in [0, 1]: accuracy, F1, a judge's grade, the rate of failures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential.evidence import Evidence, interval, positive, tally
from llmkit.stats.sequential.flips import crossed, sign_flips
from llmkit.stats.sequential.likelihood import el_bound, el_z
from llmkit.stats.sequential.schedule import Schedule
from llmkit.stats.sequential.series import Series
from llmkit.stats.sequential.signs import critical_losses, losses_and_pairs
from llmkit.stats.sequential.tango import least_margin, tango_bound

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

    def look(self, series: Series, fail: Schedule, passing: Schedule, seed: tuple[int, ...]) -> Evidence:
        """Judge the data of all looks so far by the two boundaries."""
        gain = series.head - series.base if self.higher_is_better else series.base - series.head
        whole = bool(np.isin(gain, (-1.0, 0.0, 1.0)).all()) and series.span <= 1
        span = max(series.span, float(np.abs(gain).max()))
        least, most, fails = _binary(gain, fail, passing) if whole else _graded(gain, span, fail, passing, seed)
        low, high = interval(least, most, flip=self.higher_is_better, limit=_CERTAIN * span)
        losses, gains, ties = tally(gain)
        return Evidence(
            passes=most <= self.margin,
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


def _binary(gain: Floats, fail: Schedule, passing: Schedule) -> tuple[float, float, bool]:
    whole = np.rint(gain).astype(np.int64)
    losses, pairs = losses_and_pairs(whole, fail.counts)
    critical = critical_losses(pairs, fail.levels)
    fails = losses[-1] >= critical[-1]
    lost, gained, n, z = losses[-1], pairs[-1] - losses[-1], fail.n, passing.z[-1]
    most = max(tango_bound(lost, gained, n, z), least_margin(n, z))
    return _agreeing(-tango_bound(gained, lost, n, fail.z[-1]), fails), most, fails


def _graded(
    gain: Floats, span: float, fail: Schedule, passing: Schedule, seed: tuple[int, ...]
) -> tuple[float, float, bool]:
    scaled, z = gain / span, passing.z[-1]
    guarded = el_z(-scaled, 0.0) >= fail.z[-1]
    fails = guarded and crossed(sign_flips(-scaled, fail.counts, seed), fail.levels) is not None
    most = max(el_bound(scaled, z), least_margin(fail.n, z))
    return _agreeing(-el_bound(-scaled, fail.z[-1]), fails) * span, most * span, fails


def _agreeing(least: float, fails: bool) -> float:
    """Keep the interval and the verdict of one mind about 0, where an approximate and an exact test meet."""
    return max(least, 0.0) if fails else min(least, 0.0)
