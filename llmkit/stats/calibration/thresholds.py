"""Where to cut scores into yes and no, and what a cut gets right and wrong."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from llmkit.stats.calibration.labelled import labelled
from llmkit.stats.confusion import Confusion


class Cut(NamedTuple):
    """A threshold and what it does on the labels it was chosen on: an optimistic count, never a test."""

    threshold: float
    confusion: Confusion


def confusion(scores: ArrayLike, labels: ArrayLike, threshold: float = 0.5) -> Confusion:
    """Count verdicts, yes where the score is at least ``threshold``, against labels.

    Args:
        scores: Shape (n,).
        labels: Shape (n,), 0 and 1.
        threshold: In the scores' unit.

    Raises:
        ValueError: For a threshold that is not a number, and what :func:`labelled` refuses.
    """
    x, y = labelled(scores, labels)
    if math.isnan(threshold):
        raise ValueError("a threshold is a number, not NaN")
    said, so = x >= threshold, y == 1
    cells = (said & so, ~said & so, said & ~so, ~said & ~so)
    return Confusion(*(int(cell.sum()) for cell in cells))


def best_threshold(scores: ArrayLike, labels: ArrayLike) -> Cut | None:
    """Return the cut of the highest balanced accuracy, i.e. of the highest TPR + TNR − 1 (Youden, Cancer 3, 1950).

    It lies half-way between two neighbouring scores; of cuts that are equally good the one in the widest gap is taken,
    then the lowest. Choose it on dev labels, and count on others.

    Args:
        scores: Shape (n,), higher for yes.
        labels: Shape (n,), 0 and 1.

    Returns:
        None for labels of one class, and where no cut does better than chance.

    Raises:
        ValueError: For what :func:`labelled` refuses.
    """
    x, y = labelled(scores, labels)
    yes = int(y.sum())
    no = len(y) - yes
    values, index = np.unique(x, return_inverse=True)
    if not yes or not no or len(values) < 2:
        return None
    missed = np.cumsum(np.bincount(index, weights=y))[:-1]  # labels yes below the cut after each score
    refused = np.cumsum(np.bincount(index, weights=1 - y))[:-1]
    gain = refused * yes - missed * no  # (TPR + TNR − 1)·yes·no, a whole number: ties are exact
    best = np.flatnonzero(gain == gain.max())
    if gain.max() <= 0:
        return None
    place = best[np.argmax(np.diff(values)[best])]
    low, high = float(values[place]), float(values[place + 1])
    middle = low + (high - low) / 2
    threshold = middle if middle > low else high  # neighbours in the last bit have nothing between them
    return Cut(threshold, confusion(x, y, threshold))
