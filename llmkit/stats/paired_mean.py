"""The interval of a mean paired difference, where most pairs may tie and samples may come in clusters."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.mean import cluster_totals, mean_interval
from llmkit.stats.quantiles import t_of, z_of
from llmkit.stats.tango import tango_bounds
from llmkit.types import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MANY_TIES = 0.2
"""Share of ties from which the score interval stands alone; simulated at 0 to 98 % ties (docs/statistics.md)."""

_ROUNDING = 1e-12


class _Units(NamedTuple):
    """Independent pieces: samples, or clusters.

    Attributes:
        parts: Shape (C,); their mean is the mean difference.
        error: The standard error of that mean, by the jackknife.
        effective: Units of equal weight that would weigh as these do: n² / Σ n_c², Kish.
        tied: Share of units in which no pair differs.
    """

    parts: Floats
    error: float
    effective: float
    tied: float


def paired_mean_interval(
    differences: Floats,
    clusters: Ints | None = None,
    *,
    confidence: float = 0.95,
    largest: float | None = None,
) -> Interval | None:
    """Return an interval of the mean of paired ``differences``.

    - No pair ties: mean ± t · SE, the paired t interval.
    - From a fifth of ties on: a few pairs hold all that is seen, often all of one sign. The t interval then covers
      .88, because the spread is underestimated together with the mean. Tango's score interval is taken at effective
      counts: with u = Σd²/Σ|d|, Σd⁺/u pairs are won and Σd⁻/u lost, by u each. These have the same mean and the same
      variance as the differences, and where each differs by 0 or ±1 they are the counts.
    - Some ties, but fewer: the wider of the two on each side.
    - All tie: ± ``largest`` · z²/(n + z²), what Tango's interval gives for n equal answers.

    With clusters the units are clusters, the error is the jackknife's, and t has C_eff − 1 degrees of freedom with
    C_eff = n² / Σ n_c², fewer than C − 1 where sizes differ (after Kish; Carter, Schnepel and Steigerwald, Rev.
    Econ. Stat. 99, 2017).

    None with fewer than two units, or where no unit differs from another and ``largest`` is not known.

    Args:
        differences: Shape (n,).
        clusters: Shape (n,), a number a cluster.
        confidence: Two-sided.
        largest: What no difference can exceed, where that is known.
    """
    units = _units(differences, clusters)
    if units is None:
        return None
    prefix = "" if clusters is None else "cluster-"
    bounds = None if largest is None else (-largest, largest)
    if units.tied == 1:
        return None if largest is None else _all_tied(units.effective, largest, confidence, prefix)
    centre = float(units.parts.mean())
    if units.error <= _ROUNDING * max(1.0, abs(centre)):
        return mean_interval(differences, clusters, confidence=confidence, bounds=bounds)
    critical = t_of(confidence, max(1.0, units.effective - 1))
    half = critical * units.error
    t_low, t_high = centre - half, centre + half
    if units.tied == 0:
        return _within(t_low, t_high, bounds, f"{prefix}t", confidence)
    low, high = _score(units, critical, centre)
    if units.tied >= MANY_TIES:
        return _within(low, high, bounds, f"{prefix}effective-tango", confidence)
    return _within(min(low, t_low), max(high, t_high), bounds, f"{prefix}tango-or-t", confidence)


def _units(differences: Floats, clusters: Ints | None) -> _Units | None:
    n = len(differences)
    if clusters is None:
        sums, sizes, moving = differences, np.ones(n), differences != 0
    else:
        sums, sizes = cluster_totals(differences, clusters), cluster_totals(np.ones(n), clusters)
        moving = cluster_totals((differences != 0).astype(np.float64), clusters) > 0
    count = len(sums)
    if count < 2:
        return None
    left_out = (sums.sum() - sums) / (n - sizes)
    error = math.sqrt((count - 1) * float(np.var(left_out)))
    return _Units(sums * (count / n), error, n * n / float(sizes @ sizes), float((~moving).mean()))


def _score(units: _Units, critical: float, centre: float) -> tuple[float, float]:
    """Return Tango's bounds at effective counts, with the unit's own error in the place of independent pairs'."""
    parts, count = units.parts, len(units.parts)
    size = float(parts @ parts) / float(np.abs(parts).sum())
    won, lost = float(np.maximum(parts, 0).sum()) / size, float(np.maximum(-parts, 0).sum()) / size
    independent = math.sqrt(max(float(parts @ parts) / count - centre**2, 0.0) / count)
    z = critical * (units.error / independent if independent > 0 else 1.0)
    low, high = tango_bounds(np.array(won), np.array(lost), count, z)
    return float(low) * size, float(high) * size


def _all_tied(count: float, largest: float, confidence: float, prefix: str) -> Interval:
    z2 = z_of(confidence) ** 2
    high = largest * z2 / (count + z2)
    return Interval(-high, high, f"{prefix}tango", confidence)


def _within(low: float, high: float, bounds: tuple[float, float] | None, method: str, confidence: float) -> Interval:
    if bounds is None or (low >= bounds[0] and high <= bounds[1]):
        return Interval(low, high, method, confidence)
    return Interval(max(low, bounds[0]), min(high, bounds[1]), f"{method}-clipped", confidence)
