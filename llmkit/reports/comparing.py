"""The words and figures of a comparison, whatever they are written in."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from llmkit.comparisons import AmountDifference, Comparison, MetricDifference, Side
from llmkit.reports.numbers import MOST_DECIMALS, UNKNOWN, count, decimals, dollars, duration, figure
from llmkit.types import Interval

NO_DIFFERENCE = "no difference shown"
_WHAT = {"cost_usd": "cost", "output_tokens": "output tokens", "latency_s": "latency"}
_LEAST_P = 0.0001


def direction(metric: MetricDifference, confidence: float) -> int:
    """Return 1 where b is shown to be better, −1 where worse, else 0.

    Shown is what both the interval and the test say; of slices, the test as adjusted over all of them.
    """
    p_value = metric.p_value if metric.p_adjusted is None else metric.p_adjusted
    interval = metric.interval
    # A p-value equal to the level but for rounding shows it: 1 − 0.95 is a little above 0.05.
    if interval is None or p_value is None or p_value > 1 - confidence or interval.low <= 0 <= interval.high:
        return 0
    return 1 if (interval.low > 0) == metric.higher_is_better else -1


def verdict(metric: MetricDifference, confidence: float) -> str:
    """Return what is shown, in words that need no colour."""
    if metric.unknown is not None:
        return f"{UNKNOWN}: {metric.unknown}"
    if not metric.n:
        return "no pair is scored on both sides"
    if metric.difference is None:
        return "no value"
    return {1: "▲ b is better", -1: "▼ b is worse", 0: NO_DIFFERENCE}[direction(metric, confidence)]


def values(metric: MetricDifference) -> str:
    """Write both sides: ``0.80 → 0.78``."""
    digits = _digits(metric.b or metric.a or 0.0, metric.interval)
    return " → ".join(UNKNOWN if side is None else figure(side, digits) for side in (metric.a, metric.b))


def change(metric: MetricDifference) -> str:
    """Write b − a with its interval: ``-0.022 [-0.034, -0.011]``."""
    return moved(metric.difference, metric.interval, metric.b or metric.a or 0.0)


def moved(difference: float | None, interval: Interval | None, figure_of: float) -> str:
    """Write a difference with its interval, one decimal finer than the figure that it is of."""
    if difference is None:
        return UNKNOWN
    digits = _digits(figure_of, interval)
    shown = _signed(difference, digits)
    if interval is None:
        return f"{shown} [no interval]"
    return f"{shown} [{_signed(interval.low, digits)}, {_signed(interval.high, digits)}]"


def test(metric: MetricDifference) -> str:
    """Write the p-value and where it comes from: ``p 0.012 (mcnemar-exact)``, of a slice also Holm's."""
    return tested(metric.p_value, metric.test, metric.p_adjusted)


def tested(p_value: float | None, by: str | None, adjusted: float | None = None) -> str:
    """Write a p-value, and what gave it."""
    if p_value is None:
        return "no p-value"
    said = f"p {probability(p_value)}"
    if adjusted is not None:
        said += f", {probability(adjusted)} by Holm"
    return f"{said} ({by})"


def tally(metric: MetricDifference) -> str:
    """Write how many samples b won and lost, and what does not count."""
    parts = [
        f"b won {count(metric.won)}, lost {count(metric.lost)}, tied {count(metric.tied)}",
        f"n={count(metric.n)}" + ("" if metric.clusters is None else f" in {count(metric.clusters)} clusters"),
    ]
    if metric.failed_a or metric.failed_b:
        parts.append(f"failed {count(metric.failed_a)} in a, {count(metric.failed_b)} in b: left out on both sides")
    return " · ".join(parts)


def probability(p: float) -> str:
    """Write a p-value with two digits that count."""
    if p < _LEAST_P:
        return f"<{_LEAST_P}"
    return f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def amount_name(amount: AmountDifference) -> str:
    """Return ``cost, mean``."""
    return f"{_WHAT.get(amount.name, amount.name)}, {amount.statistic}"


def amount_values(amount: AmountDifference) -> str:
    """Write both sides in the amount's unit, or why they are unknown."""
    if amount.a is None or amount.b is None:
        return f"{UNKNOWN}: {amount.unknown}" if amount.unknown else UNKNOWN
    return " → ".join(_unit(amount.name, side) for side in (amount.a, amount.b))


def amount_ratio(amount: AmountDifference) -> str:
    """Write b / a with its interval: ``× 0.75 [0.71, 0.79]``; nothing where there is none."""
    if amount.ratio is None:
        return ""
    digits = decimals(amount.ratio, amount.interval)
    if amount.interval is None:
        return f"× {figure(amount.ratio, digits)}"
    low, high = figure(amount.interval.low, digits), figure(amount.interval.high, digits)
    return f"× {figure(amount.ratio, digits)} [{low}, {high}]"


def pairs(comparison: Comparison) -> str:
    """Write how many pairs there are, and what has no partner."""
    parts = [f"{count(comparison.pairs)} pairs of sample and epoch"]
    parts += [f"{count(n)} in {side} alone" for side, n in (("a", comparison.only_a), ("b", comparison.only_b)) if n]
    return " · ".join(parts)


def signatures(metric: MetricDifference, comparison: Comparison) -> Iterator[str]:
    """Write what decides a metric's figures: side a's scorer where it is another, side b's, and the method."""
    how = f"|ci:{metric.interval.method if metric.interval else 'none'}|test:{metric.test or 'none'}"
    how += f"|seed:{comparison.seed}"
    if metric.signature_a is not None:
        yield f"{metric.signature_a}{how} (a)"
        yield f"{metric.signature}{how} (b)"
    else:
        yield f"{metric.signature}{how}"


def flips_title(comparison: Comparison) -> str:
    """Say in what samples flipped, how many, and which are shown."""
    shown = comparison.flips
    losses = sum(1 for flip in shown if flip.change < 0)
    parts = [f"the {_several(losses, 'worst loss', 'worst losses')}"] if losses else []
    gains = len(shown) - losses
    parts += [f"the {_several(gains, 'greatest gain', 'greatest gains')}"] if gains else []
    differ = "1 sample differs" if comparison.flipped == 1 else f"{count(comparison.flipped)} samples differ"
    return f"Flipped in {shown[0].metric}: {differ}; {', then '.join(parts)}"


def commands(comparison: Comparison) -> list[str]:
    """Return the commands that show the first flip in full on each side that the store holds."""
    sides: list[Side] = [side for side in (comparison.a, comparison.b) if side.stored]
    if not comparison.flips:
        return []
    sample = shlex.quote(comparison.flips[0].sample_id)
    return [f"llmkit runs show {shlex.quote(side.run_id)} --sample {sample}" for side in sides]


def _several(number: int, one: str, more: str) -> str:
    return one if number == 1 else f"{count(number)} {more}"


def _digits(figure_of: float, interval: Interval | None) -> int:
    """Return one decimal more than a run's figures have, and as many as show that a bound is not 0."""
    digits = decimals(figure_of, interval) + 1
    bounds = (interval.low, interval.high) if interval else ()
    while digits < MOST_DECIMALS and any(bound and not figure(bound, digits).strip("-0.,") for bound in bounds):
        digits += 1
    return min(digits, MOST_DECIMALS)


def _signed(value: float, digits: int) -> str:
    shown = figure(value, digits)
    return f"+{shown}" if value > 0 and shown.strip("0.,") else shown


def _unit(name: str, value: float) -> str:
    if name == "cost_usd":
        return dollars(value)
    return duration(value) if name == "latency_s" else figure(value, 1)
