"""The samples that differ in one metric: worst losses first, then the greatest gains, with their texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.comparisons import Answered, Flip
from llmkit.paired.differences import scored_on
from llmkit.paired.held import Held
from llmkit.paired.pairing import Pairs
from llmkit.paired.rows import Source, Texts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOSSES, GAINS = 5, 3
"""Shown unless the user asks for others: losses are what one looks for."""
_TIE = 1e-12  # relative; averages over epochs that differ by rounding are equal


class Chosen(NamedTuple):
    """Pairs to show, and how many samples differ in all."""

    pairs: tuple[int, ...]
    changes: tuple[float, ...]
    flipped: int


def choose(metric: str, a: Held, b: Held, pairs: Pairs, higher_is_better: bool, losses: int, gains: int) -> Chosen:
    """Choose what to show: samples ranked by their change over all epochs, in the epoch that changed most.

    Where values are 0 or 1 every change is a flip; of graded ones the largest come first.
    """
    scored = scored_on(metric, a, b, pairs)
    rows = np.flatnonzero(scored.both)
    one, two = scored.a[rows], scored.b[rows]
    change = np.where(_equal(one, two), 0.0, two - one) * (1.0 if higher_is_better else -1.0)
    samples, first, back = np.unique(pairs.sample[rows], return_index=True, return_inverse=True)
    times = np.bincount(back, minlength=len(samples))
    mean = np.bincount(back, weights=change, minlength=len(samples)) / np.maximum(times, 1)
    mean[np.abs(mean) <= _TIE] = 0.0
    worst = [i for i in np.lexsort((first, mean)) if mean[i] < 0][:losses]
    best = [i for i in np.lexsort((first, -mean)) if mean[i] > 0][:gains]
    found = [_extreme(back, change, i, -1.0) for i in worst] + [_extreme(back, change, i, 1.0) for i in best]
    return Chosen(tuple(int(rows[i]) for i in found), tuple(float(change[i]) for i in found), int((mean != 0).sum()))


def flips(metric: str, a: tuple[Source, Held], b: tuple[Source, Held], pairs: Pairs, chosen: Chosen) -> Iterator[Flip]:
    """Fetch the texts of what was chosen, and yield it in its order."""
    places = list(chosen.pairs)
    keys = b[1].keys(pairs.b[places].tolist())
    wanted = frozenset(keys.values())
    texts_a, texts_b = a[0].texts(wanted), b[0].texts(wanted)
    values_a, values_b = a[1].values(metric), b[1].values(metric)
    for place, change in zip(places, chosen.changes, strict=True):
        key = keys[int(pairs.b[place])]
        before, after = texts_a[key], texts_b[key]
        yield Flip(
            key[0], key[1], metric, change, after.question, after.references,
            _answered(before, metric, values_a[pairs.a[place]]), _answered(after, metric, values_b[pairs.b[place]]),
        )  # fmt: skip


def _answered(texts: Texts, metric: str, value: float) -> Answered:
    return Answered(texts.answer, float(value), texts.extracted.get(metric))


def _extreme(back: Ints, change: Floats, sample: int, sign: float) -> int:
    """Return the row of a sample that changed most in a direction."""
    rows = np.flatnonzero(back == sample)
    return int(rows[np.argmax(sign * change[rows])])


def _equal(one: Floats, two: Floats) -> NDArray[np.bool_]:
    return np.abs(two - one) <= _TIE * np.maximum(1.0, np.maximum(np.abs(one), np.abs(two)))
