"""Before a run: how many samples a difference needs, and what difference so many samples can show.

Each design goes both ways, ``…_n`` and ``…_effect``. ``sides`` is 2 for "differs" and 1 for "is worse". An n is what
the formula gives, not rounded up; effects are absolute, in the metric's unit unless said otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from llmkit.stats.noncentral import noncentral_t_tail
from llmkit.stats.quantiles import normal_cdf, normal_quantile, t_quantile

Sides = Literal[1, 2]

ALPHA = 0.05
POWER = 0.8
"""The usual pair: one in twenty nothings is called a difference, four in five differences are found."""

_HALVINGS = 200
_MOST = 1e12  # samples; what needs more than that is not to be had


def mean_n(effect: float, variance: float, *, alpha: float = ALPHA, power: float = POWER, sides: Sides = 2) -> float:
    """Return n = (z_{α/sides} + z_β)² · ``variance`` / ``effect``², for a mean paired difference.

    Args:
        effect: The difference that shall be found.
        variance: Of a sample's difference.
        alpha: Level of the test.
        power: Chance to find the effect.
        sides: Of the test.

    Raises:
        ValueError: For an effect of 0, a negative variance, or probabilities outside (0, 1).
    """
    _check(effect != 0, "an effect of 0 needs no end of samples")
    _check(variance >= 0, "a variance is not negative")
    return _critical(alpha, power, sides) ** 2 * variance / effect**2


def mean_effect(n: float, variance: float, *, alpha: float = ALPHA, power: float = POWER, sides: Sides = 2) -> float:
    """Return the mean paired difference that ``n`` samples show: :func:`mean_n` the other way."""
    _check(n > 0, "a plan has samples")
    _check(variance >= 0, "a variance is not negative")
    return _critical(alpha, power, sides) * math.sqrt(variance / n)


def paired_variance(
    omega2: float, sigma2_a: float = 0.0, sigma2_b: float = 0.0, epochs_a: float = 1, epochs_b: float = 1
) -> float:
    """Return ω² + σ²_A/K_A + σ²_B/K_B, a sample's variance of the difference (Miller, arXiv 2411.00640, eq. 9).

    Args:
        omega2: Variance, over samples, of the difference between the two sides' expected scores.
        sigma2_a: Mean variance of one side's score when the same sample is asked again.
        sigma2_b: Of the other side's.
        epochs_a: Answers to each sample on one side; they divide only what is noise.
        epochs_b: On the other.
    """
    _check(min(omega2, sigma2_a, sigma2_b) >= 0, "a variance is not negative")
    _check(min(epochs_a, epochs_b) >= 1, "a sample is answered once at least")
    return omega2 + sigma2_a / epochs_a + sigma2_b / epochs_b


def mean_epochs(
    effect: float,
    n: float,
    omega2: float,
    sigma2: float,
    *,
    alpha: float = ALPHA,
    power: float = POWER,
    sides: Sides = 2,
) -> float | None:
    """Return the epochs, the same on both sides, with which ``n`` samples show ``effect``.

    None where no number of epochs would do: the samples themselves differ too much.

    Args:
        effect: The difference that shall be found.
        n: Samples.
        omega2: As in :func:`paired_variance`.
        sigma2: The sum of both sides' variances between answers to the same sample.
        alpha: Level of the test.
        power: Chance to find the effect.
        sides: Of the test.
    """
    room = n * (effect / _critical(alpha, power, sides)) ** 2 - omega2
    return max(1.0, sigma2 / room) if room > 0 else None


def binary_n(
    effect: float, discordance: float, *, alpha: float = ALPHA, power: float = POWER, sides: Sides = 2
) -> float:
    """Return n = (z_{α/sides}·√ψ + z_β·√(ψ − δ²))² / δ², for McNemar's test (Connor, Biometrics 43, 1987).

    Args:
        effect: δ, the difference between the two proportions.
        discordance: ψ, the share of samples on which the sides differ. No less than δ is possible, and taken.
        alpha: Level of the test.
        power: Chance to find the effect.
        sides: Of the test.

    Raises:
        ValueError: For an effect of 0 or beyond ±1, or a discordance outside [0, 1].
    """
    delta = abs(effect)
    _check(0 < delta <= 1, "a difference of proportions is not 0 and at most 1")
    _check(0 <= discordance <= 1, "a discordance lies in [0, 1]")
    psi = max(discordance, delta)
    z_alpha, z_beta = _quantiles(alpha, power, sides)
    return (z_alpha * math.sqrt(psi) + z_beta * math.sqrt(psi - delta * delta)) ** 2 / delta**2


def binary_effect(
    n: float, discordance: float, *, alpha: float = ALPHA, power: float = POWER, sides: Sides = 2
) -> float | None:
    """Return the difference of proportions that ``n`` pairs show: :func:`binary_n` the other way.

    None where not even a difference of 1 would be found.
    """
    _check(n > 0, "a plan has samples")
    return _least(lambda effect: n >= binary_n(effect, discordance, alpha=alpha, power=power, sides=sides), 1e-9, 1.0)


def paired_t_power(n: float, effect: float, *, alpha: float = ALPHA, sides: Sides = 2) -> float:
    """Return the power of the paired t test, exactly, for normal differences.

    Args:
        n: Pairs; at least 2.
        effect: The mean difference over its standard deviation (Cohen's d of the differences).
        alpha: Level of the test.
        sides: Of the test.
    """
    _check(n >= 2, "a t test needs two pairs")
    df, shift = n - 1, abs(effect) * math.sqrt(n)
    critical = t_quantile(1 - alpha / sides, df)
    above = noncentral_t_tail(critical, df, shift)
    return above if sides == 1 else above + 1 - noncentral_t_tail(-critical, df, shift)


def paired_t_n(effect: float, *, alpha: float = ALPHA, power: float = POWER, sides: Sides = 2) -> float:
    """Return the pairs with which the paired t test finds ``effect``, in standard deviations of the differences.

    Raises:
        ValueError: For an effect that no feasible number of pairs shows.
    """
    _check(effect != 0, "an effect of 0 needs no end of samples")
    high = 4.0
    while paired_t_power(high, effect, alpha=alpha, sides=sides) < power:
        high *= 2
        _check(high < _MOST, f"an effect of {effect} needs more samples than can be had")
    found = _least(lambda n: paired_t_power(n, effect, alpha=alpha, sides=sides) >= power, 2.0, high)
    return high if found is None else found


def paired_t_effect(n: float, *, alpha: float = ALPHA, power: float = POWER, sides: Sides = 2) -> float:
    """Return the effect that ``n`` pairs show, in standard deviations of the differences."""
    high = 1.0
    while paired_t_power(n, high, alpha=alpha, sides=sides) < power:
        high *= 2
    found = _least(lambda effect: paired_t_power(n, effect, alpha=alpha, sides=sides) >= power, 0.0, high)
    return high if found is None else found


def cohen_h(p1: float, p2: float) -> float:
    """Return 2·asin √p1 − 2·asin √p2, on which scale every proportion has the same variance (Cohen 1988, §6)."""
    _check(0 <= p1 <= 1 and 0 <= p2 <= 1, "a proportion lies in [0, 1]")
    return 2 * (math.asin(math.sqrt(p1)) - math.asin(math.sqrt(p2)))


def unpaired_n(p1: float, p2: float, *, alpha: float = ALPHA, power: float = POWER, sides: Sides = 2) -> float:
    """Return n = 2·s² / h² of each side, where the two sides have different samples.

    s is the shift with which a normal statistic is significant with the wanted power; two-sided, in either direction,
    which makes it less than z_{α/2} + z_β by a few millionths.
    """
    _check(p1 != p2, "an effect of 0 needs no end of samples")
    return 2 * (_shift(alpha, power, sides) / cohen_h(p1, p2)) ** 2


def unpaired_effect(
    n: float, p1: float, *, alpha: float = ALPHA, power: float = POWER, sides: Sides = 2
) -> float | None:
    """Return the nearest proportion below ``p1`` that ``n`` samples a side tell from it; None where none can be."""
    _check(n > 0, "a plan has samples")
    angle = math.asin(math.sqrt(p1)) - _shift(alpha, power, sides) / math.sqrt(2 * n)
    return math.sin(angle) ** 2 if angle >= 0 else None


def _critical(alpha: float, power: float, sides: Sides) -> float:
    return sum(_quantiles(alpha, power, sides))


def _shift(alpha: float, power: float, sides: Sides) -> float:
    bound, _ = _quantiles(alpha, power, sides)

    def found(shift: float) -> bool:
        other = normal_cdf(-shift - bound) if sides == 2 else 0.0
        return normal_cdf(shift - bound) + other >= power

    return _least(found, 0.0, bound + 40.0) or 0.0


def _quantiles(alpha: float, power: float, sides: Sides) -> tuple[float, float]:
    _check(0 < alpha < 1 and 0 < power < 1, "alpha and power lie in (0, 1)")
    _check(sides in (1, 2), "a test has one side or two")
    return normal_quantile(1 - alpha / sides), normal_quantile(power)


def _least(enough: Callable[[float], bool], low: float, high: float) -> float | None:
    """Return the least of [low, high] from which on ``enough`` holds; None where it holds nowhere."""
    if not enough(high):
        return None
    if enough(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
