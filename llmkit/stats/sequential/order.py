"""Bounds of a quantile that hold for any distribution: order statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quantile_bounds(values: Floats, quantile: float, error: float) -> tuple[float, float]:
    """Return a lower and an upper bound of the quantile, each wrong with probability ``error`` at most.

    How many of n values lie below the quantile is binomial, whatever the distribution (Thompson 1936; David and
    Nagaraja, Order Statistics, 7.1). −∞ and ∞ where too few values can bound it.
    """
    n, ordered = len(values), np.sort(values)
    below = np.cumsum(_binomial(n, quantile))
    first = int(np.searchsorted(below, error, side="right"))  # values r with P(X ≤ r − 1) ≤ error
    over = 1.0 - below  # P(X ≥ r) = over[r − 1]
    fit = np.flatnonzero(over[:n] <= error)
    low = float(ordered[first - 1]) if first else -np.inf
    high = float(ordered[fit[0]]) if len(fit) else np.inf
    return low, high


def _binomial(n: int, p: float) -> Floats:
    steps = np.log(np.arange(n, 0, -1)) - np.log(np.arange(1, n + 1)) + np.log(p) - np.log1p(-p)
    return np.asarray(np.exp(np.concatenate([[0.0], np.cumsum(steps)]) + n * np.log1p(-p)))
