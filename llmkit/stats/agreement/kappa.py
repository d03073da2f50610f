"""Kappa: Cohen's of two raters, plain and weighted, with an interval; Fleiss' and Randolph's of several."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from llmkit.stats.agreement.categories import Floats, Weights, checked_counts, nearness
from llmkit.stats.proportion import clopper_pearson
from llmkit.stats.quantiles import z_of
from llmkit.types import Interval

_NOTHING = 1e-15
"""A variance or a chance disagreement up to this is 0, missed by rounding."""


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa of two raters.

    Attributes:
        value: 1 for perfect agreement, 0 for as much as chance would bring; may be negative.
        se: Standard error.
        se0: Standard error where the true kappa is 0.
        z: ``value / se0``, the test of no agreement beyond chance; None where ``se0`` is 0.
        interval: Of ``value``; None where the standard error is 0 though agreement is not perfect.
        most: The largest kappa that the two raters' own shares of the categories allow.
        observed: Share of agreement seen (weighted, where weights are).
        expected: Share of agreement expected by chance.
        n: Items; effective ones to the nearest whole number.
    """

    value: float
    se: float
    se0: float
    z: float | None
    interval: Interval | None
    most: float
    observed: float
    expected: float
    n: int


def cohen_kappa(
    table: ArrayLike,
    weights: Weights = "identity",
    *,
    scores: ArrayLike | None = None,
    confidence: float = 0.95,
    effective: bool = False,
) -> Kappa | None:
    """Return (p_o − p_e)/(1 − p_e) (Cohen, Educ. Psychol. Meas. 20, 1960; weighted: Psychol. Bull. 70, 1968).

    Standard errors by Fleiss, Cohen and Everitt (Psychol. Bull. 72, 1969, eq. 8 and 9), interval normal and kept within
    [−1, 1]. Perfect agreement has a standard error of 0, which is not certainty: the lower bound is then
    1 − u/(1 − p_e), u the Clopper–Pearson bound of the share of disagreement, each taken to be as bad as can be.

    Args:
        table: Counts, shape (categories, categories): the first rater's down, the second's across.
        weights: How far near categories count as agreement.
        scores: Where the categories lie, for weights; evenly spaced where it is not said.
        confidence: Of the interval, two-sided.
        effective: Whether the counts may be fractions, of items that are not independent or carry weights.

    Returns:
        None where both raters only ever used one and the same category: chance alone is then perfect agreement.

    Raises:
        ValueError: For what is no square table of counts, or an empty one.
    """
    counts = checked_counts(table, effective=effective)
    n = float(counts.sum())
    if counts.shape[0] != counts.shape[1] or n == 0:
        raise ValueError(f"kappa needs a square table that is not empty, not {counts.shape} with {n:g} items")
    near = nearness(len(counts), weights, scores)
    p = counts / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((near * p).sum()), float(rows @ near @ columns)
    room = 1 - expected
    if room <= _NOTHING:
        return None
    value = (observed - expected) / room
    typical = (near @ columns)[:, None] + rows @ near
    spread = float((p * (near - typical * (1 - value)) ** 2).sum()) - (value - expected * (1 - value)) ** 2
    spread0 = float((np.outer(rows, columns) * (near - typical) ** 2).sum()) - expected**2
    se, se0 = _root(spread, n, room), _root(spread0, n, room)
    perfect = not (p * (1 - np.eye(len(p)))).any()
    return Kappa(
        value=1.0 if perfect else value,
        se=se,
        se0=se0,
        z=value / se0 if se0 else None,
        interval=_perfect(n, room, confidence) if perfect else _normal(value, se, confidence),
        most=(float((near * _alike(rows, columns, weights, scores)).sum()) - expected) / room,
        observed=observed,
        expected=expected,
        n=round(n),
    )


def fleiss_kappa(counts: ArrayLike) -> float | None:
    """Return Fleiss' kappa of several raters (Psychol. Bull. 76, 1971): chance as the categories' overall shares.

    Args:
        counts: How many raters put each item into each category, shape (items, categories).

    Returns:
        None where only one category was ever used.

    Raises:
        ValueError: Unless every item has the same number of raters, two or more.
    """
    values = _even(counts)
    shares = values.sum(axis=0) / values.sum()
    return _beyond(_pairs_agreeing(values), float(shares @ shares))


def randolph_kappa(counts: ArrayLike) -> float | None:
    """Return Randolph's free-marginal kappa (2005): chance as 1/q for q categories, the unused ones included.

    Arguments as in :func:`fleiss_kappa`; None for one category.
    """
    values = _even(counts)
    return _beyond(_pairs_agreeing(values), 1 / values.shape[1])


def _root(spread: float, n: float, room: float) -> float:
    return math.sqrt(spread / n) / room if spread > _NOTHING else 0.0


def _normal(value: float, se: float, confidence: float) -> Interval | None:
    if not se:
        return None
    half = z_of(confidence) * se
    return Interval(max(-1.0, value - half), min(1.0, value + half), "fleiss-cohen-everitt", confidence)


def _perfect(n: float, room: float, confidence: float) -> Interval:
    unseen = 1 - clopper_pearson(n, n, confidence).low
    return Interval(max(-1.0, 1 - unseen / room), 1.0, "no-disagreement-exact", confidence)


def _alike(rows: Floats, columns: Floats, weights: Weights, scores: ArrayLike | None) -> Floats:
    """Return the joint shares with these margins that agree most.

    Plain: all that both have in common on the diagonal; the rest is nowhere agreement, so it need not be placed.
    Weighted: lowest with lowest, and so on up, which is best for every cost that is convex in the distance.
    """
    if weights == "identity":
        return np.diag(np.minimum(rows, columns))
    order = np.arange(len(rows)) if scores is None else np.argsort(np.asarray(scores, dtype=np.float64))
    upto = np.minimum.outer(np.cumsum(rows[order]), np.cumsum(columns[order]))
    joint = np.diff(np.diff(upto, axis=0, prepend=0), axis=1, prepend=0)
    back = np.argsort(order)
    return np.asarray(joint[np.ix_(back, back)])


def _even(counts: ArrayLike) -> Floats:
    values = checked_counts(counts)
    raters = values.sum(axis=1)
    if raters.min() != raters.max() or raters[0] < 2:
        raise ValueError(
            f"this kappa needs the same number of raters for every item, two or more, not {raters.min():.0f} to "
            f"{raters.max():.0f}; Krippendorff's alpha and Gwet's AC1 do with missing ratings"
        )
    return values


def _pairs_agreeing(values: Floats) -> float:
    """Return the share of pairs of raters that agree, averaged over items."""
    raters = values[0].sum()
    return float(((values**2).sum(axis=1) - raters).mean() / (raters * (raters - 1)))


def _beyond(observed: float, expected: float) -> float | None:
    return (observed - expected) / (1 - expected) if 1 - expected > _NOTHING else None
