"""Ratios of two paired samples' means and quantiles, with bootstrap intervals: costs, tokens, seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.bootstrap import bca, jackknife, percentile
from llmkit.types import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 1_000
"""Of quantiles, each of which needs a pass over all rows; the 2.5 % bound then rests on 25 of them."""
MOST_RESAMPLED = 20_000
"""Rows up to which all that is drawn; above, the jackknife stands in for a mean, and quantiles have fewer resamples."""
FEWER = 250

_CELLS = 500_000  # counts held at a time: 2 MB, which a processor's cache nearly holds
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
    table = np.stack([a, b], axis=1)
    if len(table) > MOST_RESAMPLED:
        return jackknife(table, _ratio, confidence=confidence, clusters=clusters)
    return bca(table, _ratio, confidence=confidence, seed=seed, clusters=clusters)


def rate_ratio(
    a: tuple[Floats, Floats],
    b: tuple[Floats, Floats],
    clusters: Ints | None = None,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval | None:
    """Return the paired bootstrap (BCa) interval of b's rate over a's, each ``sum(amount) / sum(time)``.

    Args:
        a: Amounts and times, each of shape (n,); positive or zero.
        b: The same rows on the other side.
        clusters: Shape (n,), a number a cluster; then clusters are drawn, not rows.
        confidence: Two-sided.
        seed: Of the random numbers. The order of the rows changes nothing.
    """
    table = np.stack([*a, *b], axis=1)
    order = np.lexsort((*table.T, *(() if clusters is None else (clusters,))))
    table, of = table[order], None if clusters is None else clusters[order]
    if len(table) > MOST_RESAMPLED:
        return jackknife(table, _rates, confidence=confidence, clusters=of)
    return bca(table, _rates, confidence=confidence, seed=seed, clusters=of)


def quantile_ratios(
    a: Floats,
    b: Floats,
    shares: Sequence[float],
    clusters: Ints | None = None,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[Interval | None]:
    """Return the paired bootstrap interval (percentile, Efron 1979) of each of b's quantiles over a's.

    BCa is of no use here: the jackknife says nothing of a quantile (Efron and Tibshirani 1993, §11.6). None for
    fewer than two units, where a's quantile may be 0, and where all resamples agree.

    Args:
        a: Shape (n,), positive or zero.
        b: The same rows on the other side.
        shares: Each in (0, 1); 0.5 is the median.
        clusters: Shape (n,), a number a cluster; then clusters are drawn, not rows.
        confidence: Two-sided.
        seed: Of the random numbers. The order of the rows changes nothing.
    """
    a, b, clusters = _ordered(a, b, clusters)
    units = np.arange(len(a)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    if len(units) < 2 or units.max() < 1:
        return [None for _ in shares]
    drawn = _quantiles((a, b), shares, units, seed)
    return [_interval(one, confidence) for one in drawn]


def _interval(drawn: Floats, confidence: float) -> Interval | None:
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


def _quantiles(sides: tuple[Floats, Floats], shares: Sequence[float], units: Ints, seed: int) -> Floats:
    """Return each share's quantile of each resample on both sides, shape (shares, resamples, 2)."""
    random = np.random.default_rng(seed)
    rows, count = len(units), int(units.max()) + 1
    resamples = RESAMPLES if rows <= MOST_RESAMPLED else FEWER
    found = np.empty((len(shares), resamples, 2))
    # A resample's quantile stands where its rows, counted along the sorted values, reach the share.
    ordered = [(values[order], units[order]) for values in sides for order in (np.argsort(values, kind="stable"),)]
    chunk = max(1, _CELLS // rows)
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        drawn = random.integers(0, count, size=(size, count)) + np.arange(size)[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).astype(np.int32)
        for side, (values, of) in enumerate(ordered):
            reached = times[:, of].cumsum(axis=1, dtype=np.int32)
            for place, q in enumerate(shares):
                wanted = np.maximum(1, np.ceil(q * reached[:, -1] - _EXACT)).astype(np.int32)
                found[place, start : start + size, side] = values[(reached >= wanted[:, None]).argmax(axis=1)]
    return found


def _ratio(totals: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of zeros has no ratio: the interval is None
        return np.asarray(totals[..., 1] / totals[..., 0])


def _rates(totals: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((totals[..., 2] / totals[..., 3]) / (totals[..., 0] / totals[..., 1]))
