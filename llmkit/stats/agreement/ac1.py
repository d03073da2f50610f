"""Gwet's AC1 and AC2: agreement that stays meaningful where nearly all items are of one category."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from llmkit.stats.agreement.categories import Floats, Ints, Weights, checked_counts, nearness
from llmkit.stats.quantiles import t_of, t_tail
from llmkit.types import Interval

_NOTHING = 1e-15


@dataclass(frozen=True, slots=True)
class Gwet:
    """Gwet's coefficient: AC1 without weights, AC2 with.

    Attributes:
        value: 1 for perfect agreement, 0 for as much as chance would bring.
        observed: Share of pairs of ratings of one item that agree.
        expected: Share expected by chance.
        se: Standard error over items; None for one item.
        interval: Student's t, kept within [−1, 1]; None where the standard error is 0 or unknown.
        p_value: Two-sided, of no agreement beyond chance; None likewise.
        n: Items with at least one rating.
    """

    value: float
    observed: float
    expected: float
    se: float | None
    interval: Interval | None
    p_value: float | None
    n: int


def gwet(
    counts: ArrayLike,
    weights: Weights = "identity",
    *,
    scores: ArrayLike | None = None,
    times: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Gwet | None:
    """Return Gwet's coefficient (Br. J. Math. Stat. Psychol. 61, 2008; Handbook of Inter-Rater Reliability, 2014).

    Chance agreement is T/(q(q−1))·Σ π(1−π) over the q categories, T the sum of the weights. The variance is of the
    linearised coefficient over items, so items are the sample and the raters are those that they are.

    Args:
        counts: How many raters put each item into each category, shape (items, categories). A category that nobody used
            counts in q.
        weights: How far near categories count as agreement.
        scores: Where the categories lie, for weights; evenly spaced where it is not said.
        times: How many items each row stands for, shape (items,); once each where it is not said. Effective items need
            not be whole.
        confidence: Of the interval, two-sided.

    Returns:
        None where there is one category: no rating could have been another.

    Raises:
        ValueError: Where no item has two ratings.
    """
    values = checked_counts(counts)
    often = np.ones(len(values)) if times is None else np.asarray(times, dtype=np.float64)
    rated = (values.sum(axis=1) > 0) & (often > 0)
    values, often = values[rated], often[rated]
    raters, q, n = values.sum(axis=1), values.shape[1], float(often.sum())
    several = raters >= 2
    if not several.any():
        raise ValueError("agreement needs an item with two ratings")
    if q == 1:
        return None
    near = nearness(q, weights, scores)
    agreeing = (values * (values @ near - 1)).sum(axis=1) / np.where(several, raters * (raters - 1), 1)
    paired = float(often @ several)
    observed = float((often * several) @ agreeing) / paired
    shares = often @ (values / raters[:, None]) / n
    scale = near.sum() / (q * (q - 1))
    expected = float(scale * (shares * (1 - shares)).sum())
    value = (observed - expected) / (1 - expected)
    each = n / paired * np.where(several, agreeing - expected, 0.0) / (1 - expected)
    chance = scale * (values @ (1 - shares)) / raters
    se = _se(each - 2 * (1 - value) * (chance - expected) / (1 - expected), value, often)
    interval, p_value = _judged(value, se, n, confidence)
    return Gwet(value, observed, expected, se, interval, p_value, round(n))


def gwet_of_table(
    table: ArrayLike, weights: Weights = "identity", *, scores: ArrayLike | None = None, confidence: float = 0.95
) -> Gwet | None:
    """Return Gwet's coefficient of two raters from their table, shape (categories, categories).

    The cells may be effective counts. Otherwise as :func:`gwet`.

    Raises:
        ValueError: For what is no square table of counts, or an empty one.
    """
    cells = checked_counts(table, effective=True)
    if cells.shape[0] != cells.shape[1]:
        raise ValueError(f"a table of two raters is square, not {cells.shape}")
    return gwet(_pairs(len(cells)), weights, scores=scores, times=cells.ravel(), confidence=confidence)


def counts_of_table(table: ArrayLike) -> Ints:
    """Return a table of two raters, shape (categories, categories), as counts a item, shape (items, categories).

    Raises:
        ValueError: For what is no square table of counts.
    """
    cells = checked_counts(table)
    if cells.shape[0] != cells.shape[1]:
        raise ValueError(f"a table of two raters is square, not {cells.shape}")
    return np.repeat(_pairs(len(cells)), cells.astype(np.int64).ravel(), axis=0)


def _pairs(count: int) -> Ints:
    """Return the counts of an item in each cell of a table of two raters, shape (count², count)."""
    one = np.eye(count, dtype=np.int64)
    return (one[:, None, :] + one[None, :, :]).reshape(-1, count)


def _se(linearised: Floats, value: float, often: Floats) -> float | None:
    n = float(often.sum())
    return math.sqrt(float(often @ (linearised - value) ** 2) / (n * (n - 1))) if n > 1 else None


def _judged(value: float, se: float | None, n: float, confidence: float) -> tuple[Interval | None, float | None]:
    if se is None or se <= _NOTHING:  # items that are all alike do not say how much others would differ
        return None, None
    half = t_of(confidence, n - 1) * se
    interval = Interval(max(-1.0, value - half), min(1.0, value + half), "gwet-t", confidence)
    return interval, min(1.0, 2 * t_tail(abs(value) / se, n - 1))
