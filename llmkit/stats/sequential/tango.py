"""How large a drop of a binary metric is ruled out: Tango's score test with a quarter of a loss added."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from llmkit.stats import tango as score
from llmkit.stats.quantiles import normal_cdf
from llmkit.stats.sequential.roots import crossing

Floats = NDArray[np.float64]

QUARTER = 0.25
"""Losses added. Without them the score test errs in up to 6.8 % where all that differs is lost; with them in 5.02 %."""


def tango_z(losses: float, gains: float, n: float, margin: float, w: float = QUARTER) -> float:
    """Return the score statistic of "the drop is ``margin``" against less (Tango, Statistics in Medicine 17, 1998).

    It is the score of :mod:`llmkit.stats.tango` of the losses, its sign turned.

    Args:
        losses: Pairs on which head alone is wrong.
        gains: Pairs on which base alone is wrong.
        n: All pairs.
        margin: In (−1, 1); below 0 it is a gain.
        w: Losses added before anything else.
    """
    return float(tango_scores(np.array(float(losses)), np.array(float(gains)), n, margin, w))


def tango_scores(losses: Floats, gains: Floats, n: float, margin: float | Floats, w: float = QUARTER) -> Floats:
    """Return :func:`tango_z` for many counts at once."""
    return -score.tango_scores(losses + w, gains, n, margin)


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
