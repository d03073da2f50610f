"""Swapping the two sides of pairs at random: the null distribution of every paired permutation test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ENUMERATED = 16
"""Pairs up to which all 2ⁿ swaps are taken, at most 65,536; above, they are drawn."""

_CELLS = 1_000_000  # swaps held at a time: 8 MB


class Swaps:
    """All 2ⁿ ways to swap ``count`` pairs, or ``resamples`` drawn ones.

    Attributes:
        exact: Whether all are there; then a p-value is a share of them, else (reached + 1) / (resamples + 1).
        times: How many there are.
    """

    def __init__(self, count: int, *, resamples: int, seed: int) -> None:
        self._count, self._seed = count, seed
        self.exact = count <= ENUMERATED
        self.times = 2**count if self.exact else resamples

    def totals(self, rows: Floats) -> Floats:
        """Return the sums of the rows of each way's swapped pairs: shape (times, k) from ``rows`` of shape (n, k)."""
        parts = [part @ rows for part in self._parts()]
        return np.concatenate(parts)

    def p_value(self, reached: int) -> float:
        """Return the p-value when ``reached`` of the ways lie as far out as what was seen.

        Drawn ways count what was seen among them, so that the test keeps its level (Phipson and Smyth, Stat. Appl.
        Genet. Mol. Biol. 9:39, 2010).
        """
        return reached / self.times if self.exact else (reached + 1) / (self.times + 1)

    def _parts(self) -> Iterator[Floats]:
        """Yield 0/1 matrices, shape (some, n). Whole 64-bit words are drawn, so that chunks change no bit."""
        words = max(1, -(-self._count // 64))
        random = np.random.default_rng(self._seed)
        chunk = max(1, _CELLS // (64 * words))
        for start in range(0, self.times, chunk):
            size = min(chunk, self.times - start)
            if self.exact:
                ways = np.arange(start, start + size, dtype="<u8")[:, None]
            else:
                ways = random.integers(0, 2**64 - 1, size=(size, words), dtype=np.uint64, endpoint=True).astype("<u8")
            bits = np.unpackbits(ways.view(np.uint8), axis=1, bitorder="little", count=self._count or None)
            yield bits[:, : self._count].astype(np.float64)
