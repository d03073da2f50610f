"""Ratios of two paired samples' means and quantiles, with bootstrap intervals: costs, tokens, seconds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.bootstrap import bca, percentile
from llmkit.types import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 1_000
"""Of quantiles, each of which needs a pass over all rows; the 2.5 % bound then rests on 25 of them."""
MOST_RESAMPLED = 100_000
"""Rows up to which a quantile's interval is bootstrapped; above there is none."""

_CELLS = 1_000_000  # counts held at a time: 8 MB
_EXACT = 1e-9  # a share of all rows is reached where only rounding is missing


def quantile(values: Floats, q: float) -> float:
    """Return the smallest of ``values`` that at least the share ``q`` of them does not exceed: the nearest rank.

    Raises:
        ValueError: For no values.
    """
    if not len(values):
        raise ValueError("the quantile of no values is not defined")
    place = max(0, math.ceil(q * len(values) - _EXACT) - 1)
    return float(np.partition(values, place)[place])


def mean_ratio(
    a: Floats, b: Floats, clusters: Ints | None = None, *, confidence: float = 0.95, seed: int = 0
) -> Interval | None:
    """Return the paired bootstrap (BCa) interval of mean(b) / mean(a); None where :func:`bca` has none.

    Args:
        a: Shape (n,), positive or zero.
        b: The same rows on the other side.
        clusters: Shape (n,), a number a cluster; then clusters are drawn, not rows.
        confidence: Two-sided.
        seed: Of the random numbers. The order of the rows changes nothing.
    """
    a, b, clusters = _ordered(a, b, clusters)
    return bca(np.stack([a, b], axis=1), _ratio, confidence=confidence, seed=seed, clusters=clusters)


def quantile_ratio(
    a: Floats, b: Floats, q: float, clusters: Ints | None = None, *, confidence: float = 0.95, seed: int = 0
) -> Interval | None:
    """Return the paired bootstrap interval (percentile, Efron 1979) of b's quantile over a's.

    BCa is of no use here: the jackknife says nothing of a quantile (Efron and Tibshirani 1993, §11.6). None for
    fewer than two units, more than ``MOST_RESAMPLED`` rows, a quantile of 0, or where all resamples agree.

    Arguments as in :func:`mean_ratio`; ``q`` in (0, 1).
    """
    a, b, clusters = _ordered(a, b, clusters)
    units = np.arange(len(a)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    count = int(units.max()) + 1 if len(units) else 0
    if count < 2 or len(a) > MOST_RESAMPLED:
        return None
    drawn = _quantiles(a, b, q, units, count, seed)
    if not (drawn[:, 0] > 0).all():
        return None
    ratios = drawn[:, 1] / drawn[:, 0]
    if np.ptp(ratios) <= 1e-12 * float(ratios.max()):
        return None
    low, high = percentile(ratios, confidence)
    return Interval(low, high, "percentile", confidence)


def _ordered(a: Floats, b: Floats, clusters: Ints | None) -> tuple[Floats, Floats, Ints | None]:
    """Put rows in a canonical order, on which not even the rounding of sums depends then."""
    order = np.lexsort((b, a) if clusters is None else (b, a, clusters))
    return a[order], b[order], None if clusters is None else clusters[order]


def _quantiles(a: Floats, b: Floats, q: float, units: Ints, count: int, seed: int) -> Floats:
    """Return both sides' quantile of each resample, shape (RESAMPLES, 2), by weighting the sorted values."""
    random = np.random.default_rng(seed)
    found = np.empty((RESAMPLES, 2))
    sides = [(values[order], units[order]) for values in (a, b) for order in (np.argsort(values, kind="stable"),)]
    chunk = max(1, _CELLS // len(a))
    for start in range(0, RESAMPLES, chunk):
        size = min(chunk, RESAMPLES - start)
        drawn = random.integers(0, count, size=(size, count)) + np.arange(size)[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        for side, (values, of) in enumerate(sides):
            reached = times[:, of].cumsum(axis=1)
            wanted = np.maximum(1, np.ceil(q * reached[:, -1] - _EXACT))
            found[start : start + size, side] = values[(reached >= wanted[:, None]).argmax(axis=1)]
    return found


def _ratio(totals: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of zeros has no ratio: the interval is None
        return np.asarray(totals[..., 1] / totals[..., 0])
