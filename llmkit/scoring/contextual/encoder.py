"""From tokens to vectors: each distinct text once, in batches of like length; what was asked for lately is kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from llmkit.scoring.contextual.batching import batches

_CACHE_BYTES = 256 * 2**20  # 6,000 sentences of 40 tokens at 384 dimensions: references come again with every answer

Vectors = NDArray[np.float32]
Run = Callable[[Sequence[Sequence[int]]], list[Vectors]]
"""Token ids of a batch → of each text, a vector for each token, shape (tokens, dimensions), of any length."""


class Encoder:
    """Token ids in, unit vectors out: shape (tokens, dimensions) for each text.

    Safe to call from several threads.

    Args:
        run: The model.
        budget: Tokens that a batch takes at most, padding included.
    """

    def __init__(self, run: Run, budget: int) -> None:
        self._model, self._budget = run, budget
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def encode(self, texts: Mapping[str, Sequence[int]]) -> dict[str, Vectors]:
        """Return the vectors of each text, given with its token ids; of one without ids there are none."""
        with self._lock:
            found = {text: self._kept[text] for text in texts if text in self._kept}
            for text in found:
                self._kept.move_to_end(text)
        missing = [text for text, ids in texts.items() if text not in found and len(ids)]
        for batch in batches([len(texts[text]) for text in missing], self._budget):
            names = [missing[position] for position in batch]
            found.update(zip(names, map(_unit, self._model([texts[text] for text in names])), strict=True))
        self._keep((text, found[text]) for text in missing)
        return found

    def _keep(self, fresh: Iterable[tuple[str, Vectors]]) -> None:
        with self._lock:
            for text, vectors in fresh:
                if text not in self._kept:
                    self._kept[text] = vectors
                    self._bytes += vectors.nbytes + len(text)
            while self._bytes > _CACHE_BYTES:
                text, vectors = self._kept.popitem(last=False)
                self._bytes -= vectors.nbytes + len(text)


def _unit(vectors: NDArray[np.float32]) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(length, 1e-12)).astype(np.float32, copy=False)
    return unit
