"""How large a drop of a binary metric is ruled out: Tango's score test with a quarter of a loss added."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.quantiles import normal_cdf
from llmkit.stats.sequential.roots import crossing

Floats = NDArray[np.float64]

QUARTER = 0.25
"""Losses added. Without them the score test errs in up to 6.8 % where all that differs is lost; with them in 5.02 %."""


def tango_z(losses: float, gains: float, n: float, margin: float, w: float = QUARTER) -> float:
    """Return the score statistic of "the drop is ``margin``" against less (Tango, Statistics in Medicine 17, 1998).

    The variance is that of the multinomial constrained to the margin, so that no discordant pair is no division by 0.

    Args:
        losses: Pairs on which head alone is wrong.
        gains: Pairs on which base alone is wrong.
        n: All pairs.
        margin: In (−1, 1); below 0 it is a gain.
        w: Losses added before anything else.
    """
    return float(tango_scores(np.array(float(losses)), np.array(float(gains)), n, margin, w))


def tango_scores(losses: Floats, gains: Floats, n: float, margin: float, w: float = QUARTER) -> Floats:
    """Return :func:`tango_z` for many counts at once."""
    lost = losses + w
    linear = -lost - gains + (2 * n - lost + gains) * margin
    constant = -gains * margin * (1 - margin)
    root = np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0.0))
    gain_rate = np.maximum((root - linear) / (4 * n), max(0.0, -margin))
    variance = n * (2 * gain_rate + margin * (1 - margin))
    return np.asarray((gains - lost + n * margin) / np.sqrt(np.maximum(variance, 1e-300)))


def tango_bound(losses: float, gains: float, n: float, z: float, w: float = QUARTER) -> float:
    """Return the drop above which every margin has a statistic of at least ``z``; 1 where none has."""
    if not n or math.isinf(z):
        return 1.0
    low = max(-1.0 + 1e-9, (losses - gains) / n - 1e-12)
    return crossing(lambda margin: tango_z(losses, gains, n, margin, w) - z, low, 1.0 - 1e-12)


def least_margin(n: int, z: float) -> float:
    """Return the smallest margin m that ``n`` pairs can rule out: (1 − m)ⁿ = 1 − Φ(z), the zero-loss test."""
    if not n or math.isinf(z):
        return 1.0
    return -math.expm1(math.log(normal_cdf(-z)) / n)
