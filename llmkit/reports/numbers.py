"""How numbers are written. What is not known is written ``unknown``, never 0."""

from __future__ import annotations

import math

from llmkit.types import Interval, MetricResult

UNKNOWN = "unknown"
MOST_DECIMALS = 6
_LEAST_DOLLARS = 0.0001


def decimals(value: float, interval: Interval | None) -> int:
    """Return the decimals that are worth printing: rounding moves a bound by at most ¼ of the interval's half width.

    At least two for figures below 10 and one above, as people write rates (0.82) and BLEU (31.2).
    """
    least = 2 if abs(value) < 10 else 1
    if interval is None:
        return least + 1
    half = (interval.high - interval.low) / 2
    if not (half > 0 and math.isfinite(half)):
        return least + 1
    return min(MOST_DECIMALS, max(least, math.ceil(-math.log10(half / 2) - 1e-9)))


def estimate(metric: MetricResult) -> str:
    """Write a metric with its interval: ``0.82 [0.75, 0.87]``; ``no value`` where nothing was scored."""
    if metric.value is None:
        return "no value"
    digits = decimals(metric.value, metric.interval)
    if metric.interval is None:
        return f"{figure(metric.value, digits)} [no interval]"
    low, high = figure(metric.interval.low, digits), figure(metric.interval.high, digits)
    return f"{figure(metric.value, digits)} [{low}, {high}]"


def second_reading(metric: MetricResult) -> str | None:
    """Write the failures and the metric with each counted as wrong; None where nothing failed."""
    if not metric.failed:
        return None
    failed = failures(metric)
    if metric.value_failures_wrong is None:
        return f"{failed}: {UNKNOWN} if wrong"
    interval = metric.interval_failures_wrong
    digits = decimals(metric.value_failures_wrong, interval or metric.interval)
    said = f"{failed}: {figure(metric.value_failures_wrong, digits)}"
    if interval is not None:
        said += f" [{figure(interval.low, digits)}, {figure(interval.high, digits)}]"
    return f"{said} if wrong"


def failures(metric: MetricResult) -> str:
    """Write how many samples failed, and apart how many prompts were too long: ``1 failed + 2 overflowed``."""
    parts = [(metric.failed - metric.overflowed, "failed"), (metric.overflowed, "overflowed")]
    return " + ".join(f"{count(number)} {what}" for number, what in parts if number)


def counted(number: int, what: str) -> str:
    """Write how many there are: ``1 answer``, ``1,200 answers``."""
    return f"{count(number)} {what}{'' if number == 1 else 's'}"


def figure(value: float, digits: int) -> str:
    """Write a number with so many decimals, and no negative zero."""
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def dollars(amount: float | None) -> str:
    """Write an amount: ``$0.0123``, ``$12.34``, ``<$0.0001``, ``$0``, ``unknown``."""
    if amount is None:
        return UNKNOWN
    if amount == 0:
        return "$0"
    if amount < _LEAST_DOLLARS:
        return f"<${_LEAST_DOLLARS}"
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"


def duration(seconds: float) -> str:
    """Write a time: ``850 ms``, ``41.2 s``, ``3 min 05 s``, ``2 h 03 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"


def count(number: int | None) -> str:
    """Write a count with its thousands apart; ``unknown`` for None."""
    return UNKNOWN if number is None else f"{number:,}"
