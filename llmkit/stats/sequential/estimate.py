"""An estimate that stopping early does not bias."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmkit.stats.sequential.brownian import above, advance, start
from llmkit.stats.sequential.roots import crossing

_WIDTH = 0.04  # of the grid: an estimate needs no third decimal of its standard error


@dataclass(frozen=True, slots=True)
class Region:
    """Where a look lets the trial go on, on the scale of the estimated drop.

    Attributes:
        n: Units at the look.
        low: At or below it the margin is ruled out.
        high: At or above it a drop is proven. The trial goes on between the two; nowhere, where low ≥ high.
    """

    n: int
    low: float
    high: float


def regions(looks: Iterable[tuple[int, float, float, float]], margin: float) -> tuple[Region, ...]:
    """Return the regions from each look's units, estimated drop, and the bounds that invert its two rules.

    The data that a look had, moved as a whole, would have been at a boundary where a bound is at 0, or at the margin.
    """
    return tuple(Region(n, margin - (most - drop), drop - least) for n, drop, least, most in looks)


def median_unbiased(drop: float, looks: Sequence[Region], spread: float, *, failed: bool) -> float | None:
    """Return the drop under which what was seen, or something more extreme, has probability ½.

    Outcomes are ordered by the stage at which they stopped, then by the estimate (Armitage's ordering; Fairbanks and
    Madsen, Biometrika 69, 1982; Jennison and Turnbull, Group Sequential Methods, 8.4): to stop earlier for a failure
    is more extreme than to stop later. The paths are Brownian: information n/spread² with the spread seen.

    Args:
        drop: The estimate at the look that stopped.
        looks: All looks up to that one.
        spread: Standard deviation of one unit's difference.
        failed: Whether it stopped as a failure.

    Returns:
        None where the answer lies beyond eight standard errors of what was seen.
    """
    error = spread / math.sqrt(looks[-1].n)
    sign = 1.0 if failed else -1.0
    # A pass goes first where both rules hold, so that the other region is what is left of it.
    stops = [(r.n, r.low, max(r.low, r.high)) if failed else (r.n, -r.high, -r.low) for r in looks]

    def surplus(theta: float) -> float:
        return _as_extreme(sign * drop, stops, spread, theta) - 0.5

    low, high = sign * drop - 8 * error, sign * drop + 8 * error
    if surplus(low) >= 0 or surplus(high) < 0:
        return None
    return sign * crossing(surplus, low, high, tolerance=1e-3 * error)


def _as_extreme(seen: float, stops: Sequence[tuple[int, float, float]], spread: float, theta: float) -> float:
    """Return the probability, at the drop ``theta``, of stopping above earlier, or of ``seen`` and more at the last.

    Time is information as a share of the last look's, on which the paths have the standard deviation √t.
    """
    last = stops[-1][0]
    unit = math.sqrt(last) / spread
    going, total, drift = start(), 0.0, theta * unit
    for n, low, high in stops[:-1]:
        time = n / last
        total += above(going, high * time * unit, time, drift)
        going = advance(going, low * time * unit, high * time * unit, time, drift, width=_WIDTH)
    return total + above(going, seen * unit, 1.0, drift)
