"""``llmkit plan``: what suites can show, what that costs, and, with an A/A run, how much of it is noise."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from llmkit.config import Settings, load_settings
from llmkit.errors import UnknownNameError, UsageError
from llmkit.plan.margins import Rows, count_rows, design_of, gated_parts, margins_of
from llmkit.plan.noise import noise_floor
from llmkit.plan.outlay import outlays_of, pace_of, worst_of
from llmkit.plan.reach import Design, metric_plan
from llmkit.plan.same import Twice, ask_twice
from llmkit.plan.spread import spread_of
from llmkit.plans import MarginPlan, MetricPlan, NoiseFloor, Spread, SuitePlan
from llmkit.providers.base import Provider
from llmkit.providers.pricing import Prices
from llmkit.runs.evaluate import Hooks
from llmkit.runs.options import Options
from llmkit.runs.pairs import pairs_of
from llmkit.runs.plan import Plan
from llmkit.runs.store import FILE, Store
from llmkit.scoring import Scorer
from llmkit.stats.sequential.trial import ALPHA
from llmkit.suites.builtin import builtin_suites
from llmkit.suites.gating import Gating, gating, of_scorer, span_of
from llmkit.suites.suite import Suite
from llmkit.suites.teaching import taught_suite

UNEQUAL = 1.05
"""Clusters worth one of equal size, from which on it is worth a word."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a plan shall answer.

    Attributes:
        effect: A difference, as a share of each metric's span, whose samples are wanted.
        n: Samples to plan with, in place of the data set's.
        power: Chance to see a difference that is there.
        metrics: Only these; empty: all.
    """

    effect: float | None = None
    n: int | None = None
    power: float = 0.8
    metrics: tuple[str, ...] = ()

    def check(self, suites: Sequence[Suite]) -> None:
        """Refuse what cannot be answered.

        Raises:
            UsageError: A figure out of range.
            UnknownNameError: A metric that no suite has.
        """
        if self.effect is not None and not 0 < self.effect < 1:
            raise UsageError(
                f"--effect {self.effect:g} is out of range",
                hint="It is a share of the metric's range, between 0 and 1: .03 is three points of a hundred",
            )
        if self.n is not None and self.n < 2:
            raise UsageError(f"--n {self.n}: a difference needs at least 2 samples")
        if not 0 < self.power < 1:
            raise UsageError(f"--power {self.power:g} is out of range", hint="It lies between 0 and 1, such as .8")
        known = {name for suite in suites for name in (*(s.name for s in suite.scorers), *(suite.spec.gate or ()))}
        for name in self.metrics:
            if name not in known:
                raise UnknownNameError("metric", name, known)


async def make_plans(
    suites: Sequence[str], models: Sequence[str] | None, *, options: Options, question: Question | None = None
) -> list[SuitePlan]:
    """Plan each suite on each model. No call is made, and no API key is needed.

    Args:
        suites: Paths or names.
        models: Names; None: what the suites, their prompts or llmkit.toml say.
        options: As for ``evaluate``.
        question: What is wanted to be known.

    Raises:
        UsageError: What is named cannot be planned.
    """
    question, settings = question or Question(), load_settings()
    pairs = pairs_of(suites, models, options, settings, display=True)
    question.check([plan.suite for plan, _ in pairs])
    folder = options.store or settings.store_path
    store = Store(folder, create=False, read_only=True) if (folder / FILE).exists() else None
    try:
        return [await _plan(plan, provider, store, question, settings) for plan, provider in pairs]
    finally:
        if store is not None:
            store.close()


async def make_noise_plans(
    suites: Sequence[str],
    models: Sequence[str] | None,
    *,
    options: Options,
    question: Question | None = None,
    hooks: Hooks | None = None,
) -> tuple[list[SuitePlan], list[Twice]]:
    """Ask each suite's prompt twice on each model, and plan with the noise that this shows.

    Returns:
        The plans, each with its noise floor, of what there is; and how each A/A run ended.

    Raises:
        UsageError: What is named cannot be asked, or a cap cannot be held.
        asyncio.CancelledError: After everything has been kept.
    """
    question, settings = question or Question(), load_settings()
    pairs = pairs_of(suites, models, options, settings)
    question.check([plan.suite for plan, _ in pairs])
    with Store(options.store or settings.store_path) as store:
        ended = await ask_twice(pairs, options, settings, store, hooks or Hooks())
        plans = []
        for (plan, provider), twice in zip(pairs, ended, strict=True):
            # What is planned is the suite, whatever part of it the A/A run asked.
            whole = replace(plan, suite=taught_suite(plan.suite), limit=plan.suite.limit, rows=plan.suite.check())
            gatings = _asked(gating(plan.suite), question)
            floor = noise_floor(store, twice.runs, plan.suite, gatings, whole.rows or 1, seed=plan.seed)
            plans.append(await _plan(whole, provider, store, question, settings, floor))
    return plans, ended


async def _plan(
    plan: Plan,
    provider: Provider,
    store: Store | None,
    question: Question,
    settings: Settings,
    floor: NoiseFloor | None = None,
) -> SuitePlan:
    suite, gatings = plan.suite, gating(plan.suite)
    spreads = spread_of(store, suite, plan.model.name, params=plan.model.params)
    rows = count_rows(suite.samples(plan.limit), clustered=suite.spec.map.cluster is not None, slices=suite.slice_names)
    n = question.n or rows.rows
    used = rows if question.n is None else rows.scaled(question.n)
    design = design_of(gatings, used, plan.epochs)
    asked = [s for s in suite.scorers if not question.metrics or s.name in question.metrics]
    wanted = [s for s in asked if of_scorer(s) != "retries"]
    metrics = tuple(
        metric_plan(
            s.name, spreads[s.name], n, design, span=span_of(s), effect=question.effect, power=question.power,
            higher_is_better=s.higher_is_better,
        )
        for s in wanted
    )  # fmt: skip
    assumed = [metric.spread for metric in metrics]
    margins = margins_of(_asked(gatings, question), spreads, used, design)
    worst = await worst_of(plan, provider, Prices(settings.prices))
    pace = pace_of(store, suite.name, plan.model.name)
    gate_n = max((_of_all(m, n) for m in margins), default=None)
    return SuitePlan(
        suite.name, plan.model.name, rows.rows, n, plan.epochs, question.power, question.effect, metrics, margins,
        outlays_of(worst, pace, plan, n, gate_n), worst.unknown, None if pace is None else pace.basis, used.clusters,
        (*_endless(asked, gatings), *_notes(assumed, gatings, used, design)), floor,
        _next(plan, assumed, margins, metrics),
    )  # fmt: skip


def _asked(gatings: Sequence[Gating], question: Question) -> tuple[Gating, ...]:
    return tuple(g for g in gatings if not question.metrics or g.name in question.metrics)


def _notes(spreads: Sequence[Spread], gatings: Sequence[Gating], rows: Rows, design: Design) -> tuple[str, ...]:
    """Say what the figures assume, beside where each spread comes from."""
    notes = []
    if any(spread.n for spread in spreads):
        notes.append("spreads are planned with their upper 80 % limit")
    if any(spread.measured and spread.within == spread.seen for spread in spreads):
        notes.append("they are noise alone: prompts that answer otherwise differ more, and need more samples")
    if rows.clusters is not None:
        said = f"{rows.rows:,} samples in {rows.clusters:,} clusters, of which the gate takes none apart"
        if rows.whole.unequal > UNEQUAL:
            said += (
                f"; their sizes differ, so that they decide as {rows.clusters / rows.whole.unequal:,.0f} of one size"
            )
        notes.append(said)
    notes += [
        f"{g.name} is a judge's: of a difference, {g.shrink:.2f} is left in its verdicts, so that its margin takes"
        f" {1 / g.shrink**2:.1f} times the samples"
        for g in gatings
        if g.shrink < 1
    ]
    notes += _shared(gatings, rows, design)
    return tuple(notes)


def _endless(scorers: Sequence[Scorer], gatings: Sequence[Gating]) -> list[str]:
    """Say why a metric that nothing bounds is not among those that samples can show something of."""
    gated = {g.name for g in gatings}
    return [
        f"{s.name} has no largest value: it is planned by its margin, a share of what base costs"
        + ("" if s.name in gated else f", where it is gated (gate: {{{s.name}: {{max_rise: .10}}}})")
        for s in scorers
        if of_scorer(s) == "retries"
    ]


def _shared(gatings: Sequence[Gating], rows: Rows, design: Design) -> list[str]:
    """Say what several measures cost each of them, as the gate will have it."""
    parts = gated_parts(gatings, rows)
    if len(gatings) + parts < 2:
        return []
    levels = [_level(design.share)]
    said = f"{len(gatings)} metrics are gated" if len(gatings) > 1 else "1 metric is gated"
    if parts:
        said += f", and {parts} part{'s' if parts > 1 else ''} of slices"
        levels.append(f"that of a part at {_level(design.part_share)}")
    said += f", which must all pass: each at {100 * design.power:.3g} % power"
    return [f"{said}, its failure at {', '.join(levels)}"]


def _level(share: float) -> str:
    """Write a share of alpha as the level that it is."""
    return f"{100 * ALPHA:g} % / {1 / share:.4g}"


def _of_all(m: MarginPlan, n: int) -> int:
    """Return the samples of the whole suite that a margin asks for: a slice's, over its share of them."""
    return min(n, math.ceil(m.n_max * n / m.available)) if m.available else n


def _next(plan: Plan, spreads: Sequence[Spread], margins: Sequence[MarginPlan], metrics: Sequence[MetricPlan]) -> str:
    """Say what follows: measure what is assumed, mend a margin that cannot be decided, or go."""
    suite = _named(plan.suite)
    if not all(spread.measured for spread in spreads):
        return f"llmkit plan {suite} -m {shlex.quote(plan.model.name)} --aa   # measures what is assumed here"
    small = [m for m in margins if m.resolvable is not None]
    if small:
        asked = ", ".join(f"{m.metric}{f' by {m.slice}' if m.slice else ''}: {m.resolvable:.3g}" for m in small)
        epochs = _epochs_for(small, metrics)
        more = f"`epochs: {epochs}`, or " if epochs else ""
        return f"add rows, or in {suite}: {more}margins that its rows can decide ({asked}); then: llmkit gate"
    if margins:
        return "llmkit gate"
    if not metrics:
        return f"gate a metric in {suite}; then: llmkit gate"
    least = next(((m, r.margin) for m in metrics for r in m.reach if r.margin is not None), None)
    if least is None:
        return "add rows: these decide no margin at all"
    metric, margin = least
    word = "max_drop" if metric.higher_is_better else "max_rise"
    return f"in {suite}: `gate: {{{metric.name}: {{{word}: X}}}}`, X from {margin:.3g} on; then: llmkit gate"


def _epochs_for(small: Sequence[MarginPlan], metrics: Sequence[MetricPlan]) -> int | None:
    """Return the epochs with which the rows there are decide these margins; None where none do, or of slices."""
    reach = {metric.name: metric.reach for metric in metrics}
    least = []
    for m in small:
        rows = reach.get(m.metric, ()) if m.slice is None else ()
        least.append(next((r.epochs for r in rows if r.margin is not None and r.margin <= m.margin), None))
    known = [epochs for epochs in least if epochs is not None]
    return max(known) if len(known) == len(least) else None


def _named(suite: Suite) -> str:
    """Return what the suite is called on the command line."""
    if suite.path is None or suite.path in builtin_suites().values():
        return shlex.quote(suite.name)
    path = Path(os.path.relpath(suite.path))
    named = str(suite.path if path.parts[:1] == ("..",) else path)
    return shlex.quote(named if suite.variant is None else f"{named}:{suite.variant}")
