"""How many samples a gate may ask: fixed before the first look, from what earlier runs say of the spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llmkit.gate.order import Units
from llmkit.plan.margins import Rows, count_rows, design_of, margins_of
from llmkit.plan.reach import Design, least_margin, sizes
from llmkit.plan.spread import spread_of
from llmkit.plans import MarginPlan, Spread
from llmkit.runs.store import Store
from llmkit.suites.gating import Gating, span_of
from llmkit.suites.suite import Suite
from llmkit.verdicts import Needs

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
        design: How each metric is looked at.
    """

    n_max: int
    wanted: int
    source: str
    resolvable: Mapping[str, float]
    spreads: Mapping[str, Spread]
    design: Design


def size_of(
    store: Store, suite: Suite, model: str, gatings: Sequence[Gating], units: Units, epochs: int, comparison: str
) -> Size:
    """Return how many units both verdicts need for every gating metric, and how many there are.

    A gate that was run before on the same two sides keeps its number: what was seen since must not move the looks.
    """
    spreads = spread_of(store, suite, model)
    samples = (sample for unit in units.units for sample in unit.samples)
    rows = count_rows(samples, clustered=units.clustered, slices=suite.slice_names)
    design = design_of(gatings, rows, epochs)
    plans = margins_of(gatings, spreads, rows, design, simulated=False)
    wanted = max((_units(plan, rows) for plan in plans), default=0)
    n_max = min(_before(store, suite, comparison) or wanted, len(units.units))
    short = (plan for plan in plans if plan.slice is None and n_max < wanted)
    resolvable = {plan.metric: least for plan in short if (least := plan.resolvable) and least > plan.margin}
    sources = dict.fromkeys(plan.source for plan in plans)
    return Size(n_max, wanted, "; ".join(sources), resolvable, spreads, design)


def needs_of(g: Gating, margin: float, spread: Spread, n: int, available: int, design: Design) -> Needs:
    """Return what would decide an undecided metric: a run planned anew, or a wider margin.

    Args:
        g: The metric.
        margin: Its own, or its slice's.
        spread: Of the pairs seen; the effect seen is noise, and plans nothing.
        n: Units that it was undecided with.
        available: Units that the data set has.
        design: Of this run.
    """

    def units_at(epochs: int) -> int:
        samples = sizes(margin, spread, replace(design, epochs=epochs), span_of(g.scorer)).n
        return math.ceil(samples / design.members)

    wanted, epochs = units_at(design.epochs), None
    if wanted > available and spread.within:
        epochs = next((k for k in EPOCHS if k > design.epochs and units_at(k) <= available), None)
    least = least_margin(spread, math.floor(n * design.members), design, span_of(g.scorer))
    return Needs(wanted, least, epochs)


def _units(plan: MarginPlan, rows: Rows) -> int:
    """Return the units of the whole data set that a plan needs; a slice is only a part of them."""
    samples = plan.n_max if plan.slice is None else plan.n_max * rows.rows / max(1, plan.available)
    return math.ceil(samples / rows.members)


def _before(store: Store, suite: Suite, comparison: str) -> int | None:
    for run in store.runs():
        experiment = run.config.get("experiment", {})
        if run.suite == suite.name and experiment.get("comparison") == comparison:
            return int(experiment["n_max"])
    return None
