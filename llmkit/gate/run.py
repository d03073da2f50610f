"""The gate: what changed → both sides asked → a verdict a suite. The command line is a thin shell over this."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from llmkit.config import Settings, load_settings
from llmkit.errors import UsageError
from llmkit.gate.against import against
from llmkit.gate.arms import Means
from llmkit.gate.baseline import Baseline, load
from llmkit.gate.behind import behind
from llmkit.gate.changes import Diff, Reached, changed
from llmkit.gate.experiment import GateHooks, run_experiment
from llmkit.gate.flips import flips_of
from llmkit.gate.judging import deciding, refused
from llmkit.gate.models import Models
from llmkit.gate.options import GateOptions, seconds
from llmkit.gate.setup import Setup, set_up
from llmkit.gate.verdict import UNDECIDED, exit_code, suite_verdict
from llmkit.providers.budget import Budget
from llmkit.providers.pricing import Prices
from llmkit.runs.asking import ready
from llmkit.runs.grade import prepare
from llmkit.runs.judging import Bench
from llmkit.runs.pairs import check_cap
from llmkit.runs.plan import new_run_id
from llmkit.runs.store import Store
from llmkit.stats.sequential.trial import ALPHA
from llmkit.suites.adapt import adapted
from llmkit.suites.gating import gating
from llmkit.verdicts import GateReport, MetricVerdict, OnInconclusive, SuiteVerdict, Verdict

WORST_FIRST = (4, 1, 3, 0)
"""What broke says that no verdict can be relied on; a proven drop is an answer, too little evidence is none."""


async def gate(options: GateOptions | None = None, hooks: GateHooks | None = None) -> GateReport:
    """Hold what changed against its base, and say pass, fail or not enough evidence.

    Args:
        options: How.
        hooks: What to be told on the way.

    Raises:
        LlmkitError: What is named cannot be gated.
    """
    options, hooks = options or GateOptions(), hooks or GateHooks()
    began, settings = time.perf_counter(), load_settings()
    on_inconclusive = options.on_inconclusive or settings.gate.on_inconclusive
    with Store(options.store or settings.store_path) as store:
        means = _means(options, settings, store)
        keyless = options.offline or options.listed
        models = Models(options.concurrency or settings.concurrency, keyless=keyless)
        async with _diff(options, settings, store, models) as (diff, baselines), models, means.bench:
            way = _Gate(options, models, means, hooks, on_inconclusive)
            suites = [await way.suite(reached, baselines.get(reached.suite.name)) for reached in diff.reached]
    return GateReport(
        verdict=_verdict(suites),
        exit_code=0 if options.listed else _worst(suites),
        suites=tuple(suites),
        base=diff.base,
        head=diff.head,
        untouched=diff.untouched,
        on_inconclusive=on_inconclusive,
        alpha=ALPHA,
        seed=options.seed,
        listed=options.listed,
        wall_s=time.perf_counter() - began,
        notes=diff.notes,
    )


@asynccontextmanager
async def _diff(
    options: GateOptions, settings: Settings, store: Store, models: Models
) -> AsyncIterator[tuple[Diff, dict[str, Baseline]]]:
    """Find what changed, from git or from baselines."""
    if options.baseline:
        if options.base is not None:
            raise UsageError("--base and --baseline are two ways to say the same: give one of them")
        baselines = [load(name, store) for name in options.baseline]
        yield await against(baselines, options, settings, models)
        return
    with changed(
        settings, base=options.base, suites=options.suites or None, model=options.model, params=options.params
    ) as diff:
        yield replace(diff, reached=tuple(_with_examples(one, options) for one in diff.reached)), {}


def _with_examples(reached: Reached, options: GateOptions) -> Reached:
    """Give both sides the examples that the command line asks for."""
    asked, data = options.few_shot, options.few_shot_data
    base = None if reached.base is None else adapted(reached.base, few_shot=asked, few_shot_data=data)
    return replace(reached, suite=adapted(reached.suite, few_shot=asked, few_shot_data=data), base=base)


def _means(options: GateOptions, settings: Settings, store: Store) -> Means:
    age = options.max_age
    if age is None:
        age = seconds(settings.gate.max_age, settings.where("gate", "max_age"))
    cap = options.max_cost if options.max_cost is not None else settings.max_cost_usd
    budget, since, cache = Budget(cap), time.time() - age, options.cache or options.offline
    return Means(
        store=store,
        prices=Prices(settings.prices),
        budget=budget,
        retry=options.retry,
        since=since,
        cache=cache,
        offline=options.offline,
        bench=Bench(
            store, settings, budget=budget, cache=cache, since=since, offline=options.offline, retry=options.retry,
            concurrency=options.concurrency,
        ),
    )  # fmt: skip


class _Gate:
    """One gate's way through a suite.

    Args:
        options: How.
        models: Those that are asked.
        means: What both sides of every suite share.
        hooks: What to be told on the way.
        on_inconclusive: What too little evidence means.
    """

    def __init__(
        self,
        options: GateOptions,
        models: Models,
        means: Means,
        hooks: GateHooks,
        on_inconclusive: OnInconclusive | None,
    ) -> None:
        self._options, self._models, self._means, self._hooks = options, models, means, hooks
        self._on_inconclusive = on_inconclusive

    async def suite(self, reached: Reached, baseline: Baseline | None) -> SuiteVerdict:
        """Gate one suite."""
        path = str(reached.suite.path) if reached.suite.path else None
        new = any(change.part == "suite" and change.how == "added" for change in reached.changes)
        plain = SuiteVerdict(reached.suite.name, path, "undecided", changes=reached.changes, new=new)
        has_base = baseline is not None or (reached.base is not None and reached.base_model is not None)
        if reached.asks and has_base:  # before a judge is checked: its lock may name the weights, as its signature does
            await self._models.fetch_for(reached.suite)
        judges = deciding(gating(reached.suite))
        bad = refused(judges)
        if bad and not new:
            return self._refused(plain, bad)
        if not reached.asks:
            return replace(plain, verdict="pass", reason="nothing that the model is asked has changed")
        if not has_base:
            why = reached.reason or "base names no model"
            notes = tuple(f"once there is a base, nothing will be asked: {metric.reason}" for metric in bad)
            return replace(plain, reason=why, exit_code=0 if new else self._inconclusive, notes=notes)
        gate_id = f"{new_run_id()}-{secrets.token_hex(2)}"
        setup = await set_up(reached, baseline, self._options, self._models, self._means, gate_id, judges)
        plain = replace(plain, planned=setup.planned)
        if setup.unrenderable is not None:
            why = f"base's prompt cannot be rendered on head's data: {setup.unrenderable}"
            return replace(plain, reason=why, exit_code=self._inconclusive)
        if baseline is None and setup.same == setup.pairs:
            why = f"all {setup.pairs} requests are the same on both sides, so no difference can be"
            return replace(plain, verdict="pass", reason=why, same=setup.same)
        return plain if self._options.listed else await self._decided(setup)

    def _refused(self, plain: SuiteVerdict, bad: Sequence[MetricVerdict]) -> SuiteVerdict:
        """Return that nothing was asked, for a judge may not decide: no option makes that a pass."""
        said = "; ".join(metric.reason or "" for metric in bad)
        why = said if self._options.listed else "nothing was asked, for a judge may not decide"
        return replace(plain, metrics=tuple(bad), reason=why, exit_code=UNDECIDED)

    @property
    def _inconclusive(self) -> int:
        return exit_code("undecided", self._on_inconclusive)

    async def _decided(self, setup: Setup) -> SuiteVerdict:
        suite, means, models = setup.reached.suite, self._means, self._models
        prepare(suite.scorers)
        if not self._options.offline:
            await ready(means.bench, suite.scorers, () if suite.form is None else suite.form.checks)
        plans = [plan for plan in (setup.base, setup.head) if plan is not None]
        if means.budget.cap_usd is not None and not self._options.offline:
            await check_cap([(plan, models.provider(plan.model)) for plan in plans], means.prices)
        self._hooks.planned(suite.name, setup.planned)
        found = await run_experiment(setup, models, means, self._hooks, offline=self._options.offline)
        verdict = suite_verdict(setup, found, await behind(setup, found, means), self._on_inconclusive)
        for result in found.results.values():
            means.store.note(result.run_id, {"verdict": verdict.verdict})
        flips, flipped = flips_of(means.store, setup, found, self._options.flips)
        return replace(verdict, flips=flips, flipped=flipped)


def _verdict(suites: Sequence[SuiteVerdict]) -> Verdict:
    verdicts = {suite.verdict for suite in suites if not suite.new}
    return "fail" if "fail" in verdicts else "undecided" if "undecided" in verdicts else "pass"


def _worst(suites: Sequence[SuiteVerdict]) -> int:
    codes = {suite.exit_code for suite in suites}
    return next((code for code in WORST_FIRST if code in codes), 0)
