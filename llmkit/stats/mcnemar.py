"""Tests of paired yes/no outcomes, from the pairs that differ; and Fisher's, of two unpaired proportions."""

from __future__ import annotations

import math
from typing import NamedTuple

from llmkit.stats.alternative import Alternative, of_tails
from llmkit.stats.proportion import binomial_tail
from llmkit.stats.quantiles import normal_cdf


class ChiSquare(NamedTuple):
    """A statistic and its p-value."""

    statistic: float
    p_value: float


def mcnemar_exact(won: int, lost: int, alternative: Alternative = "two-sided") -> float:
    """Return the exact p-value of "won and lost are equally likely" (McNemar 1947, by the binomial distribution).

    ``greater`` is against more won than lost. No pair differs: 1.

    Raises:
        ValueError: For negative counts.
    """
    upper, lower, _ = _tails(won, lost)
    return of_tails(upper, lower, alternative)


def mcnemar_midp(won: int, lost: int, alternative: Alternative = "two-sided") -> float:
    """Return the mid-p value: half the probability of what was seen counts as less extreme.

    Less conservative than the exact test, and no longer guaranteed (Fagerland, Lydersen and Laake, BMC Med. Res.
    Methodol. 13:91, 2013). Arguments as in :func:`mcnemar_exact`.
    """
    upper, lower, seen = _tails(won, lost)
    if alternative == "two-sided" and won == lost:
        return 1.0 - seen / 2  # the outcome in the middle is one outcome, not one in each tail
    return of_tails(upper - seen / 2, lower - seen / 2, alternative)


def mcnemar_chi2(won: int, lost: int, alternative: Alternative = "two-sided") -> ChiSquare:
    """Return (|won − lost| − 1)² / (won + lost), χ² with one degree of freedom, with Edwards' correction (1948).

    One-sided p-values are those of its signed root. Arguments as in :func:`mcnemar_exact`.
    """
    _check(won, lost)
    if won == lost:
        return ChiSquare(0.0, 1.0 if alternative == "two-sided" else 0.5)
    root = (abs(won - lost) - 1) / math.sqrt(won + lost)
    above = normal_cdf(-root)
    upper, lower = (above, 1 - above) if won > lost else (1 - above, above)
    return ChiSquare(root * root, of_tails(upper, lower, alternative))


def fisher_exact(k1: int, n1: int, k2: int, n2: int, alternative: Alternative = "two-sided") -> float:
    """Return Fisher's exact p-value of "both samples have the same rate", given all margins (Fisher 1935).

    Two-sided: the tables that are at most as likely as the one seen, as R and scipy have it. ``greater`` is against
    a higher rate in the second sample.

    Raises:
        ValueError: Unless 0 ≤ k ≤ n on both sides.
    """
    if not (0 <= k1 <= n1 and 0 <= k2 <= n2):
        raise ValueError(f"a table needs 0 ≤ k ≤ n, not {k1} of {n1} and {k2} of {n2}")
    successes = k1 + k2
    support = range(max(0, successes - n1), min(successes, n2) + 1)
    logs = [_log_choose(n2, k) + _log_choose(n1, successes - k) for k in support]
    total = _log_choose(n1 + n2, successes)
    chances = [math.exp(log - total) for log in logs]
    seen = k2 - support.start
    if alternative == "two-sided":
        # The slack of scipy and R: a table that is equally likely must not be lost to rounding.
        return min(1.0, math.fsum(p for p in chances if p <= chances[seen] * (1 + 1e-7)))
    return of_tails(math.fsum(chances[seen:]), math.fsum(chances[: seen + 1]), alternative)


def _tails(won: int, lost: int) -> tuple[float, float, float]:
    """Return P(X ≥ won), P(X ≤ won) and P(X = won) for a fair coin thrown once a pair that differs."""
    _check(won, lost)
    pairs = won + lost
    if not pairs:
        return 1.0, 1.0, 1.0
    seen = math.exp(_log_choose(pairs, won) - pairs * math.log(2))
    return binomial_tail(won, pairs, 0.5), binomial_tail(lost, pairs, 0.5), seen


def _check(won: int, lost: int) -> None:
    if won < 0 or lost < 0:
        raise ValueError(f"counts are not negative: won {won}, lost {lost}")


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
