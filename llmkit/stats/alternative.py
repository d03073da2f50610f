"""Which differences a test is against, and the p-value that follows from the two tails."""

from __future__ import annotations

from typing import Literal

Alternative = Literal["two-sided", "greater", "less"]


def of_tails(upper: float, lower: float, alternative: Alternative) -> float:
    """Return the p-value from P(at least as high) and P(at least as low); two-sided is twice the smaller, at most 1.

    Raises:
        ValueError: For an alternative of another name.
    """
    if alternative == "greater":
        return upper
    if alternative == "less":
        return lower
    if alternative == "two-sided":
        return min(1.0, 2 * min(upper, lower))
    raise ValueError(f"an alternative is two-sided, greater or less, not {alternative!r}")
