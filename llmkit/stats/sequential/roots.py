"""Where a monotone function meets a value."""

from __future__ import annotations

from collections.abc import Callable

_STEPS = 200


def crossing(function: Callable[[float], float], low: float, high: float, *, tolerance: float = 1e-10) -> float:
    """Return the point of [``low``, ``high``] at which ``function`` turns from negative to positive, by bisection.

    The end at which it already is, or never becomes, positive is returned where the sign does not change between them:
    the caller's bracket is the range that an answer may have.
    """
    if function(low) >= 0:
        return low
    if function(high) < 0:
        return high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if high - low <= tolerance or not low < middle < high:
            break
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return (low + high) / 2
