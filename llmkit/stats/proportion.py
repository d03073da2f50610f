"""Intervals of a proportion: k successes in n trials."""

from __future__ import annotations

import math

from llmkit.stats.beta import beta_cdf, beta_quantile
from llmkit.stats.quantiles import z_of
from llmkit.types import Interval


def wilson(k: float, n: float, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval (E. B. Wilson, JASA 22, 1927).

    Both numbers may be fractional: effective counts, where the trials are not independent.

    Raises:
        ValueError: Unless 0 ≤ ``k`` ≤ ``n`` and ``n`` > 0.
    """
    _check(k, n)
    z2 = z_of(confidence) ** 2
    p = k / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    # At the edges the formula meets 0, 1 exactly; arithmetic misses them by an ulp.
    low = 0.0 if k == 0 else max(0.0, min(centre - half, p))
    high = 1.0 if k == n else min(1.0, max(centre + half, p))
    return Interval(low, high, "wilson", confidence)


def clopper_pearson(k: float, n: float, confidence: float = 0.95) -> Interval:
    """Return the exact interval that inverts two binomial tests (Clopper and Pearson, Biometrika 26, 1934).

    Raises:
        ValueError: Unless 0 ≤ ``k`` ≤ ``n`` and ``n`` > 0.
    """
    _check(k, n)
    tail = (1 - confidence) / 2
    return Interval(_low(k, n, tail), _high(k, n, 1 - tail), "clopper-pearson", confidence)


def lower_bound(k: float, n: float, confidence: float = 0.95) -> float:
    """Return the exact one-sided lower bound of a rate (Clopper and Pearson, Biometrika 26, 1934).

    Args:
        k: Successes; effective ones may be fractional.
        n: Trials, likewise; more than 0.
        confidence: One-sided.
    """
    return _low(k, n, 1 - confidence)


def upper_bound(k: float, n: float, confidence: float = 0.95) -> float:
    """Return the exact one-sided upper bound; see :func:`lower_bound`."""
    return _high(k, n, confidence)


def jeffreys(k: float, n: float, confidence: float = 0.95) -> Interval:
    """Return the equal-tailed interval of the Beta(k+½, n−k+½) posterior, with no convention at the edges.

    Raises:
        ValueError: Unless 0 ≤ ``k`` ≤ ``n`` and ``n`` > 0.
    """
    _check(k, n)
    tail = (1 - confidence) / 2
    low, high = (beta_quantile(q, k + 0.5, n - k + 0.5) for q in (tail, 1 - tail))
    return Interval(low, high, "jeffreys", confidence)


def newcombe(k1: float, n1: float, k2: float, n2: float, confidence: float = 0.95) -> Interval:
    """Return the interval of p1 − p2 for two independent samples (R. G. Newcombe, Stat. Med. 17, 1998, method 10).

    Raises:
        ValueError: Unless 0 ≤ k ≤ n and n > 0 on both sides.
    """
    first, second = wilson(k1, n1, confidence), wilson(k2, n2, confidence)
    p1, p2 = k1 / n1, k2 / n2
    low = p1 - p2 - math.hypot(p1 - first.low, second.high - p2)
    high = p1 - p2 + math.hypot(first.high - p1, p2 - second.low)
    return Interval(low, high, "newcombe", confidence)


def binomial_tail(k: int, n: int, p: float) -> float:
    """Return P(X ≥ ``k``) for X ~ Binomial(``n``, ``p``): the exact one-sided p-value."""
    _check(k, n)
    return 1.0 if k == 0 else beta_cdf(p, k, n - k + 1)


def _low(k: float, n: float, tail: float) -> float:
    return 0.0 if k <= 0 else beta_quantile(tail, k, n - k + 1)


def _high(k: float, n: float, level: float) -> float:
    return 1.0 if k >= n else beta_quantile(level, k + 1, n - k)


def _check(k: float, n: float) -> None:
    if not (n > 0 and 0 <= k <= n):
        raise ValueError(f"a proportion needs 0 ≤ k ≤ n and n > 0, not k={k}, n={n}")


def unseen(n: int, confidence: float = 0.95) -> float:
    """Return the largest share of all that may be of a kind of which ``n`` draws hold none: 1 − (1 − confidence)^(1/n).

    The one-sided bound of Clopper and Pearson (Biometrika 26, 1934); about 3/n at 95 %.
    """
    return -math.expm1(math.log1p(-confidence) / n)
