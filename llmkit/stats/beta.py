"""The regularised incomplete beta function and its inverse: under every exact binomial and t interval."""

from __future__ import annotations

import math

_EPSILON = 1e-16
_TINY = 1e-300
_TERMS = 100_000  # the fraction takes O(√max(a, b)) terms; this is far above what 10⁹ trials need
_STEPS = 400


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return I_x(a, b), the probability that a Beta(a, b) variable is at most ``x``.

    By the continued fraction of DLMF 8.17.22, on the side of the mean where it converges fast.

    Raises:
        ValueError: Unless ``a`` and ``b`` are positive.
    """
    if not (a > 0 and b > 0):
        raise ValueError(f"a beta distribution needs a, b > 0, not {a}, {b}")
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _lower(1.0 - x, b, a)
    return _lower(x, a, b)


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return the ``x`` with I_x(a, b) = ``p``, by Newton steps kept inside a shrinking bracket.

    Raises:
        ValueError: Unless 0 ≤ ``p`` ≤ 1 and ``a``, ``b`` are positive.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"a probability lies in [0, 1], not {p}")
    if p in (0, 1):
        return float(p)
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(_STEPS):
        error = beta_cdf(x, a, b) - p
        if error == 0:
            return x
        low, high = (low, x) if error > 0 else (x, high)
        density = math.exp(_log_density(x, a, b))
        step = x - error / density if density > 0 else math.nan
        following = step if low < step < high else (low + high) / 2
        if abs(following - x) <= 4 * _EPSILON * x or not low < following < high:
            return following
        x = following
    return x


def _lower(x: float, a: float, b: float) -> float:
    """Evaluate the continued fraction from the top down (Lentz's method as Thompson and Barnett changed it)."""
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b)) / a
    fraction, c, d = 1.0, 1.0, 0.0
    for term in range(1, _TERMS):
        numerator = _coefficient(term, x, a, b)
        d = 1.0 / _away_from_zero(1.0 + numerator * d)
        c = _away_from_zero(1.0 + numerator / c)
        fraction *= c * d
        if abs(c * d - 1.0) < 4 * _EPSILON:
            return front / fraction
    raise ArithmeticError(f"the incomplete beta function did not converge at x={x}, a={a}, b={b}")


def _coefficient(term: int, x: float, a: float, b: float) -> float:
    m = term // 2
    if term % 2:
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_density(x: float, a: float, b: float) -> float:
    return (a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - _log_beta(a, b)
