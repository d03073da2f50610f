"""What a number of samples can show of one metric, and how many an effect needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from llmkit.plans import MetricPlan, Reach, Spread
from llmkit.stats.power import binary_n, mean_n
from llmkit.stats.sequential.rises import planned_n_quantile, planned_n_ratio
from llmkit.stats.sequential.roots import crossing
from llmkit.stats.sequential.sizing import Sizes, planned_n, planned_n_graded, resolvable_margin
from llmkit.suites.gating import LARGEST_RISE, Gating, span_of

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
        unequal: Units worth one of equal size, 1 + cv² of the clusters' sizes.
        part_share: Of alpha, for the failure of one part of a gated slice.
    """

    epochs: int = 1
    power: float = 0.82
    share: float = 1.0
    members: float = 1.0
    unequal: float = 1.0
    part_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """Which of the gate's rules judges a metric.

    Attributes:
        span: How far the metric's values can lie apart.
        relative: Whether it is a rise in base's value, which nothing bounds.
        quantile: Which quantile rises; None: the mean.
    """

    span: float = 1.0
    relative: bool = False
    quantile: float | None = None


def rule_of(gating: Gating) -> Rule:
    """Return the rule that the gate has for a metric."""
    return Rule(span_of(gating.scorer), gating.relative, gating.quantile)


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
        least = least_margin(spread, n, replace(design, epochs=epochs), Rule(span))
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


def sizes(margin: float, spread: Spread, design: Design, rule: Rule = Rule()) -> Sizes:
    """Return the samples that each verdict of a gate needs at ``margin``, in the metric's unit.

    Raises:
        ValueError: A margin that is not within the span.
    """
    found = _units(margin, spread, design, rule)
    # Each rule but a quantile's sums over samples: clusters of unequal size are worth fewer of one size.
    samples = design.members * (1.0 if rule.quantile is not None else design.unequal)
    return Sizes(*(math.ceil(n * samples - _ULPS) for n in (found.n_fail, found.n_pass, found.n)))


def _units(margin: float, spread: Spread, design: Design, rule: Rule) -> Sizes:
    """Return the units, of one size, that each verdict needs."""
    variance = _of_unit(spread, design, rule)
    if rule.quantile is not None:
        return planned_n_quantile(margin, variance, rule.quantile, power=design.power, share=design.share)
    if rule.relative:
        own = spread.own * spread.deff / design.members
        return planned_n_ratio(margin, variance, own, power=design.power, share=design.share)
    planned = planned_n if plain(spread, design) else planned_n_graded
    return planned(margin / rule.span, variance, power=design.power, share=design.share)


def least_margin(spread: Spread, n: int, design: Design, rule: Rule = Rule()) -> float | None:
    """Return the smallest margin, in the metric's unit, that ``n`` samples can decide; None where none can.

    It is rounded up to three digits, so that what is printed can be written into a suite.
    """
    if rule.relative:
        found = crossing(lambda margin: n - sizes(margin, spread, design, rule).n, 1e-4, LARGEST_RISE, tolerance=1e-6)
        return rounded_up(found) if found < LARGEST_RISE - 1e-4 else None
    variance = _of_unit(spread, design, rule)
    given: dict[str, Any] = {"discordance": variance} if plain(spread, design) else {"variance": variance}
    units = math.floor(n / design.members / design.unequal + _ULPS)
    if units < 1:
        return None
    found = resolvable_margin(units, **given, power=design.power, share=design.share)
    return rounded_up(found * rule.span) if found < LARGEST else None


def rounded_up(value: float, digits: int = 3) -> float:
    """Return a margin rounded up, so that what is printed can be decided."""
    places = digits - 1 - math.floor(math.log10(value))
    scale = 10.0**places
    return round(math.ceil(value * scale - _ULPS) / scale, places)


def _of_unit(spread: Spread, design: Design, rule: Rule) -> float:
    """Return the variance of one unit's difference, in the metric's span; of plain binary pairs, the discordance."""
    variance = spread.at(design.epochs) * spread.deff / design.members
    return variance if rule.relative else min(1.0, variance / rule.span**2)


def plain(spread: Spread, design: Design) -> bool:
    """Return whether each unit's difference is −1, 0 or 1."""
    return design.members == 1 and _plain(spread, design.epochs)


def _plain(spread: Spread, epochs: int) -> bool:
    return spread.kind == "binary" and epochs == 1
