"""From tokens to vectors: each distinct text once, in batches of like length; references' are kept."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from llmkit.scoring.contextual.batching import batches
from llmkit.scoring.contextual.workers import Workers

_CACHE_BYTES = 256 * 2**20  # 4,000 references of 40 tokens at 384 dimensions

Vectors = NDArray[np.float32]
Run = Callable[[Sequence[Sequence[int]]], list[Vectors]]
"""Token ids of a batch → of each text, a vector for each token, shape (tokens, dimensions), of any length."""


class Encoder:
    """Token ids in, unit vectors out: shape (tokens, dimensions) for each text.

    Safe to call from several threads. References come again with every epoch, model and side of a comparison, answers
    hardly: the vectors of references alone are kept. Where they become too many, some are dropped at random: a run
    goes through them in a circle, and the longest unused would be just the one that comes next.

    Args:
        run: The model.
        budget: Tokens that a batch takes at most, padding included.
        workers: Compute batches side by side, a thread each; None: one after the other.
    """

    def __init__(self, run: Run, budget: int, workers: Workers | None = None) -> None:
        self._model, self._budget = run, budget
        self._map = map if workers is None else workers.map
        self._kept: dict[str, Vectors] = {}
        self._order: list[str] = []
        self._bytes = 0
        self._random = random.Random(0)  # noqa: S311 - which vectors are computed again is no secret
        self._lock = threading.Lock()

    def encode(self, texts: Mapping[str, Sequence[int]], keep: Collection[str] = ()) -> dict[str, Vectors]:
        """Return the vectors of each text; of one without ids there are none.

        Args:
            texts: Text → its token ids.
            keep: Those that will come again.
        """
        with self._lock:
            found = {text: self._kept[text] for text in texts if text in self._kept}
        missing = [text for text, ids in texts.items() if text not in found and len(ids)]
        groups = [[missing[at] for at in batch] for batch in batches([len(texts[t]) for t in missing], self._budget)]
        computed = self._map(self._vectors, [[texts[text] for text in names] for names in groups])
        for names, vectors in zip(groups, computed, strict=True):
            found.update(zip(names, vectors, strict=True))
        with self._lock:
            for text in missing:
                if text in keep and text not in self._kept:
                    self._keep(text, found[text])
        return found

    def _vectors(self, batch: Sequence[Sequence[int]]) -> list[Vectors]:
        return [_unit(each) for each in self._model(batch)]

    def _keep(self, text: str, vectors: Vectors) -> None:
        self._kept[text] = vectors
        self._order.append(text)
        self._bytes += _size(text, vectors)
        while self._bytes > _CACHE_BYTES:
            at = self._random.randrange(len(self._order))
            self._order[at], self._order[-1] = self._order[-1], self._order[at]
            dropped = self._order.pop()
            self._bytes -= _size(dropped, self._kept.pop(dropped))


def _size(text: str, vectors: Vectors) -> int:
    return vectors.nbytes + len(text)


def _unit(vectors: NDArray[np.float32]) -> Vectors:
    """Return vectors of length 1 in memory of their own: a slice would keep its whole batch alive."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(length, 1e-12)).astype(np.float32, copy=False)
    return unit
