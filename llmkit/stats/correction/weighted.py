"""Effective counts: as many independent items of equal weight as what was labelled, or scored, is worth."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmkit.stats.confusion import Confusion
from llmkit.stats.quantiles import t_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PRIOR = 1.0  # clusters' worth of belief that a cluster's members are all alike; as in llmkit.stats.mean


_TINY = 1e-12  # relative to the values' size: what is below is rounding


class Trials(NamedTuple):
    """Verdicts "pass" among ``n``; both may be fractional."""

    passed: float
    n: float


def effective_confusion(
    labels: ArrayLike,
    verdicts: ArrayLike,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> Confusion:
    """Return the four cells with the weighted TPR and TNR, each class scaled to its effective size.

    Weights: the smaller of (Σw)²/Σw² within the class (L. Kish, Survey Sampling, 1965) and p(1 − p)/v, with v the
    linearised variance of the weighted rate p (W. G. Cochran, Sampling Techniques, 3rd ed., 1977, section 6.3). For
    both an error of the largest weight among all labels is counted in, and its one item taken off again. Where items of
    a kind that weighs much were drawn seldom, a class may hold none of them, and no error among them: its own weights
    do not show what is missing. Groups: divided by the design effect as in
    :func:`llmkit.stats.mean.proportion_interval`. Never more than the items themselves; with equal weights and no
    groups the plain counts.

    Args:
        labels: Shape (n,), 0 and 1: what people say.
        verdicts: Shape (n,), 0 and 1: what the judge says.
        weights: Shape (n,), above 0: items of the population that each stands for, up to a factor.
        groups: Shape (n,): items with one value are not independent.
        confidence: Of the two-sided interval that the counts are for: few groups cost a quotient of t quantiles.

    Raises:
        ValueError: For lists that differ in length, values other than 0 and 1, and weights not above 0.
    """
    so, said = _binary(labels, "label"), _binary(verdicts, "verdict")
    w = np.ones(len(so)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (so.shape == said.shape == w.shape):
        raise ValueError(f"each label needs its verdict and weight, not shapes {so.shape}, {said.shape}, {w.shape}")
    if not (np.isfinite(w).all() and (w > 0).all()):
        raise ValueError("a weight is finite and above 0")
    of = _numbers(groups, len(so))
    most = float(w.max(initial=0.0))
    cells = []
    for positive in (1.0, 0.0):
        place = so == positive
        right = (said[place] == positive).astype(np.float64)
        share, size = _effective(right, w[place], None if of is None else of[place], most, confidence)
        cells.append((share * size, (1 - share) * size))
    (tp, fn), (tn, fp) = cells
    return Confusion(tp, fn, fp, tn)


def effective_trials(verdicts: ArrayLike, clusters: ArrayLike | None = None, *, confidence: float = 0.95) -> Trials:
    """Return how many independent verdicts, and passes among them, a run with clusters is worth.

    Args:
        verdicts: Shape (n,), 0 and 1.
        clusters: Shape (n,): a conversation, a document; the sample itself where it has several epochs.
        confidence: As in :func:`effective_confusion`.

    Raises:
        ValueError: As there.
    """
    said = _binary(verdicts, "verdict")
    share, size = _effective(said, np.ones(len(said)), _numbers(clusters, len(said)), 1.0, confidence)
    return Trials(share * size, size)


def effective_labels(values: ArrayLike, verdicts: ArrayLike, groups: ArrayLike, *, confidence: float = 0.95) -> float:
    """Return how many independent labels a post-stratified mean of these, which come in groups, is worth.

    Groups: the design effect of the labels' distances from the mean of their verdict (W. G. Cochran, Sampling
    Techniques, 3rd ed., 1977, sections 5A.9 and 9A.2), taken as in :func:`effective_confusion`.

    Args:
        values: Shape (n,): what each label is worth.
        verdicts: Shape (n,): what the judge says of the same items; any values.
        groups: Shape (n,): items with one value are not independent.
        confidence: As there.

    Raises:
        ValueError: For lists that differ in length.
    """
    worth = np.asarray(values, dtype=np.float64)
    strata, of = _numbers(verdicts, len(worth)), _numbers(groups, len(worth))
    assert strata is not None
    assert of is not None
    if not len(worth):
        return 0.0
    means = np.bincount(strata, weights=worth) / np.bincount(strata)
    rest = np.asarray(worth - means[strata], dtype=np.float64)
    rest[np.abs(rest) < _TINY * max(1.0, float(np.abs(worth).max()))] = 0.0  # rounding
    size = float(len(worth))
    return min(size, _over_groups(rest, np.ones(len(worth)), of, 1.0, size, confidence))


def _effective(values: Floats, w: Floats, of: Ints | None, most: float, confidence: float) -> tuple[float, float]:
    """Return the weighted mean of values, 0 for an error, and the effective size; 0 and 0 of none."""
    if not len(values):
        return 0.0, 0.0
    share = float(w @ values) / float(w.sum())
    if not values.any() or values.all():
        share = float(values[0])  # not an ulp beside it
    size = min(_kish(w, most), _linear(values, w, most))
    if of is not None:
        size = _over_groups(values - share, w, of, most, size, confidence)
    return share, min(float(len(values)), size)


def _over_groups(rest: Floats, w: Floats, of: Ints, most: float, size: float, confidence: float) -> float:
    """Return the effective size over groups: the design effect seen, averaged with that of members who are alike."""
    totals = np.bincount(of, weights=w).astype(np.float64)
    totals, parts = totals[totals > 0], np.bincount(of, weights=w * rest)
    n, count = len(w), len(totals)
    alike = min(size, _kish(totals, max(most, float(totals.max()))))
    independent = float(((w * rest) ** 2).sum())
    if count < 2 or independent == 0.0:
        return alike
    seen = float(parts @ parts) * count / (count - 1) / (independent * n / (n - 1))
    # Of the rarer outcome: what few groups hold, little is known of.
    rare = rest > 0 if (rest > 0).sum() <= n / 2 else rest < 0
    telling = len(np.unique(of[rare]))
    effect = (telling * seen + _PRIOR * size / alike) / (telling + _PRIOR)
    few = (t_of(confidence, n - 1) / t_of(confidence, count - 1)) ** 2
    return min(size, size * few / effect)


def _kish(w: Floats, most: float) -> float:
    scaled = w / most
    return float((scaled.sum() + 1) ** 2 / ((scaled**2).sum() + 1) - 1)


def _linear(values: Floats, w: Floats, most: float) -> float:
    """Return p(1 − p)/v with one error of the largest weight counted in; infinite where nothing is right."""
    scaled = w / most
    total = scaled.sum() + 1
    p = float(scaled @ values) / total
    variance = float((scaled**2) @ (values - p) ** 2 + p**2) / total**2
    return p * (1 - p) / variance - 1 if variance > 0 else math.inf


def _binary(values: ArrayLike, what: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not ((found == 0) | (found == 1)).all():
        raise ValueError(f"a {what} is 0 or 1")
    return found


def _numbers(groups: ArrayLike | None, n: int) -> Ints | None:
    if groups is None:
        return None
    _, found = np.unique(np.asarray(groups), return_inverse=True)
    if found.shape != (n,):
        raise ValueError(f"each of {n} items needs its group, not shape {found.shape}")
    return np.asarray(found, dtype=np.int64)
