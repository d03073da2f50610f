"""The true mean of grades, choices or preferences in the population that the labels were drawn from at random."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from llmkit.stats.correction.counts import Corrected
from llmkit.stats.quantiles import z_of
from llmkit.types import Interval


def post_stratified_mean(
    table: ArrayLike, values: ArrayLike, verdicts: ArrayLike, confidence: float = 0.95
) -> Corrected:
    """Return Σ_j q_j·μ_j: the labels' mean within each verdict, weighted by how many have that verdict.

    :func:`llmkit.stats.correction.post_stratified.post_stratified` for labels of any values (W. G. Cochran, Sampling
    Techniques, 3rd ed., 1977, section 5A.9), and the same number for two. Two labels of the least value and two of
    the largest are added, spread evenly over the verdicts, and z² verdicts likewise: with one of each added to every
    verdict, or one to every cell, the more verdicts there are the more the mean is drawn to the middle, and of five
    grades that crowd at one end it covered 0 to .7. The standard error is the delta method's. It holds for any judge,
    but only where the labels are a random sample of the scored items.

    Args:
        table: Shape (labels, verdicts): labelled items by label and verdict.
        values: Shape (labels,): what each label is worth.
        verdicts: Shape (verdicts,): the verdicts on the items without a label.
        confidence: Two-sided.

    Raises:
        ValueError: For shapes that do not fit, counts that are negative or not finite, values that are not finite or
            all alike, and without labels.
    """
    cells, worth, others = (np.asarray(given, dtype=np.float64) for given in (table, values, verdicts))
    if cells.ndim != 2 or cells.shape != (*worth.shape, *others.shape):
        raise ValueError(f"a table has a row a label and a column a verdict, not {cells.shape}")
    if not (np.isfinite(cells).all() and np.isfinite(others).all() and min(cells.min(), others.min()) >= 0):
        raise ValueError("counts of labels and verdicts are finite and not negative")
    if not np.isfinite(worth).all() or not worth.max() > worth.min():
        raise ValueError("labels are worth finite numbers, two different ones at least")
    if not cells.any():
        raise ValueError("a correction needs labels: there are none")
    z = z_of(confidence)
    least, most = worth == worth.min(), worth == worth.max()
    ends = least / least.sum() + most / most.sum()
    added = cells + ends[:, None] * (2 / len(others))
    sizes = added.sum(axis=0)
    shares = added / sizes
    means = worth @ shares
    spreads = np.maximum(worth**2 @ shares - means**2, 0.0)
    total = others.sum() + cells.sum() + z * z
    q = (others + cells.sum(axis=0) + z * z / len(others)) / total
    value = float(q @ means)
    se = math.sqrt(max(float(q @ means**2) - value**2, 0.0) / total + float(q**2 @ (spreads / sizes)))
    low, high = float(worth.min()), float(worth.max())
    interval = Interval(max(low, value - z * se), min(high, value + z * se), "post-stratified", confidence)
    return Corrected(value, interval, se)
