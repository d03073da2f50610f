"""Acceptance by an exact bound: how many of n must be right to show a rate, how often they are, how many it takes."""

from __future__ import annotations

from llmkit.stats.proportion import binomial_tail

MOST = 100_000
"""More items than anybody labels: beyond, the answer is that no number would do."""
_SCANNED = 2_048


def least_right(n: int, bound: float, confidence: float = 0.95) -> int | None:
    """Return how many of ``n`` must be right for the lower bound to reach ``bound``: for .80 14 of 14, or 45 of 50.

    None where even all of them do not reach it.
    """
    if n < 1 or binomial_tail(n, n, bound) > 1 - confidence:
        return None
    low, high = 0, n  # the tail above ``low`` is too likely, that above ``high`` is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if binomial_tail(middle, n, bound) <= 1 - confidence else (middle, high)
    return high


def chance(n: int, bound: float, rate: float, confidence: float = 0.95) -> float:
    """Return how often ``n`` items show that a rate is at least ``bound``, where it truly is ``rate``."""
    wanted = least_right(n, bound, confidence)
    if wanted is None:
        return 0.0
    return 1.0 if rate >= 1 else binomial_tail(wanted, n, rate)


def trials_needed(bound: float, rate: float, confidence: float = 0.95, power: float = 0.8) -> int | None:
    """Return the fewest items that show a rate of at least ``bound`` with the given power, where it truly is ``rate``.

    The power goes up in a sawtooth: this is the first number that reaches it (above 2,048 the first that bisection
    finds). None where none up to 100,000 does, and so wherever ``rate`` does not exceed ``bound``.
    """
    if rate <= bound:
        return None
    high = 1
    while chance(high, bound, rate, confidence) < power:
        high *= 2
        if high > MOST:
            return None
    if high <= _SCANNED:
        start = max(1, high // 4)  # of a sawtooth the number before the last doubling may reach it, too
        return next(n for n in range(start, high + 1) if chance(n, bound, rate, confidence) >= power)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle, bound, rate, confidence) >= power else (middle, high)
    return high
