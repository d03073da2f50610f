"""How many samples a gate may ask: fixed before the first look, from what earlier runs say of the spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmkit.gate.measures import parts
from llmkit.gate.order import Units
from llmkit.plan.spread import spread_of
from llmkit.plans import Spread
from llmkit.runs.store import Store
from llmkit.stats.sequential.power import powered_n
from llmkit.stats.sequential.sizing import metric_power, planned_n, planned_n_graded, resolvable_margin
from llmkit.suites.gating import Gating, span_of
from llmkit.suites.suite import Suite
from llmkit.verdicts import Needs

AMOUNT_UNITS = 400
"""For cost and latency of an unknown spread: 400 pairs leave 20 beyond a 95th percentile."""
STAIRCASE = 400
"""Units up to which the formula is checked by simulation: there the discrete tests may need a few more."""
SIMULATED = 1_000
"""Trials of that simulation: half a second, and a standard error of 1.3 % at 80 %."""
EPOCHS = (2, 4, 8, 16)
"""Epochs that are offered in place of samples that there are not."""


@dataclass(frozen=True)
class Size:
    """The number of units, and why.

    Attributes:
        n_max: Units at the last look.
        wanted: Units that all metrics need for both verdicts.
        source: Where the expected spread comes from.
        resolvable: Metric → the smallest margin that ``n_max`` can decide, where that is above the one asked for.
        spreads: Metric → the spread that was expected.
        spacing: What turns samples into units.
    """

    n_max: int
    wanted: int
    source: str
    resolvable: Mapping[str, float]
    spreads: Mapping[str, Spread]
    spacing: Spacing


@dataclass(frozen=True)
class Spacing:
    """What turns samples into units.

    Attributes:
        epochs: How often each sample is asked; its mean counts.
        members: Samples of a unit, on average.
        power: Of each verdict, planned.
        share: Of alpha, for the failure.
    """

    epochs: int
    members: float
    power: float
    share: float = 1.0


def size_of(
    store: Store, suite: Suite, model: str, gatings: Sequence[Gating], units: Units, epochs: int, comparison: str
) -> Size:
    """Return how many units both verdicts need for every gating metric, and how many there are.

    A gate that was run before on the same two sides keeps its number: what was seen since must not move the looks.
    """
    spreads = spread_of(store, suite, model)
    available = len(units.units)
    members = sum(len(unit.samples) for unit in units.units) / max(1, available)
    spacing = Spacing(epochs, members, metric_power(len(gatings)), 1 / len(gatings))
    wanted = max((_wanted(g, spreads.get(g.name), units, spacing) for g in gatings), default=0)
    n_max = min(_before(store, suite, comparison) or wanted, available)
    resolvable = {}
    for g in gatings if n_max < wanted else ():
        least = least_margin(g, spreads.get(g.name), n_max, spacing)
        if least is not None and least > g.margin:
            resolvable[g.name] = least
    sources = dict.fromkeys(_said(spreads[g.name]) for g in gatings if g.name in spreads)
    return Size(n_max, wanted, "; ".join(sources) or "nothing is known", resolvable, spreads, spacing)


def _before(store: Store, suite: Suite, comparison: str) -> int | None:
    for run in store.runs():
        experiment = run.config.get("experiment", {})
        if run.suite == suite.name and experiment.get("comparison") == comparison:
            return int(experiment["n_max"])
    return None


def units_for(g: Gating, spread: Spread, margin: float, spacing: Spacing) -> int:
    """Return the units that both verdicts need at ``margin``."""
    span = span_of(g.scorer)
    unit, variance = margin / span, _variance(g, spread, spacing)
    if unit >= 1:
        return AMOUNT_UNITS
    if _plain(spread, spacing):
        n = planned_n(unit, variance, power=spacing.power, share=spacing.share).n
        if n <= STAIRCASE:
            n = powered_n(unit, variance, power=spacing.power, share=spacing.share, runs=SIMULATED).n
        return n
    return planned_n_graded(unit, variance, power=spacing.power, share=spacing.share).n


def least_margin(g: Gating, spread: Spread | None, n: int, spacing: Spacing) -> float | None:
    """Return the smallest margin, in the metric's unit, that ``n`` units can decide; None where none can."""
    if spread is None or n < 1:
        return None
    variance = _variance(g, spread, spacing)
    given = {"discordance": variance} if _plain(spread, spacing) else {"variance": variance}
    try:
        found = resolvable_margin(n, **given, power=spacing.power, share=spacing.share)
    except ValueError:  # not even the largest margin
        return None
    return found * span_of(g.scorer) if found < LARGEST else None


def needs_of(g: Gating, margin: float, spread: Spread, n: int, available: int, spacing: Spacing) -> Needs:
    """Return what would decide an undecided metric: a run planned anew, or a wider margin.

    Args:
        g: The metric.
        margin: Its own, or its slice's.
        spread: Of the pairs seen; the effect seen is noise, and plans nothing.
        n: Units that it was undecided with.
        available: Units that the data set has.
        spacing: Of this run.
    """
    samples = units_for(g, spread, margin, spacing)
    epochs = None
    if samples > available and spread.within:
        more = (k for k in EPOCHS if k > spacing.epochs)
        each = (k for k in more if units_for(g, spread, margin, _at(spacing, k)) <= available)
        epochs = next(each, None)
    return Needs(samples, least_margin(g, spread, n, spacing), epochs)


LARGEST = 0.99
"""A margin above this rules out nothing that anyone would ask about."""


def _at(spacing: Spacing, epochs: int) -> Spacing:
    return Spacing(epochs, spacing.members, spacing.power, spacing.share)


def _wanted(g: Gating, spread: Spread | None, units: Units, spacing: Spacing) -> int:
    if spread is None:
        return AMOUNT_UNITS
    if g.kind == "latency":
        return max(AMOUNT_UNITS, units_for(g, spread, g.margin, spacing))
    most = units_for(g, spread, g.margin, spacing)
    for name, margin in g.slices.items():
        needed = units_for(g, spread, margin, spacing)
        for count in parts(units.units, name).values():
            most = max(most, math.ceil(needed * len(units.units) / count))
    return most


def _variance(g: Gating, spread: Spread, spacing: Spacing) -> float:
    """Return the variance of one unit's difference, in the metric's span; of plain binary pairs, the discordance."""
    of_unit = spread.at(spacing.epochs) * spread.deff / spacing.members
    return min(1.0, of_unit / span_of(g.scorer) ** 2)


def _plain(spread: Spread, spacing: Spacing) -> bool:
    return spread.kind == "binary" and spacing.epochs == 1 and spacing.members == 1


def _said(spread: Spread) -> str:
    return f"{spread.source} ({', '.join(spread.notes)})" if spread.notes else spread.source
