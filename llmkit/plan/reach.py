"""What a number of samples can show of one metric, and how many an effect needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from llmkit.plans import MetricPlan, Reach, Spread
from llmkit.stats.power import binary_n, mean_n
from llmkit.stats.sequential.roots import crossing
from llmkit.stats.sequential.sizing import Sizes, planned_n, planned_n_graded, resolvable_margin

EPOCHS = (1, 2, 4, 8)
"""Beyond eight answers to a sample, the eighth part of the noise that is left is not worth the ninth."""
LARGEST = 0.99
"""A margin above this, as a share of the span, rules out nothing that anyone would ask about."""

_ULPS = 1e-9  # what arithmetic may miss a whole number by


@dataclass(frozen=True, slots=True)
class Design:
    """How a metric is looked at.

    Attributes:
        epochs: Answers to each sample, averaged.
        power: Of each verdict.
        share: Of alpha, for the failure: several metrics share it.
        members: Samples of a unit, on average: above 1 where whole clusters are looked at.
    """

    epochs: int = 1
    power: float = 0.82
    share: float = 1.0
    members: float = 1.0


def metric_plan(
    name: str,
    spread: Spread,
    n: int,
    design: Design,
    *,
    span: float = 1.0,
    effect: float | None = None,
    power: float = 0.8,
    higher_is_better: bool = True,
) -> MetricPlan:
    """Return what ``n`` samples can show of a metric, by epochs where more of them help.

    Args:
        name: The metric.
        spread: Of its differences.
        n: Samples.
        design: With the epochs planned, and the gate's share and power.
        span: How far the metric's values can lie apart.
        effect: As a share of the span, whose samples are wanted.
        power: Of the comparison.
        higher_is_better: Direction.
    """
    more = EPOCHS if spread.within else ()
    each = sorted({design.epochs, *more})
    rows = []
    for epochs in each:
        at = Design(epochs, design.power, design.share, design.members)
        least = least_margin(spread, n, at, span)
        needed = None if effect is None else samples_for(effect, spread, epochs, power, span)
        rows.append(Reach(epochs, visible(spread, n, epochs, power, span), least, needed))
    return MetricPlan(name, spread, tuple(rows), span, higher_is_better)


def visible(spread: Spread, n: int, epochs: int, power: float, span: float = 1.0) -> float | None:
    """Return the difference that ``n`` samples show, two-sided at 5 %; None where it is larger than the span.

    Binary answers, asked once: Connor's formula (Biometrics 43, 1987), and 1.5 pairs more than it says differ for
    McNemar's exact test, which it leaves at 76–79 % power. Else the normal one (Miller 2024, arXiv 2411.00640). In
    both a difference brings a spread of its own: no less than it has where a few samples change all the way.
    """
    effective = n / spread.deff
    if effective < _needed(1.0, spread, epochs, power, span):
        return None
    return span * crossing(lambda effect: effective - _needed(effect, spread, epochs, power, span), 1e-9, 1.0)


def samples_for(effect: float, spread: Spread, epochs: int, power: float, span: float = 1.0) -> int:
    """Return the samples that show ``effect``, a share of the span: ``visible`` the other way."""
    return math.ceil(_needed(effect, spread, epochs, power, span) * spread.deff - _ULPS)


def _needed(effect: float, spread: Spread, epochs: int, power: float, span: float) -> float:
    """Return the independent samples that show ``effect``, a share of the span."""
    variance = spread.at(epochs) / span**2
    if _plain(spread, epochs):
        return binary_n(effect, variance, power=power) + 1.5 / effect
    return mean_n(effect, max(variance, effect), power=power)


def sizes(margin: float, spread: Spread, design: Design, span: float = 1.0) -> Sizes:
    """Return the samples that each verdict of a gate needs at ``margin``, in the metric's unit.

    Raises:
        ValueError: A margin that is not within the span.
    """
    unit, variance = margin / span, _of_unit(spread, design, span)
    if _plain(spread, design.epochs) and design.members == 1:
        found = planned_n(unit, variance, power=design.power, share=design.share)
    else:
        found = planned_n_graded(unit, variance, power=design.power, share=design.share)
    return Sizes(*(math.ceil(n * design.members) for n in (found.n_fail, found.n_pass, found.n)))


def least_margin(spread: Spread, n: int, design: Design, span: float = 1.0) -> float | None:
    """Return the smallest margin, in the metric's unit, that ``n`` samples can decide; None where none can.

    It is rounded up to three digits, so that what is printed can be written into a suite.
    """
    variance = _of_unit(spread, design, span)
    plain = _plain(spread, design.epochs) and design.members == 1
    given: dict[str, Any] = {"discordance": variance} if plain else {"variance": variance}
    units = math.floor(n / design.members)
    if units < 1:
        return None
    found = resolvable_margin(units, **given, power=design.power, share=design.share)
    return _rounded_up(found * span) if found < LARGEST else None


def _rounded_up(value: float, digits: int = 3) -> float:
    places = digits - 1 - math.floor(math.log10(value))
    scale = 10.0**places
    return round(math.ceil(value * scale - _ULPS) / scale, places)


def _of_unit(spread: Spread, design: Design, span: float) -> float:
    """Return the variance of one unit's difference, in the metric's span; of plain binary pairs, the discordance."""
    return min(1.0, spread.at(design.epochs) * spread.deff / design.members / span**2)


def _plain(spread: Spread, epochs: int) -> bool:
    return spread.kind == "binary" and epochs == 1
