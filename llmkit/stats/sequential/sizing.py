"""How many units both verdicts need, and which margin a number of units can decide."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.beta import beta_quantile
from llmkit.stats.quantiles import normal_quantile
from llmkit.stats.sequential.boundary import INFLATION
from llmkit.stats.sequential.roots import crossing

Floats = NDArray[np.float64]

POWER = 0.82
"""What is planned for, so that the discrete tests land at 80 %."""

WHOLE = 0.5
"""The share of alpha that the metrics get where slices are gated as well; many small slices cost them no more."""

_LARGEST = 0.999


@dataclass(frozen=True, slots=True)
class Sizes:
    """Units that the verdicts need.

    Attributes:
        n_fail: To prove a drop of twice the margin.
        n_pass: To rule out the margin where nothing has changed.
        n: For both.
    """

    n_fail: int
    n_pass: int
    n: int


def planned_n(
    margin: float,
    discordance: float,
    *,
    alpha: float = 0.05,
    power: float = POWER,
    inflation: float | None = INFLATION,
    deff: float = 1.0,
    share: float = 1.0,
) -> Sizes:
    """Return the units for scores of 0 and 1.

    Connor's formula (Biometrics 43, 1987) for the failure, Tango's score (1998) for the pass, each with what its
    discrete test costs, times what eight looks cost.

    Args:
        margin: In (0, 1).
        discordance: Share of pairs that differ, expected.
        alpha: One-sided, of all looks together.
        power: Of each verdict.
        inflation: Over one look; None for one look.
        deff: Design effect, where the units are samples of clusters.
        share: The measure's share of alpha for its failure.
    """
    _check(margin, discordance)
    gain_rate = _constrained_gain(margin, discordance)
    null_variance = 2 * gain_rate + margin * (1 - margin)
    return _sizes(margin, discordance, null_variance, alpha, power, inflation, deff, share)


def planned_n_graded(
    margin: float,
    variance: float,
    *,
    alpha: float = 0.05,
    power: float = POWER,
    inflation: float | None = INFLATION,
    deff: float = 1.0,
    share: float = 1.0,
) -> Sizes:
    """Return the units for graded scores, or for means over clusters or epochs; arguments as :func:`planned_n`.

    ``variance`` is that of one unit's difference, a judge's noise included. However small it is, ruling out the margin
    without a model of the noise takes what a margin's worth of collapses would: m(1 − m).
    """
    _check(margin, variance)
    return _sizes(margin, variance, max(variance, margin * (1 - margin)), alpha, power, inflation, deff, share)


def fixed_n(
    margin: float, discordance: float, *, alpha: float = 0.05, power: float = POWER, deff: float = 1.0
) -> Sizes:
    """Return the units of the design with one look: what stopping early is compared with."""
    return planned_n(margin, discordance, alpha=alpha, power=power, inflation=None, deff=deff)


def resolvable_margin(
    n: int,
    *,
    discordance: float | None = None,
    variance: float | None = None,
    alpha: float = 0.05,
    power: float = POWER,
    deff: float = 1.0,
    share: float = 1.0,
) -> float:
    """Return the smallest margin that ``n`` units can decide, of scores of that discordance, or of that variance.

    Raises:
        ValueError: Unless just one of the two is given.
    """
    if (discordance is None) == (variance is None):
        raise ValueError("the margin follows from the discordance or from the variance: give one")

    def spare(margin: float) -> float:
        if discordance is not None:
            sizes = planned_n(margin, discordance, alpha=alpha, power=power, deff=deff, share=share)
        else:
            sizes = planned_n_graded(margin, variance or 0.0, alpha=alpha, power=power, deff=deff, share=share)
        return float(n - sizes.n)

    return crossing(spare, 1e-6, _LARGEST, tolerance=1e-6)


def metric_power(measures: int) -> float:
    """Return the power to plan each of several measures with, so that all of them pass together with 80 %."""
    return 1 - (1 - POWER) / measures


def alpha_shares(metrics: int, parts: int) -> tuple[float, float]:
    """Return the share of alpha of each of so many metrics, and that of each part of their slices."""
    whole = WHOLE if parts else 1.0
    return whole / max(1, metrics), (1 - whole) / max(1, parts)


def discordance_limit(discordant: int, n: int, confidence: float = 0.8) -> float:
    """Return the upper limit of the discordance after ``discordant`` of ``n`` pairs differed (Clopper and Pearson)."""
    if not 0 <= discordant <= n:
        raise ValueError(f"of {n} pairs, {discordant} cannot differ")
    return 1.0 if discordant == n else beta_quantile(confidence, discordant + 1, n - discordant)


def variance_limit(d: Floats, confidence: float = 0.8) -> float:
    """Return an upper limit of the variance of the differences ``d``, shape (n,): normal, by their fourth moment.

    Raises:
        ValueError: For fewer than two differences.
    """
    if len(d) < 2:
        raise ValueError("a variance needs two differences")
    centred = d - d.mean()
    variance = float(centred @ centred) / (len(d) - 1)
    fourth = float((centred**4).mean())
    return variance + normal_quantile(confidence) * math.sqrt(max(fourth - variance**2, 0.0) / len(d))


def discordance_seen(losses: int, gains: int, n: int) -> float:
    """Return the discordance to plan the next run with, pulled towards ½ by two pairs: it is never 0."""
    return (losses + gains + 1) / (n + 2)


def independent_discordance(accuracy: float) -> float:
    """Return 2p(1 − p): the discordance of two arms that know nothing of each other, for want of a past run."""
    return 2 * accuracy * (1 - accuracy)


def _sizes(
    margin: float,
    spread: float,
    null_variance: float,
    alpha: float,
    power: float,
    inflation: float | None,
    deff: float,
    share: float,
) -> Sizes:
    ratio = 1.0 if inflation is None else inflation
    z_alpha, z_fail, z_beta = (-normal_quantile(p) for p in (alpha, alpha * share, 1 - power))
    drop = 2 * margin
    seen = max(spread, drop)
    proof = (z_fail * math.sqrt(seen) + z_beta * math.sqrt(max(seen - drop**2, 0.0))) ** 2 / drop**2
    fail = ratio * proof + 1.5 / drop
    ruling_out = (z_alpha * math.sqrt(null_variance) + z_beta * math.sqrt(spread)) ** 2 / margin**2
    passing = max(ratio * ruling_out + 0.25 / margin, math.log(alpha) / math.log1p(-margin))
    n_fail, n_pass = math.ceil(fail * deff), math.ceil(passing * deff)
    return Sizes(n_fail, n_pass, max(n_fail, n_pass))


def _constrained_gain(margin: float, discordance: float) -> float:
    """Return the most likely P(gain) at the margin, where both losses and gains come with half the discordance."""
    linear = 2 * margin - discordance
    return (-linear + math.sqrt(linear**2 + 4 * discordance * margin * (1 - margin))) / 4


def _check(margin: float, spread: float) -> None:
    if not 0 < margin < 1:
        raise ValueError(f"a margin lies in (0, 1), not {margin}")
    if not 0 <= spread <= 1:
        raise ValueError(f"a discordance, or the variance of a difference in [−1, 1], lies in [0, 1], not {spread}")
