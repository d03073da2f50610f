"""The score interval of a difference between two paired proportions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.quantiles import z_of
from llmkit.types import Interval

Floats = NDArray[np.float64]

_HALVINGS = 50
_NONE = 1e-300  # no variance: whatever is off is infinitely far off


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
        kept = np.abs(tango_scores(won, lost, n, middle)) <= z
        inside, outside = np.where(kept, middle, inside), np.where(kept, outside, middle)
    return inside[0], inside[1]


def tango_scores(won: Floats, lost: Floats, n: float, difference: Floats | float) -> Floats:
    """Return the score of each ``difference``: how many standard errors more were seen (Tango 1998, eq. 6).

    The variance is that of the multinomial constrained to the difference, with P(lost) at its most likely, so that no
    discordant pair is no division by 0.

    Args:
        won: Pairs that b alone has right; counts need not be whole.
        lost: Pairs that a alone has right.
        n: All pairs.
        difference: P(won) − P(lost), in (−1, 1).
    """
    linear = -won - lost + (2 * n - won + lost) * difference
    constant = -lost * difference * (1 - difference)
    root = np.sqrt(np.maximum(linear * linear - 8 * n * constant, 0.0))
    rate = np.maximum((root - linear) / (4 * n), np.maximum(0.0, -np.asarray(difference)))
    variance = n * (2 * rate + difference * (1 - difference))
    return np.asarray((won - lost - n * difference) / np.sqrt(np.maximum(variance, _NONE)))
