"""The recursion of Armitage, McPherson and Rowe (JRSS A 132, 1969): a Brownian path that is looked at and may stop."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP = 0.01  # of the grid, on the scale where the whole trial's information is 1
REACH = 8.0  # standard deviations that the grid covers
_LEAST = 4e-4  # information between two looks below which the grid cannot tell them apart
_ROOT_2 = math.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class Going:
    """The paths that have not stopped: their sub-density times the Simpson weights, on a grid.

    Attributes:
        time: Information so far.
        x: Where the paths are, shape (g,).
        mass: What lies there, shape (g,); it sums to the probability of not having stopped.
    """

    time: float
    x: Floats
    mass: Floats


def start() -> Going:
    """Return all paths at 0 before any information."""
    return Going(0.0, np.zeros(1), np.ones(1))


def above(going: Going, bound: float, time: float, drift: float = 0.0) -> float:
    """Return the probability of going on until ``time`` and then being above ``bound``."""
    passed = _passed(going, time)
    return float(going.mass @ upper_tail((bound - going.x - drift * passed) / math.sqrt(passed)))


def advance(going: Going, low: float, high: float, time: float, drift: float = 0.0, *, width: float = STEP) -> Going:
    """Return the paths that are within (``low``, ``high``) at ``time``; the others stop.

    The grid, of steps of ``width``, ends at the bounds, or Simpson's rule loses the third decimal.
    """
    passed = _passed(going, time)
    spread = math.sqrt(passed)
    centre, reach = drift * (going.time + passed), REACH * math.sqrt(going.time + passed)
    low, high = max(low, centre - reach), min(high, centre + reach)
    if not high > low:
        return Going(going.time + passed, np.zeros(1), np.zeros(1))
    step = min(width, spread / 4)
    halves = max(4, math.ceil((high - low) / (2 * step)))
    grid = np.linspace(low, high, 2 * halves + 1)
    weights = np.full(len(grid), 2.0)
    weights[1::2], weights[0], weights[-1] = 4.0, 1.0, 1.0
    weights *= (high - low) / (6 * halves)
    distance = (grid[:, None] - going.x[None, :] - drift * passed) / spread
    density = np.exp(-0.5 * distance**2) @ going.mass / (spread * math.sqrt(2 * math.pi))
    return Going(going.time + passed, grid, weights * density)


def upper_tail(z: Floats) -> Floats:
    """Return 1 − Φ(z), element by element; numpy has no erfc."""
    flat = [0.5 * math.erfc(value / _ROOT_2) for value in np.ravel(z)]
    return np.array(flat).reshape(np.shape(z))


def _passed(going: Going, time: float) -> float:
    return max(time - going.time, _LEAST * (going.time > 0), 1e-12)
