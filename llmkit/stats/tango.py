"""The score interval of a difference between two paired proportions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.quantiles import z_of
from llmkit.types import Interval

Floats = NDArray[np.float64]

_HALVINGS = 50


def tango(won: float, lost: float, n: float, confidence: float = 0.95) -> Interval:
    """Return Tango's score interval of P(won) − P(lost) among ``n`` pairs (T. Tango, Stat. Med. 17, 1998).

    The differences that the score test does not reject. Where no pair differs it is ± z²/(n + z²): two runs with
    equal answers on a few samples are not proven equal.

    Raises:
        ValueError: Unless ``n`` > 0, counts are not negative and ``won`` + ``lost`` ≤ ``n``.
    """
    if not (n > 0 and won >= 0 and lost >= 0 and won + lost <= n):
        raise ValueError(f"pairs need won, lost ≥ 0 and won + lost ≤ n, not won={won}, lost={lost}, n={n}")
    low, high = tango_bounds(np.array(won, dtype=float), np.array(lost, dtype=float), n, z_of(confidence))
    return Interval(float(low), float(high), "tango", confidence)


def tango_bounds(won: Floats, lost: Floats, n: float, z: float) -> tuple[Floats, Floats]:
    """Return both bounds for arrays of counts; the score falls with the difference, so that halving finds them."""
    seen = (won - lost) / n
    inside = np.stack([seen, seen])
    outside = np.stack([np.full_like(seen, -1.0), np.full_like(seen, 1.0)])
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        kept = _distance(won, lost, n, middle) <= z * z
        inside, outside = np.where(kept, middle, inside), np.where(kept, outside, middle)
    return inside[0], inside[1]


def _distance(won: Floats, lost: Floats, n: float, difference: Floats) -> Floats:
    """Return the squared score, with P(lost) at its most likely under ``difference`` (Tango 1998, eq. 6)."""
    b = -won - lost + (2 * n - won + lost) * difference
    c = -lost * difference * (1 - difference)
    q = (np.sqrt(np.maximum(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * q + difference * (1 - difference))
    far = won - lost - n * difference
    return np.where(variance > 0, far * far / np.where(variance > 0, variance, 1.0), np.where(far == 0, 0.0, np.inf))
