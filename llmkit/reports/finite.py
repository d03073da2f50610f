"""Numbers for JSON, which holds neither NaN nor infinities: what cannot be written is null."""

from __future__ import annotations

import math

from llmkit.types import Interval


def finite(value: float | None) -> float | None:
    """Return ``value``; None where JSON cannot hold it."""
    return value if value is not None and math.isfinite(value) else None


def bounds(interval: Interval | None) -> tuple[float, float] | None:
    """Return both ends; None where there is no interval, or an end that JSON cannot hold."""
    if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return None
    return interval.low, interval.high
