"""What one look says about one measure, and what a measure must be able to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential.estimate import Region
from llmkit.stats.sequential.schedule import Schedule
from llmkit.stats.sequential.series import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One look at one measure. Differences are head − base in the metric's unit, or the relative rise.

    Attributes:
        passes: A worsening as large as the margin is ruled out at this look.
        fails: A worsening is proven.
        estimate: The difference.
        low: Lower end of the interval that inverts both rules at this look's critical values.
        high: Upper end; None where a bound cannot be had.
        ruled_out: The smallest worsening that is ruled out.
        losses: Units where head is worse.
        gains: Units where head is better.
        ties: Units that are equal.
        method: The two tests.
        spread: Standard deviation of one unit's part in the estimate; None where it is not known, or is 0.
        worse: 1 where a difference above 0 is worse, −1 where one below 0 is.
    """

    passes: bool
    fails: bool
    estimate: float | None
    low: float | None
    high: float | None
    ruled_out: float | None
    losses: int
    gains: int
    ties: int
    method: str
    spread: float | None = None
    worse: int = 1


class Measure(Protocol):
    """The rule of one gating metric, which knows what is better."""

    @property
    def name(self) -> str:
        """Of the metric, and its slice."""
        ...

    @property
    def margin(self) -> float:
        """The worsening that a pass rules out."""
        ...

    @property
    def planned(self) -> int | None:
        """Units that there will be at the trial's end; None where it is the trial's own number."""
        ...

    def rules_out(self, series: Series, passing: Schedule) -> bool:
        """Say whether a worsening as large as the margin is ruled out at the latest look."""
        ...

    def proves(self, series: Series, fail: Schedule, seed: tuple[int, ...]) -> bool:
        """Say whether a worsening is proven at the latest look."""
        ...

    def look(self, series: Series, fail: Schedule, passing: Schedule, seed: tuple[int, ...]) -> Evidence:
        """Say both, and what there is to know beside."""
        ...

    def regions(self, series: Series, fail: Schedule, passing: Schedule) -> tuple[Region, ...]:
        """Return where each look let the trial go on, by the worsening estimated; none where that cannot be said."""
        ...


def rows_of(series: Series, fail: Schedule, passing: Schedule) -> Iterator[tuple[Series, Schedule, Schedule]]:
    """Yield the data and the boundaries as they were at each look."""
    for look, n in enumerate(fail.counts):
        data = Series(series.base[:n], series.head[:n], n, fail.counts[: look + 1], series.span)
        yield data, fail.until(look), passing.until(look)


def tally(gain: Floats) -> tuple[int, int, int]:
    """Return losses, gains and ties of differences that are positive where head is better."""
    losses, gains = int((gain < 0).sum()), int((gain > 0).sum())
    return losses, gains, len(gain) - losses - gains


def interval(least: float, most: float, *, flip: bool, limit: float) -> tuple[float | None, float | None]:
    """Return the worsening's bounds as those of head − base; what is no bound, at or beyond ``limit``, is None."""
    low = None if least <= -limit else least
    high = None if most >= limit else most
    if not flip:
        return low, high
    return (None if high is None else -high), (None if low is None else -low)


def agreeing(least: float, most: float, margin: float, *, passes: bool, fails: bool) -> tuple[float, float]:
    """Keep the interval and the verdict of one mind, where an approximate test meets an exact one, or rounding."""
    least = max(least, 0.0) if fails else min(least, 0.0)
    return least, min(most, margin) if passes else most


def positive(value: float) -> float | None:
    """Return ``value`` where it is finite and above 0."""
    return float(value) if np.isfinite(value) and value > 0 else None
