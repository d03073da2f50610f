"""Equations 1 to 3 of BERTScore (Zhang et al., 2020) over many pairs of texts at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.scoring.contextual.batching import batches
from llmkit.scoring.contextual.encoder import Vectors
from llmkit.scoring.contextual.tokens import Weights

_CELLS = 2**20  # similarities that are held at once: 4 MB

Figures = NDArray[np.float64]


class Pair(NamedTuple):
    """An answer and a reference: unit vectors, shape (tokens, dimensions), and the tokens' weights, shape (tokens,)."""

    answer: Vectors
    reference: Vectors
    answer_weights: Weights
    reference_weights: Weights


def match(pairs: Sequence[Pair]) -> Figures:
    """Return precision, recall and F1 of each pair, shape (pairs, 3), from 0 to 1.

    Each token of the answer is matched to the most similar one of the reference (precision), and the other way round
    (recall), by cosine; the mean is weighted. A token that is like none counts 0 and not less, as it does in bert-score
    wherever that pads. A side whose tokens weigh nothing has 0, and so has F1 then.
    """
    figures = np.zeros((len(pairs), 3))
    there = [at for at, pair in enumerate(pairs) if len(pair.answer) and len(pair.reference)]
    cells = [max(len(pairs[at].answer), len(pairs[at].reference)) ** 2 for at in there]
    for batch in batches(cells, _CELLS):
        rows = [there[position] for position in batch]
        figures[rows, :2] = _means([pairs[row] for row in rows])
    np.minimum(figures, 1.0, out=figures)  # a cosine of 32 bits may be more
    precision, recall = figures[:, 0], figures[:, 1]
    both = precision + recall
    np.divide(2 * precision * recall, both, out=figures[:, 2], where=both > 0)
    return figures


def _means(pairs: Sequence[Pair]) -> Figures:
    """Return the weighted means of the best cosines, shape (pairs, 2)."""
    answers, answer_weights = _padded([(pair.answer, pair.answer_weights) for pair in pairs])
    references, reference_weights = _padded([(pair.reference, pair.reference_weights) for pair in pairs])
    alike = answers @ references.transpose(0, 2, 1)  # 0 where either is padded
    best = [np.maximum(alike.max(axis=axis), 0.0) for axis in (2, 1)]
    means = [
        (found * weights).sum(axis=1) for found, weights in zip(best, (answer_weights, reference_weights), strict=True)
    ]
    return np.stack(means, axis=1)


def _padded(texts: Sequence[tuple[Vectors, Weights]]) -> tuple[Vectors, Weights]:
    """Return vectors of shape (texts, tokens, dimensions), and weights of shape (texts, tokens) that sum to 1 or 0."""
    longest, dimensions = max(len(vectors) for vectors, _ in texts), texts[0][0].shape[1]
    padded = np.zeros((len(texts), longest, dimensions), np.float32)
    shares = np.zeros((len(texts), longest))
    for row, (vectors, weights) in enumerate(texts):
        padded[row, : len(vectors)] = vectors
        total = weights.sum()
        if total > 0:
            shares[row, : len(weights)] = weights / total
    return padded, shares
