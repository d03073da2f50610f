"""How many samples a gate may ask: fixed before the first look, from what earlier runs say of the spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llmkit.gate.order import Units
from llmkit.plan.margins import Block, Rows, count_rows, design_for, design_of, in_metric, margins_of
from llmkit.plan.reach import Design, least_margin, rule_of, sizes
from llmkit.plan.spread import spread_of
from llmkit.plans import MarginPlan, Spread
from llmkit.runs.store import Store
from llmkit.suites.gating import Gating
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
        resolvable: Metric, with its slice → the smallest margin that ``n_max`` can decide, where that is above the one
            asked for.
        spreads: Metric → the spread that was expected.
        design: How each metric is looked at.
        rows: What there is, whole and in parts.
    """

    n_max: int
    wanted: int
    source: str
    resolvable: Mapping[str, float]
    spreads: Mapping[str, Spread]
    design: Design
    rows: Rows

    def block(self, part: tuple[str, str] | None) -> Block:
        """Return the whole, or one part of a slice."""
        return self.rows.whole if part is None else self.rows.parts[part[0]][part[1]]

    def design_at(self, part: tuple[str, str] | None) -> Design:
        """Return how a metric is looked at, whole or in one part."""
        return self.design if part is None else design_for(self.design, self.block(part))


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
    short = [plan for plan in plans if n_max < wanted and plan.resolvable and plan.resolvable > plan.margin]
    resolvable = {_named(plan): plan.resolvable for plan in short if plan.resolvable}
    sources = dict.fromkeys(plan.source for plan in plans)
    return Size(n_max, wanted, "; ".join(sources), resolvable, spreads, design, rows)


def needs_of(
    g: Gating, margin: float, spread: Spread, n: int, design: Design, available: Block, whole: Block | None = None
) -> Needs:
    """Return what would decide an undecided metric: a run planned anew, or a wider margin.

    Args:
        g: The metric.
        margin: Its own, or its slice's.
        spread: Of the pairs seen; the effect seen is noise, and plans nothing.
        n: Units that it was undecided with.
        design: How it was looked at.
        available: What the data set has of it: of a slice's part, that part.
        whole: The whole data set, of a part; None of a whole metric.
    """
    rule = rule_of(g)

    def units_at(epochs: int) -> int:
        samples = sizes(margin * g.shrink, spread, replace(design, epochs=epochs), rule).n
        return math.ceil(samples / design.members)

    wanted, epochs = units_at(design.epochs), None
    if wanted > available.units and spread.within:
        epochs = next((k for k in EPOCHS if k > design.epochs and units_at(k) <= available.units), None)
    least = in_metric(g, least_margin(spread, math.floor(n * design.members), design, rule))
    of_all = None if whole is None else math.ceil(wanted * whole.units / max(1, available.units))
    return Needs(wanted, least, epochs, available.units, of_all)


def _units(plan: MarginPlan, rows: Rows) -> int:
    """Return the units of the whole data set that a plan needs; a slice is only a part of them."""
    samples = plan.n_max if plan.slice is None else plan.n_max * rows.rows / max(1, plan.available)
    return math.ceil(samples / rows.whole.members)


def _named(plan: MarginPlan) -> str:
    return plan.metric if plan.slice is None else f"{plan.metric} {plan.slice}={plan.part}"


def _before(store: Store, suite: Suite, comparison: str) -> int | None:
    for run in store.runs():
        experiment = run.config.get("experiment", {})
        if run.suite == suite.name and experiment.get("comparison") == comparison:
            return int(experiment["n_max"])
    return None
