"""The paired t and the signed-rank test, of differences between two sides of the same samples."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.alternative import Alternative, of_tails
from llmkit.stats.quantiles import normal_cdf, t_tail

Floats = NDArray[np.float64]

MOST_EXACT = 200
"""Differences up to which the signed ranks' exact distribution is taken; above, the normal one stands in."""


class Tested(NamedTuple):
    """A statistic and its p-value."""

    statistic: float
    p_value: float


def paired_t(differences: Floats, alternative: Alternative = "two-sided") -> Tested:
    """Return Student's t of the mean difference, with n − 1 degrees of freedom (Student 1908).

    ``greater`` is against a mean above 0. Differences that are all alike have no t: the statistic is infinite, or 0
    where all are 0, and the p-value is 0 or 1 accordingly.

    Args:
        differences: Shape (n,).
        alternative: Which means the test is against.

    Raises:
        ValueError: For fewer than two differences.
    """
    n = len(differences)
    if n < 2:
        raise ValueError(f"a t test needs two differences, not {n}")
    centre, spread = float(np.mean(differences)), float(np.std(differences, ddof=1))
    if spread <= 1e-12 * abs(centre) or spread == 0:
        t = math.copysign(math.inf, centre) if centre else 0.0
        upper = 1.0 if not centre else float(centre < 0)
        return Tested(t, of_tails(upper, 1.0 if not centre else 1 - upper, alternative))
    t = centre / (spread / math.sqrt(n))
    return Tested(t, of_tails(t_tail(t, n - 1), t_tail(-t, n - 1), alternative))


def wilcoxon(differences: Floats, alternative: Alternative = "two-sided") -> Tested:
    """Test "the differences are symmetric around 0" by the ranks of their sizes (Wilcoxon 1945).

    Zeros are left out; equal sizes share the mean of their ranks. Up to 200 differences, the distribution of the sum
    over all sign patterns is counted, ties included; above, it is taken as normal, its variance corrected for ties.

    Args:
        differences: Shape (n,).
        alternative: ``greater`` is against differences above 0.

    Returns:
        The sum of the positive differences' ranks, two-sided the smaller of both sums.
    """
    moving = differences[differences != 0]
    doubled = _doubled_ranks(np.abs(moving))
    positive, total = int(doubled[moving > 0].sum()), int(doubled.sum())
    tails = _counted(doubled, positive) if len(moving) <= MOST_EXACT else _normal(doubled, positive)
    shown = min(positive, total - positive) if alternative == "two-sided" else positive
    return Tested(shown / 2, of_tails(*tails, alternative))


def _doubled_ranks(sizes: Floats) -> NDArray[np.int64]:
    """Return twice the mean ranks, which are whole numbers."""
    _, index, times = np.unique(sizes, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    return np.asarray((2 * last - times + 1)[index], dtype=np.int64)


def _counted(doubled: NDArray[np.int64], positive: int) -> tuple[float, float]:
    """Return P(sum ≥ positive) and P(sum ≤ positive), adding one fair coin a rank to the sum's distribution."""
    chances = np.ones(1)
    for rank in doubled:
        grown = np.zeros(len(chances) + int(rank))
        grown[: len(chances)] += chances / 2
        grown[int(rank) :] += chances / 2
        chances = grown
    return float(chances[positive:].sum()), float(chances[: positive + 1].sum())


def _normal(doubled: NDArray[np.int64], positive: int) -> tuple[float, float]:
    ranks = doubled / 2
    z = (positive / 2 - float(ranks.sum()) / 2) / math.sqrt(float(ranks @ ranks) / 4)
    return normal_cdf(-z), normal_cdf(z)
