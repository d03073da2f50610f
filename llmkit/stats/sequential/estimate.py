"""An estimate that stopping early does not bias."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from llmkit.stats.sequential.brownian import above, advance, start
from llmkit.stats.sequential.roots import crossing


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


def median_unbiased(drop: float, regions: Sequence[Region], spread: float, *, failed: bool) -> float | None:
    """Return the drop under which what was seen, or something more extreme, has probability ½.

    Outcomes are ordered by the stage at which they stopped, then by the estimate (Armitage's ordering; Fairbanks and
    Madsen, Biometrika 69, 1982; Jennison and Turnbull, Group Sequential Methods, 8.4): to stop earlier for a failure
    is more extreme than to stop later. The paths are Brownian: information n/spread² with the spread seen.

    Args:
        drop: The estimate at the look that stopped.
        regions: All looks up to that one.
        spread: Standard deviation of one unit's difference.
        failed: Whether it stopped as a failure.

    Returns:
        None where the answer lies beyond six standard errors of what was seen.
    """
    error = spread / math.sqrt(regions[-1].n)
    sign = 1.0 if failed else -1.0
    mirrored = regions if failed else [Region(r.n, -r.high, -r.low) for r in regions]
    low, high = sign * drop - 6 * error, sign * drop + 6 * error

    def surplus(theta: float) -> float:
        return _as_extreme(sign * drop, mirrored, spread, theta) - 0.5

    if surplus(low) >= 0 or surplus(high) < 0:
        return None
    return sign * crossing(surplus, low, high, tolerance=1e-4 * error)


def _as_extreme(seen: float, regions: Sequence[Region], spread: float, theta: float) -> float:
    """Return the probability, at the drop ``theta``, of stopping above earlier, or of ``seen`` and more at the last.

    Time is information as a share of the last look's, on which the paths have the standard deviation √t.
    """
    last = regions[-1].n
    unit = math.sqrt(last) / spread
    going, total, drift = start(), 0.0, theta * unit
    for region in regions[:-1]:
        time = region.n / last
        low, high = region.low * time * unit, region.high * time * unit
        total += above(going, max(low, high), time, drift)
        going = advance(going, low, high, time, drift)
        if not going.mass.any():
            return total
    return total + above(going, seen * unit, 1.0, drift)
