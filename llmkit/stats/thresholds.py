"""Whether a metric clears a bound, as far as its interval can tell."""

from __future__ import annotations

from typing import Literal

from llmkit.types import Interval

Decision = Literal["pass", "fail", "undecided"]


def decide(
    value: float | None,
    interval: Interval | None,
    bound: float,
    *,
    higher_is_better: bool = True,
    point: bool = False,
) -> Decision:
    """Decide ``--min metric=bound``, or ``--max`` for a metric where lower is better.

    A minimum passes when the whole interval lies at or above the bound, fails when it lies below, and is undecided
    where the bound is within: more samples would tell. A value on the bound has met it.

    Args:
        value: The metric; None where no sample was scored, which decides nothing.
        interval: Of the value; without one, only a point comparison can decide.
        bound: The least, or the most, that is good enough.
        higher_is_better: False for ``--max``.
        point: Compare the value alone and ignore its uncertainty (``--min-point``).

    Raises:
        ValueError: For a bound that is not a number.
    """
    if bound != bound:
        raise ValueError("a threshold is a number, not NaN")
    if value is None:
        return "undecided"
    if point:
        met = value >= bound if higher_is_better else value <= bound
        return "pass" if met else "fail"
    if interval is None:
        return "undecided"
    if higher_is_better:
        return _side(interval.low >= bound, interval.high < bound)
    return _side(interval.high <= bound, interval.low > bound)


def agreed(*decisions: Decision) -> Decision:
    """Return what all say, and ``undecided`` where they differ.

    A metric with failures has two readings, without them and with each as a wrong answer; the truth lies between, so
    only what holds of both is known.
    """
    return decisions[0] if len(set(decisions)) == 1 else "undecided"


def _side(met: bool, missed: bool) -> Decision:
    if met:
        return "pass"
    return "fail" if missed else "undecided"
