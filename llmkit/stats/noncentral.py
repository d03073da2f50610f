"""Student's t around a mean that is not 0: what a t test's power is made of."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NODES = 400
_REACH = 12.0  # standard deviations of the spread's estimate on either side; beyond lies less than 1e-30


def noncentral_t_tail(t: float, df: float, shift: float) -> float:
    """Return P(T > ``t``) for T = (Z + ``shift``) / S, where S² is χ² with ``df`` degrees of freedom, over ``df``.

    ∫ Φ(shift − t·s) f(s) ds over the density f of S, by Gauss and Legendre's rule.

    Raises:
        ValueError: Unless ``df`` > 0.
    """
    if not df > 0:
        raise ValueError(f"degrees of freedom are positive, not {df}")
    width = _REACH / math.sqrt(2 * df)
    low, high = max(0.0, 1 - width), 1 + width
    nodes, weights = _rule()
    s = low + (high - low) * (nodes + 1) / 2
    log_density = (
        math.log(2) + (df / 2) * math.log(df / 2) - math.lgamma(df / 2) + (df - 1) * np.log(s) - df * s * s / 2
    )
    chances = np.array([math.erfc((t * point - shift) / math.sqrt(2)) / 2 for point in s])
    return float((high - low) / 2 * (weights * np.exp(log_density) * chances).sum())


@lru_cache(maxsize=1)
def _rule() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights
