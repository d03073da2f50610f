"""One-sided bounds of Cohen's kappa that hold with few items, and how many items a bound takes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmkit.stats.acceptance import MOST
from llmkit.stats.agreement.categories import Weights
from llmkit.stats.agreement.kappa import cohen_kappa
from llmkit.stats.beta import beta_cdf
from llmkit.stats.proportion import lower_bound, upper_bound

DRAWS = 200
"""Tables that a power is estimated from: to within .06, and in less than a second."""
_STEP = 1.03  # numbers of items are told apart to 3 %: the draws tell no more


class KappaBounds(NamedTuple):
    """Kappa with its one-sided bounds."""

    value: float
    low: float
    high: float


def kappa_bounds(
    table: ArrayLike, weights: Weights = "identity", *, scores: ArrayLike | None = None, confidence: float = 0.95
) -> KappaBounds | None:
    """Return kappa between bounds, each one-sided at ``confidence``.

    Each is the farther of two: Fleiss, Cohen and Everitt's normal one, and the one that the exact bound of the
    (weighted) agreement gives at the chance agreement seen, 1 − (1 − p)/(1 − p_e). In simulations with 20 to 100 items
    the normal one alone was false up to 29 times of 100, in place of 5, where gross errors are rare; a weighted
    agreement varies at most as a coin does, so that Clopper and Pearson's bound is wide enough for it. Together they
    were false at most 4 times of 100, and they are wide where errors are small.

    Args:
        table: Shape (categories, categories); effective counts may be fractions.
        weights: As for :func:`llmkit.stats.agreement.kappa.cohen_kappa`.
        scores: Likewise.
        confidence: One-sided, at least ½.

    Returns:
        None where chance alone agrees always: both used one and the same category only.
    """
    found = cohen_kappa(table, weights, scores=scores, confidence=_two_sided(confidence), effective=True)
    if found is None:
        return None
    n = float(np.asarray(table, dtype=np.float64).sum())
    agreed, room = min(found.observed, 1.0) * n, 1 - found.expected
    low = 1 - (1 - lower_bound(agreed, n, confidence)) / room
    high = 1 - (1 - upper_bound(agreed, n, confidence)) / room
    if found.interval is not None:
        low, high = min(low, found.interval.low), max(high, found.interval.high)
    return KappaBounds(found.value, max(-1.0, low), min(1.0, high))


def kappa_items_needed(
    shares: ArrayLike,
    bound: float,
    weights: Weights = "identity",
    *,
    scores: ArrayLike | None = None,
    confidence: float = 0.95,
    power: float = 0.8,
    seed: int = 0,
) -> int | None:
    """Return about how many items show a kappa of at least ``bound`` with the given power.

    By drawing tables from ``shares``, the true shares of all items in each cell, and bisecting. None where kappa is not
    above the bound, or 100,000 items do not do.
    """
    p = np.asarray(shares, dtype=np.float64)
    p = p / p.sum()
    true = cohen_kappa(p, weights, scores=scores, effective=True)
    if true is None or true.value <= bound:
        return None
    if true.observed == 1:
        return math.ceil(math.log(1 - confidence) / math.log1p(-(1 - bound) * (1 - true.expected)))

    def enough(n: int) -> bool:
        tables = np.random.default_rng(seed).multinomial(n, p.ravel(), size=DRAWS).reshape(DRAWS, *p.shape)
        shown = (_shows(table, bound, weights, scores, confidence) for table in tables)
        return sum(shown) >= power * DRAWS

    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high > low + 1 and high > low * _STEP:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _shows(
    table: NDArray[np.int64], bound: float, weights: Weights, scores: ArrayLike | None, confidence: float
) -> bool:
    """Whether the lower bound of :func:`kappa_bounds` is at least ``bound``: tested, not inverted."""
    found = cohen_kappa(table, weights, scores=scores, confidence=_two_sided(confidence))
    if found is None or (found.interval is not None and found.interval.low < bound):
        return False
    n, agreed = found.n, min(found.observed, 1.0) * found.n
    rate = 1 - (1 - bound) * (1 - found.expected)  # the agreement that has this kappa
    return agreed > 0 and beta_cdf(rate, agreed, n - agreed + 1) <= 1 - confidence


def _two_sided(confidence: float) -> float:
    """Return the two-sided confidence whose ends are each one-sided at ``confidence``."""
    return max(2 * confidence - 1, 1e-9)
