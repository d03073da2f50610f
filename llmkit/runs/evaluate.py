"""The main job: suites on models → runs with their results. The command line is a thin shell over this."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmkit.canonical import digest
from llmkit.config import Settings, load_settings
from llmkit.errors import LlmkitError, UsageError
from llmkit.providers.base import ModelRef, Provider
from llmkit.providers.budget import Budget
from llmkit.providers.limits import HIGHEST, limiter_for
from llmkit.providers.pricing import Prices
from llmkit.runs.asking import fetch_all, ready
from llmkit.runs.begin import begin, caller_for, started
from llmkit.runs.drafting import counting
from llmkit.runs.grade import prepare
from llmkit.runs.judging import Bench
from llmkit.runs.options import Options
from llmkit.runs.pairs import check_cap, pairs_of
from llmkit.runs.plan import Plan
from llmkit.runs.preview import preview
from llmkit.runs.result import conclude, how_ended
from llmkit.runs.resume import Planned, plan_run
from llmkit.runs.runner import Runner
from llmkit.runs.state import Observer
from llmkit.runs.store import Store
from llmkit.sandbox.choose import asked
from llmkit.suites.suite import Suite
from llmkit.types import RunResult, RunStatus, SampleResult


@dataclass(frozen=True, slots=True)
class Ending:
    """A run's result, and what stopped it before its end."""

    result: RunResult
    error: LlmkitError | None = None


class Hooks:
    """What a caller wants to see while runs go on. The default sees nothing."""

    def planned(self, plans: Sequence[tuple[str, Plan]], resumed: Mapping[str, float]) -> None:
        """Take all (run id, plan) pairs before the first call; ``resumed``: run id → dollars paid before."""

    def observer(self, run_id: str, plan: Plan) -> Observer | None:
        """Return what is told about one run's progress."""
        return None

    def shown(self, plan: Plan, results: Sequence[SampleResult]) -> bool:
        """Take the samples asked for by ``Options.sample``; False stops before the rest is asked."""
        return True

    def ended(self, ending: Ending) -> None:
        """Take a run's end, also an interrupted one's."""


def evaluate(
    suites: str | Suite | Sequence[str | Suite],
    models: str | ModelRef | Sequence[str | ModelRef] | None = None,
    *,
    options: Options | None = None,
    hooks: Hooks | None = None,
) -> list[RunResult]:
    """Run suites on models and return one result a pair, models side by side in the order given.

    Args:
        suites: Paths of suite files, names of built-in suites, or loaded suites.
        models: ``provider/model`` names; where None, what the suite, its prompt or llmkit.toml names.
        options: How to evaluate.
        hooks: What to be told on the way.

    Raises:
        UsageError: An event loop runs already, as in a notebook.
        LlmkitError: What stopped a run before its end; the store keeps everything that was answered.
    """
    if in_a_loop():
        raise UsageError(
            "llmkit.evaluate() cannot be called where an event loop runs, as in a notebook",
            hint="Write `await llmkit.evaluate_async(…)`, with the same arguments",
        )
    endings = run_async(evaluate_async(suites, models, options=options, hooks=hooks))
    for ending in endings:
        if ending.error is not None:
            raise ending.error
    return [ending.result for ending in endings]


def in_a_loop() -> bool:
    """Whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run_async(main: Any) -> Any:
    """Run a coroutine on uvloop where it is to be had, else on asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


async def evaluate_async(
    suites: str | Suite | Sequence[str | Suite],
    models: str | ModelRef | Sequence[str | ModelRef] | None = None,
    *,
    options: Options | None = None,
    hooks: Hooks | None = None,
) -> list[Ending]:
    """Like ``evaluate``, for a running event loop; returns how each run ended, errors included."""
    options, hooks = options or Options(), hooks or Hooks()
    with asked(options.sandbox, unsafe=options.unsafe_local):
        return await _evaluate(suites, models, options, hooks)


async def _evaluate(
    suites: str | Suite | Sequence[str | Suite],
    models: str | ModelRef | Sequence[str | ModelRef] | None,
    options: Options,
    hooks: Hooks,
) -> list[Ending]:
    settings = load_settings()
    pairs = pairs_of(suites, models, options, settings)
    cap = options.max_cost if options.max_cost is not None else settings.max_cost_usd
    scorers = [scorer for plan, _ in pairs for scorer in plan.suite.scorers]
    checks = [check for plan, _ in pairs if plan.form is not None for check in plan.form.checks]
    prepare(scorers)
    if cap is not None:
        await check_cap(pairs, Prices(settings.prices))
    await fetch_all([provider for _, provider in pairs], scorers, checks)
    with Store(options.store or settings.store_path) as store, contextlib.ExitStack() as locks:
        await ready(Bench(store, settings, budget=Budget(cap)), scorers, checks)
        planned = [plan_run(plan, provider, options, store, locks) for plan, provider in pairs]
        paid = {p.run_id: store.spent(p.run_id) for p in planned if p.resumed}
        hooks.planned([(p.run_id, p.plan) for p in planned], paid)
        budget = Budget(cap, spent_usd=sum(paid.values()))
        bench = Bench(
            store, settings, budget=budget, cache=options.cache, retry=options.retry, concurrency=options.concurrency
        )
        async with bench:
            return [ending async for ending in _execute(planned, budget, bench, options, hooks, settings, store)]


async def _execute(
    planned: Sequence[Planned],
    budget: Budget,
    bench: Bench,
    options: Options,
    hooks: Hooks,
    settings: Settings,
    store: Store,
) -> AsyncIterator[Ending]:
    """Execute the runs in order; runs of one model share its provider, and all of them their judges."""
    prices = Prices(settings.prices)
    for share in _sharing(planned):
        async with started(share[0].provider) as provider:
            limiter = limiter_for(options.concurrency or settings.concurrency, provider.capabilities.fixed_concurrency)
            for one in share:
                call = caller_for(provider, one.run_id, store, options.retry, limiter, budget, prices)
                workers = HIGHEST if limiter.adaptive else limiter.size
                yield await _one(one, provider, call, workers, bench.share(one.run_id), options, hooks, store)


def _sharing(planned: Sequence[Planned]) -> list[list[Planned]]:
    """Group runs whose providers are the same but for the sampling parameters."""
    groups: dict[str, list[Planned]] = {}
    for p in planned:
        groups.setdefault(digest([p.plan.model.name, dict(p.plan.model.options)]), []).append(p)
    return list(groups.values())


async def _one(
    one: Planned,
    provider: Provider,
    call: Callable[..., Any],
    workers: int,
    bench: Bench,
    options: Options,
    hooks: Hooks,
    store: Store,
) -> Ending:
    """Execute one run, from its record's first line to its last, whatever happens between."""
    plan = one.plan
    begin(one, provider, store)
    runner = Runner(
        plan, one.run_id, provider, call, store,
        workers=workers, use_cache=options.cache, observer=hooks.observer(one.run_id, plan), bench=bench,
    )  # fmt: skip
    start = time.perf_counter()

    def end(status: RunStatus, stopped_by: str | None, error: LlmkitError | None = None) -> Ending:
        ending = Ending(conclude(runner, store, status, time.perf_counter() - start, stopped_by), error)
        hooks.ended(ending)
        return ending

    try:
        status: RunStatus
        error: LlmkitError | None
        async with counting(provider, one.run_id, store):
            if options.sample and not await _shown(runner, options.sample, hooks):
                hint = "The same command goes on"
                status, error = "interrupted", UsageError("stopped after the samples shown", hint=hint)
            else:
                status, error = await runner.run()
        return end(status, str(error) if error else None, error)
    except LlmkitError as error:
        return end(*how_ended(error), error)
    except BaseException as error:
        end(*how_ended(error))
        raise


async def _shown(runner: Runner, count: int, hooks: Hooks) -> bool:
    """Show the first samples and ask whether to go on; where the run does not, what was asked is kept and counted."""
    go_on = False
    try:
        go_on = hooks.shown(runner.plan, await preview(runner, count))
        return go_on
    finally:
        if not go_on:
            await runner.settle_asked()
