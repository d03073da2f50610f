"""Intervals of a paired difference, where most pairs may tie and samples may come in clusters."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.bootstrap import Value, effective_units, left_out, unit_totals
from llmkit.stats.mean import cluster_totals, mean_interval
from llmkit.stats.quantiles import t_of, z_of
from llmkit.stats.tango import tango_bounds
from llmkit.types import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MANY_TIES = 0.2
"""Share of ties from which the score interval stands alone; simulated at 0 to 98 % ties (docs/statistics.md)."""

_ROUNDING = 1e-12
_SYMMETRIC = 1e-6  # below it the correction is lost in rounding


class _Units(NamedTuple):
    """Independent pieces of a difference: samples, or clusters.

    Attributes:
        difference: The whole.
        error: Its standard error, by the jackknife.
        parts: Shape (C,), what each contributes; their mean is the difference, or close to it. 0 where both sides tie.
        effective: Units of equal weight that would weigh as these do.
        tied: Share of units in which both sides tie.
        clustered: Whether units are clusters.
        skewness: Third standardised moment of what units contribute; 0 where it is not corrected for.
    """

    difference: float
    error: float
    parts: Floats
    effective: float
    tied: float
    clustered: bool
    skewness: float = 0.0


def paired_mean_interval(
    differences: Floats,
    clusters: Ints | None = None,
    *,
    confidence: float = 0.95,
    largest: float | None = None,
) -> Interval | None:
    """Return an interval of the mean of paired ``differences``.

    - No pair ties: the paired t interval, corrected for skewness by Hall's transformation (JRSS B 54, 1992). Where a
      few samples fall far below many, t alone errs nearly always on their side: 3 % falling by .9 amid noise of .05
      it covers .90 at n = 100, corrected .93. Without skewness both are the same.
    - From a fifth of ties on: a few pairs hold all that is seen, often all of one sign. The t interval then covers
      .88, because the spread is underestimated together with the mean. Tango's score interval is taken at effective
      counts: with u = Σd²/Σ|d|, Σd⁺/u pairs are won and Σd⁻/u lost, by u each. These have the same mean and the same
      variance as the differences, and where each differs by 0 or ±1 they are the counts.
    - Some ties, but fewer: the wider of the two on each side.
    - All tie: ± ``largest`` · z²/(n + z²), what Tango's interval gives for n equal answers.

    With clusters the units are clusters, the error is the jackknife's, and t has fewer degrees of freedom than there
    are clusters where their sizes differ (:func:`effective_units`). Sizes alone make clusters skewed, so that the
    correction does harm as often as good: it is the wider of t and the corrected one on each side.

    None with fewer than two units, or where no unit differs from another and ``largest`` is not known.

    Args:
        differences: Shape (n,).
        clusters: Shape (n,), a number a cluster.
        confidence: Two-sided.
        largest: What no difference can exceed, where that is known.
    """
    units = _units_of_mean(differences, clusters)
    if units is None:
        return None
    prefix = "" if clusters is None else "cluster-"
    if units.tied == 1:
        return None if largest is None else _all_tied(units.effective, largest, confidence, prefix)
    bounds = None if largest is None else (-largest, largest)
    if units.error <= _ROUNDING * max(1.0, abs(units.difference)):
        return mean_interval(differences, clusters, confidence=confidence, bounds=bounds)
    low, high, form = _chosen(units, confidence, "skew-t")
    return _within(low, high, bounds, f"{prefix}{form}", confidence)


def paired_corpus_interval(
    stats_a: Floats,
    stats_b: Floats,
    value: Value,
    clusters: Ints | None = None,
    *,
    confidence: float = 0.95,
) -> Interval | None:
    """Return an interval of ``value(b) − value(a)``, of the sums of two sides' statistics.

    The forms of :func:`paired_mean_interval`, with the jackknife in the place of t. For a difference it covers better
    than the percentile and the BCa bootstrap (docs/statistics.md): there is little bias or skewness to correct, and
    what they take for it is noise. A unit's part is what the metric changes by when its answers alone are exchanged,
    at one end and at the other, on average.

    None with fewer than two units, without spread, or where the metric has no value once a unit is left out.

    Args:
        stats_a: Sufficient statistics, shape (n, k).
        stats_b: The same samples, in the same order.
        value: Maps sums, shape (..., k), to the metric, shape (...).
        clusters: Shape (n,), a number a cluster.
        confidence: Two-sided.
    """
    units = _units_of_corpus(stats_a, stats_b, value, clusters)
    if units is None or units.error <= _ROUNDING * max(1.0, abs(units.difference)):
        return None
    prefix = "" if clusters is None else "cluster-"
    low, high, form = _chosen(units, confidence, "jackknife")
    return Interval(low, high, f"{prefix}{form}", confidence)


def _units_of_mean(differences: Floats, clusters: Ints | None) -> _Units | None:
    n = len(differences)
    if clusters is None:
        sums, sizes, moving = differences, np.ones(n), differences != 0
    else:
        sums, sizes = cluster_totals(differences, clusters), cluster_totals(np.ones(n), clusters)
        moving = cluster_totals((differences != 0).astype(np.float64), clusters) > 0
    count = len(sums)
    if count < 2:
        return None
    without = (sums.sum() - sums) / (n - sizes)
    parts, mean = sums * (count / n), float(differences.mean())
    tied, clustered = float((~moving).mean()), clusters is not None
    return _Units(mean, _jackknifed(without), parts, effective_units(n, clusters), tied, clustered, _skewness(-without))


def _units_of_corpus(stats_a: Floats, stats_b: Floats, value: Value, clusters: Ints | None) -> _Units | None:
    first, second = np.split(unit_totals(np.concatenate([stats_a, stats_b], axis=1), clusters), 2, axis=1)
    count = len(first)
    if count < 2:
        return None
    start, end, change = first.sum(axis=0), second.sum(axis=0), second - first
    without = left_out(second, value) - left_out(first, value)
    difference = float(value(end) - value(start))
    if not (math.isfinite(difference) and np.isfinite(without).all()):
        return None
    parts = count / 2 * (left_out(-change, value, start) - value(start) + value(end) - left_out(change, value, end))
    moving = (change != 0).any(axis=1)
    parts = np.where(moving & np.isfinite(parts), parts, 0.0)
    tied = float((~moving).mean())
    effective = effective_units(len(stats_a), clusters)
    return _Units(difference, _jackknifed(without), parts, effective, tied, clusters is not None)


def _jackknifed(without: Floats) -> float:
    return math.sqrt((len(without) - 1) * float(np.var(without)))


def _skewness(values: Floats) -> float:
    centred = values - values.mean()
    spread = math.sqrt(float((centred**2).mean()))
    return float(((centred / spread) ** 3).mean()) if spread > 0 else 0.0


def _chosen(units: _Units, confidence: float, plain: str) -> tuple[float, float, str]:
    critical = t_of(confidence, max(1.0, units.effective - 1))
    usual = _usual(units, critical)
    if units.tied == 0 or not units.parts.any():
        return *usual, plain
    low, high = _score(units, critical)
    if units.tied >= MANY_TIES:
        return low, high, "effective-tango"
    return min(low, usual[0]), max(high, usual[1]), f"tango-or-{plain}"


def _usual(units: _Units, critical: float) -> tuple[float, float]:
    """Return t's bounds, corrected for skewness where that is known."""
    half, skew = critical * units.error, units.skewness / math.sqrt(len(units.parts))
    plain = units.difference - half, units.difference + half
    if abs(skew) < _SYMMETRIC:
        return plain
    low, high = (units.difference - units.error * _untransformed(y, skew) for y in (critical, -critical))
    return (min(low, plain[0]), max(high, plain[1])) if units.clustered else (low, high)


def _untransformed(y: float, skew: float) -> float:
    """Return the t whose transform is ``y``: Hall's t + γt²/3 + γ²t³/27 + γ/6, with γ the mean's own skewness."""
    return 3 * (math.cbrt(1 + skew * (y - skew / 6)) - 1) / skew


def _score(units: _Units, critical: float) -> tuple[float, float]:
    """Return Tango's bounds at effective counts, with the units' own error in the place of independent pairs'."""
    parts, count = units.parts, len(units.parts)
    size = float(parts @ parts) / float(np.abs(parts).sum())
    won, lost = float(np.maximum(parts, 0).sum()) / size, float(np.maximum(-parts, 0).sum()) / size
    independent = float(np.std(parts)) / math.sqrt(count)
    z = critical * (units.error / independent if independent > 0 else 1.0)
    low, high = tango_bounds(np.array(won), np.array(lost), count, z)
    off = units.difference - float(parts.mean())  # what no unit alone accounts for, where the metric is no sum
    return float(low) * size + off, float(high) * size + off


def _all_tied(count: float, largest: float, confidence: float, prefix: str) -> Interval:
    z2 = z_of(confidence) ** 2
    high = largest * z2 / (count + z2)
    return Interval(-high, high, f"{prefix}tango", confidence)


def _within(low: float, high: float, bounds: tuple[float, float] | None, method: str, confidence: float) -> Interval:
    if bounds is None or (low >= bounds[0] and high <= bounds[1]):
        return Interval(low, high, method, confidence)
    return Interval(max(low, bounds[0]), min(high, bounds[1]), f"{method}-clipped", confidence)
