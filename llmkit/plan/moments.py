"""What arrays of rows say of their spread: by sample, within samples, by cluster."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.mean import design_effect
from llmkit.stats.quantiles import normal_quantile
from llmkit.stats.sequential.sizing import discordance_limit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UPPER = 0.8
"""Planned with this one-sided upper limit of the spread seen: a few samples easily show too little of it."""
FEWEST = 2
"""Samples, or clusters, below which nothing can be said of spread."""
_ULPS = 1e-9  # what sums of halves and thirds may miss a whole number by


def sample_means(values: Floats, samples: Ints) -> Floats:
    """Average the rows of each sample: shape (samples,), in the order of their numbers."""
    _, codes = np.unique(samples, return_inverse=True)
    return np.asarray(np.bincount(codes, weights=values) / np.bincount(codes), dtype=np.float64)


def of_samples(codes: Ints, samples: Ints) -> Ints:
    """Return what each sample's rows have in common, such as their cluster, once a sample."""
    return codes[np.unique(samples, return_index=True)[1]]


def variance_within(values: Floats, samples: Ints) -> Floats:
    """Return the variance within each sample that has several rows (n−1 below the line)."""
    _, codes, times = np.unique(samples, return_inverse=True, return_counts=True)
    centred = values - (np.bincount(codes, weights=values) / times)[codes]
    several = times > 1
    return np.asarray(np.bincount(codes, weights=centred**2)[several] / (times[several] - 1), dtype=np.float64)


def noise_within(a: Floats, b: Floats, samples: Ints) -> float | None:
    """Return the noise within samples of one answer a side; None where each sample was asked once."""
    sides = [variance_within(side, samples) for side in (a, b)]
    return float(sum(side.mean() for side in sides)) if all(map(len, sides)) else None


def deff_of(own: Floats, clusters: Ints | None) -> float | None:
    """Return how many times clusters multiply the variance, never below 1; None where that cannot be seen."""
    if clusters is None or len(np.unique(clusters)) < FEWEST or not np.ptp(own):
        return None
    return max(1.0, design_effect(own, clusters))


def scale_of(name: str, base: Floats) -> float | None:
    """Return what the metric's differences are measured in: base's mean for cost and latency, else its own unit."""
    if name not in ("cost", "latency_mean"):
        return 1.0
    mean = float(base.mean()) if len(base) else 0.0
    return mean if mean > 0 else None  # a model that costs nothing has no relative cost


def trials_of(samples: int, clusters: Ints | None, deff: float | None) -> float:
    """Return how many independent samples so many in clusters are worth; where that cannot be seen, the clusters."""
    if deff is not None:
        return samples / deff
    return samples if clusters is None else len(np.unique(clusters))


def share_limit(share: float, trials: float) -> float:
    """Return the upper limit of a share that was seen in so many trials, the count rounded up."""
    n = max(1, math.floor(trials + _ULPS))
    return discordance_limit(min(n, math.ceil(share * n - _ULPS)), n, UPPER)


def moment_limit(squares: Floats, trials: float) -> float:
    """Return the upper limit of a variance, from the spread of the squares that it is the mean of."""
    return float(squares.mean() + normal_quantile(UPPER) * squares.std(ddof=1) / math.sqrt(trials))
