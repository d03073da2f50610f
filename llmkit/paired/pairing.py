"""Pairs: the rows of two sides that are the same sample in the same epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.paired.held import Held

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which rows belong together, in side b's order.

    Attributes:
        a: Row of side a, shape (pairs,).
        b: Row of side b.
        sample: A number a sample; its epochs share it.
        clusters: A number a cluster; None where each sample is its own.
        slices: Slice name → value → which pairs lie there.
        only_a: Rows that side a alone holds.
        only_b: Rows that side b alone holds.
    """

    a: Ints
    b: Ints
    sample: Ints
    clusters: Ints | None
    slices: dict[str, dict[str, Mask]]
    only_a: int
    only_b: int

    def __len__(self) -> int:
        return len(self.a)


def pair(a: Held, b: Held) -> Pairs:
    """Pair by sample id and epoch; clusters and slices are side b's."""
    rows_a, rows_b = [], []
    samples: dict[str, int] = {}
    numbers = []
    for key, place in b.places.items():
        if (other := a.places.get(key)) is not None:
            rows_a.append(other)
            rows_b.append(place)
            numbers.append(samples.setdefault(key[0], len(samples)))
    of_b, sample = np.asarray(rows_b, dtype=np.int64), np.asarray(numbers, dtype=np.int64)
    slices = {
        name: {value: found for value, rows in values.items() if (found := rows[of_b]).any()}
        for name, values in b.slices().items()
    }
    return Pairs(
        np.asarray(rows_a, dtype=np.int64), of_b, sample, _clusters(b.clusters, of_b, sample), slices,
        len(a.places) - len(rows_a), len(b.places) - len(rows_b),
    )  # fmt: skip


def _clusters(codes: Ints | None, rows: Ints, sample: Ints) -> Ints | None:
    """Return each pair's cluster, that of its sample's first pair; a sample without one is a cluster of its own.

    None where no two samples share a cluster: then samples are as independent as without any.
    """
    if codes is None or not len(rows):
        return None
    _, first, back = np.unique(sample, return_index=True, return_inverse=True)
    of_sample = codes[rows[first]]
    alone = of_sample < 0
    of_sample = np.where(alone, codes.max() + 1 + np.arange(len(first)), of_sample)
    return of_sample[back] if len(np.unique(of_sample)) < len(first) else None
