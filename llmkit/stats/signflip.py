"""The sign-flip permutation test of paired differences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.alternative import Alternative
from llmkit.stats.mean import cluster_totals
from llmkit.stats.swaps import Swaps

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 10_000

_TOLERANCE = 1e-9  # sums that differ by less than this share of all differences are ties; rounding is far below


class SignFlip(NamedTuple):
    """A p-value, and whether all sign patterns were counted rather than drawn."""

    p_value: float
    exact: bool


def sign_flip(
    differences: Floats,
    clusters: Ints | None = None,
    alternative: Alternative = "two-sided",
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SignFlip:
    """Test "the sides could be exchanged within each pair" by the mean difference (Fisher 1935, §21).

    Exact where at most 16 differences are not 0: all sign patterns are counted. Otherwise ``resamples`` are drawn.
    The members of a cluster flip together. Sums that tie with the one seen count as reached. The order of the
    differences changes nothing, and neither does the sign of all of them when the test is two-sided.

    Args:
        differences: Shape (n,).
        clusters: Shape (n,), a number a cluster.
        alternative: ``greater`` is against a mean above 0.
        resamples: Patterns drawn where there are too many to count.
        seed: Of the random patterns.
    """
    totals = cluster_totals(np.asarray(differences, dtype=np.float64), clusters)
    sizes = np.sort(np.abs(totals))
    slack = _TOLERANCE * float(sizes.sum())
    sizes = sizes[sizes > slack / max(len(sizes), 1)]
    swaps = Swaps(len(sizes), resamples=resamples, seed=seed)
    sums = 2 * swaps.totals(sizes[:, None])[:, 0] - sizes.sum()
    seen = float(totals.sum())
    if alternative == "two-sided":
        reached = np.abs(sums) >= abs(seen) - slack
    elif alternative == "greater":
        reached = sums >= seen - slack
    elif alternative == "less":
        reached = sums <= seen + slack
    else:
        raise ValueError(f"an alternative is two-sided, greater or less, not {alternative!r}")
    return SignFlip(swaps.p_value(int(reached.sum())), swaps.exact)
