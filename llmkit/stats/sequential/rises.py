"""How many units both verdicts need of a relative rise: of a mean that nothing bounds, and of a quantile."""

from __future__ import annotations

import math
from collections.abc import Callable

from llmkit.stats.quantiles import normal_cdf, normal_quantile
from llmkit.stats.sequential.boundary import INFLATION, boundary, equal_looks, spent_levels
from llmkit.stats.sequential.ratio import PESSIMIST, RUNAWAY
from llmkit.stats.sequential.sizing import POWER, Sizes
from llmkit.stats.sequential.tango import QUARTER
from llmkit.stats.sequential.trial import ALPHA, LOOKS

_MOST = 10**9


def planned_n_ratio(
    margin: float,
    variance: float,
    own: float = 0.0,
    *,
    alpha: float = ALPHA,
    power: float = POWER,
    share: float = 1.0,
) -> Sizes:
    """Return the units for a rise of a mean, judged by :class:`~.ratio.RatioOfMeans`.

    The rule adds an observation as bad as the largest seen, so that a plan needs that too: amounts are taken for
    lognormal, whose largest of n follows from n and the variance. To rule the margin out there must also be units
    enough to have shown runaway answers, however little varies.

    Args:
        margin: Relative rise, above 0.
        variance: Of one unit's difference, in base's mean squared.
        own: Of base's own values, in the same: the margin is a share of each of them.
        alpha: One-sided, of all looks together.
        power: Of each verdict.
        share: The measure's share of alpha for its failure.
    """
    _check(margin, variance)
    z_beta = normal_quantile(power)
    n_pass = max(
        _least(_enough(margin, variance + margin**2 * own, PESSIMIST, _last_z(alpha), z_beta)),
        ratio_floor(margin, alpha=alpha),
    )
    n_fail = _least(_enough(2 * margin, max(variance, 2 * margin), QUARTER, _last_z(alpha * share), z_beta))
    return Sizes(n_fail, n_pass, max(n_fail, n_pass))


def ratio_floor(margin: float, *, alpha: float = ALPHA) -> int:
    """Return the units below which no rise of ``margin`` can be ruled out, where nothing varies at all."""
    error = normal_cdf(-_last_z(alpha))
    return math.ceil(math.log(error) / math.log1p(-margin / RUNAWAY)) if margin < RUNAWAY else 1


def planned_n_quantile(
    margin: float,
    variance: float,
    quantile: float,
    *,
    alpha: float = ALPHA,
    power: float = POWER,
    share: float = 1.0,
) -> Sizes:
    """Return the units for a rise of a quantile, judged by :class:`~.quantile.QuantileRise`.

    The normal formula on the log scale, and on top the units that it takes to have a bound at all: order statistics
    bound a quantile by the next value outwards, and near the end those are far apart.

    Args:
        margin: Relative rise, above 0.
        variance: A unit's share in the variance of the logarithm of the two quantiles' ratio.
        quantile: In (0, 1).
        alpha: One-sided, of all looks together.
        power: Of each verdict.
        share: The measure's share of alpha for its failure.
    """
    _check(margin, variance)

    def units(rise: float, level: float) -> int:
        z = normal_quantile(1 - level) + normal_quantile(power)
        return math.ceil(INFLATION * z**2 * variance / math.log1p(rise) ** 2) + quantile_floor(quantile, alpha=level)

    n_fail, n_pass = units(2 * margin, alpha * share), units(margin, alpha)
    return Sizes(n_fail, n_pass, max(n_fail, n_pass))


def quantile_floor(quantile: float, *, alpha: float = ALPHA) -> int:
    """Return the units below which a quantile has no bound at the last look: qⁿ and (1 − q)ⁿ must be rare."""
    return math.ceil(math.log(normal_cdf(-_last_z(alpha))) / math.log(max(quantile, 1 - quantile)))


def _enough(drift: float, variance: float, weight: float, z: float, z_beta: float) -> Callable[[int], bool]:
    """Return whether so many units carry a mean of ``drift`` over the boundary, the added observation against it."""
    log_variance = math.log1p(variance)

    def enough(n: int) -> bool:
        tail = -normal_quantile(1 / (n + 1))
        worst = max(1.0, math.exp(math.sqrt(log_variance) * tail - log_variance / 2))
        against = math.sqrt(n * (variance + drift * worst))  # where the mean is 0, some weight lies on the worst
        return n * drift >= weight * worst + z * against + z_beta * math.sqrt(n * variance)

    return enough


def _least(enough: Callable[[int], bool]) -> int:
    low, high = 1, 2
    while high < _MOST and not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _last_z(alpha: float) -> float:
    looks = equal_looks(LOOKS)
    return boundary(looks, spent_levels(looks, alpha))[-1]


def _check(margin: float, variance: float) -> None:
    if not margin > 0:
        raise ValueError(f"a relative margin is above 0, not {margin}")
    if not variance >= 0:
        raise ValueError(f"a variance is not below 0, unlike {variance}")
