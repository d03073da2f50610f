"""Before a run: how many samples make a proportion's interval as narrow as wanted, and how narrow so many make it."""

from __future__ import annotations

import math

from llmkit.stats.proportion import wilson
from llmkit.stats.quantiles import z_of

_MOST = 10_000_000


def wald_n(p: float, half: float, confidence: float = 0.95) -> float:
    """Return n = z²·p(1−p)/half², with which p ± z·√(p(1−p)/n) is as narrow as ± ``half``; not rounded up.

    Raises:
        ValueError: Unless 0 ≤ ``p`` ≤ 1 and 0 < ``half``.
    """
    _check(p, half)
    return z_of(confidence) ** 2 * p * (1 - p) / half**2


def wald_half(p: float, n: float, confidence: float = 0.95) -> float:
    """Return half the width of the normal interval: :func:`wald_n` the other way. Near 0 and 1 it is too narrow."""
    _check(p, n)
    return z_of(confidence) * math.sqrt(p * (1 - p) / n)


def wilson_n(p: float, half: float, confidence: float = 0.95) -> int:
    """Return the least n with which Wilson's interval, at the whole count nearest to n·``p``, is ± ``half`` or less.

    Raises:
        ValueError: Unless 0 ≤ ``p`` ≤ 1 and 0 < ``half``, or for an n above ten millions.
    """
    _check(p, half)
    n = 1
    while (width := wilson_half(p, n, confidence)) > half:
        # The width shrinks no faster than 1/n (at p = 0), and the rounding of the count moves it by less than 1/n.
        n = max(n + 1, math.floor(n * (width - 1 / n) / half))
        if n > _MOST:
            raise ValueError(f"an interval of ± {half} needs more than {_MOST:,} samples")
    return n


def wilson_half(p: float, n: int, confidence: float = 0.95) -> float:
    """Return half the width of Wilson's interval at the whole count nearest to n·``p``."""
    _check(p, n)
    interval = wilson(round(p * n), n, confidence)
    return (interval.high - interval.low) / 2


def _check(p: float, positive: float) -> None:
    if not (0 <= p <= 1 and positive > 0):
        raise ValueError(f"a proportion in [0, 1] and something above 0 are needed, not {p}, {positive}")
