"""What a measure is computed from: complete pairs, a row a unit, in the order that was fixed before scoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """One measure's pairs.

    Attributes:
        base: Shape (n,), or (n, k) for what a corpus metric sums: one row a unit, as :func:`units` makes them.
        head: The same of head.
        attempted: Units attempted so far, those included that one side has no answer for.
        counts: Complete pairs at each look so far; the last is n.
        span: Above 1 where clusters are of unequal size: what :func:`unit_span` says.
    """

    base: NDArray[np.float64]
    head: NDArray[np.float64]
    attempted: int
    counts: tuple[int, ...]
    span: float = 1.0

    def __post_init__(self) -> None:
        if self.base.shape != self.head.shape:
            raise ValueError(f"pairs have one shape, not {self.base.shape} and {self.head.shape}")
        if list(self.counts) != sorted(self.counts) or (self.counts and self.counts[-1] != len(self.base)):
            raise ValueError(f"the counts never fall and end at the {len(self.base)} pairs, not {self.counts}")
        if not (np.isfinite(self.base).all() and np.isfinite(self.head).all()):
            raise ValueError("a pair has a value on both sides; what has none is left out before")


def units(
    values_base: Floats,
    values_head: Floats,
    sample: NDArray[np.int64],
    cluster: NDArray[np.int64] | None = None,
) -> tuple[Floats, Floats]:
    """Average epochs into samples, and samples into clusters: the units that may be counted as independent.

    Clusters of unequal size keep the metric what it is, the mean over samples: a cluster's row is its samples' total
    over the mean size of the clusters. (The mean of the clusters' means would weigh a document of one question like
    one of fifty.) So a row can exceed 1; :func:`unit_span` says what that costs.

    Args:
        values_base: Shape (r,) or (r, k): one row a sample and epoch.
        values_head: The same of head.
        sample: Which sample a row is of, shape (r,).
        cluster: Which cluster a row is of, shape (r,).

    Returns:
        base, head: shape (units,) or (units, k), in the order in which the units appear first.
    """
    index, of = _first_seen(np.asarray(sample))
    epochs = np.bincount(of)
    rows = [_sums(np.asarray(values, dtype=np.float64), of) for values in (values_base, values_head)]
    means = [_over(row, epochs) for row in rows]
    if cluster is None:
        return means[0], means[1]
    _, group = _first_seen(np.asarray(cluster)[index])
    size = len(group) / max(1, int(group.max(initial=-1)) + 1)
    return _sums(means[0], group) / size, _sums(means[1], group) / size


def unit_span(sample: NDArray[np.int64], cluster: NDArray[np.int64] | None = None) -> float:
    """Return how many of these clusters are worth one of equal size: 1 + the squared variation of the sizes (Kish).

    It is also the size, over the mean, of the cluster that a sample lies in on average: the loss that a unit of scores
    in [0, 1] which was not seen may be thought to hold. 1 where all have one size.
    """
    if cluster is None or not len(sample):
        return 1.0
    index, _ = _first_seen(np.asarray(sample))
    sizes = np.bincount(_first_seen(np.asarray(cluster)[index])[1])
    return float((sizes**2).mean() / sizes.mean() ** 2)


def _first_seen(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each label appears first, in that order, and each row's place among them."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[inverse.ravel()]


def _sums(values: Floats, of: NDArray[np.int64]) -> Floats:
    if values.ndim == 1:
        return np.asarray(np.bincount(of, weights=values), dtype=np.float64)
    return np.stack([np.bincount(of, weights=column) for column in values.T], axis=1).astype(np.float64)


def _over(values: Floats, counts: NDArray[np.int64]) -> Floats:
    return values / (counts if values.ndim == 1 else counts[:, None])
