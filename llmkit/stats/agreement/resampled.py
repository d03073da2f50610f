"""Intervals of coefficients of several raters, by resampling items: their raters are those that they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from llmkit.stats.agreement.categories import Floats, Ints, checked_counts
from llmkit.stats.bootstrap import bca
from llmkit.types import Interval

RESAMPLES = 2_000
"""Of a coefficient that is shown, and decides nothing: enough for its second decimal."""


def alpha_interval(
    counts: ArrayLike,
    *,
    ordinal: bool = False,
    confidence: float = 0.95,
    seed: int = 0,
    clusters: Ints | None = None,
) -> Interval | None:
    """Return the BCa interval of Krippendorff's alpha, nominal or ordinal.

    An item's share in alpha is its matrix of paired ratings, each pair weighing 1/(m − 1) of its m ratings; alpha is a
    function of their sum (Krippendorff 2011, section C–E).

    Args:
        counts: How many raters put each item into each category, shape (items, categories), in order.
        ordinal: Whether the categories are ordered.
        confidence: Two-sided.
        seed: Of the resampling.
        clusters: Shape (items,), a number a cluster; then clusters are resampled.

    Returns:
        None where resamples show no spread, or some of them no disagreement at all.
    """
    values = checked_counts(counts)
    raters = values.sum(axis=1)
    kept = raters >= 2
    if not kept.any():
        return None
    values, raters = values[kept][:, values[kept].any(axis=0)], raters[kept]
    size = values.shape[1]
    pairs = values[:, :, None] * values[:, None, :]
    diagonal = np.arange(size)
    pairs[:, diagonal, diagonal] -= values
    pairs /= (raters - 1)[:, None, None]

    def alpha(sums: Floats) -> Floats:
        together = sums.reshape(*sums.shape[:-1], size, size)
        total = together.sum(axis=-1)
        middle = np.cumsum(total, axis=-1) - total / 2
        apart = (middle[..., :, None] - middle[..., None, :]) ** 2 if ordinal else 1 - np.eye(size)
        met = (together * apart).sum(axis=(-2, -1))
        expected = (total[..., :, None] * total[..., None, :] * apart).sum(axis=(-2, -1)) / (total.sum(axis=-1) - 1)
        return np.where(expected > 0, 1 - met / np.where(expected > 0, expected, 1), np.nan)

    rows = pairs.reshape(len(values), -1)
    of = None if clusters is None else np.asarray(clusters)[kept]
    return bca(rows, alpha, confidence=confidence, resamples=RESAMPLES, seed=seed, clusters=of)


def fleiss_interval(
    counts: ArrayLike, *, confidence: float = 0.95, seed: int = 0, clusters: Ints | None = None
) -> Interval | None:
    """Return the BCa interval of Fleiss' kappa; arguments as of :func:`alpha_interval`.

    Raises:
        ValueError: Unless every item has the same number of raters, two or more.
    """
    values = checked_counts(counts)
    raters = values.sum(axis=1)
    if raters.min() != raters.max() or raters[0] < 2:
        raise ValueError("Fleiss' kappa needs the same number of raters for every item, two or more")
    agreeing = ((values**2).sum(axis=1) - raters) / (raters * (raters - 1))
    rows = np.column_stack([np.ones(len(values)), agreeing, values])

    def kappa(sums: Floats) -> Floats:
        shares = sums[..., 2:] / sums[..., 2:].sum(axis=-1, keepdims=True)
        expected = (shares**2).sum(axis=-1)
        room = 1 - expected
        return np.where(
            room > 1e-12, (sums[..., 1] / sums[..., 0] - expected) / np.where(room > 1e-12, room, 1), np.nan
        )

    return bca(rows, kappa, confidence=confidence, resamples=RESAMPLES, seed=seed, clusters=clusters)
