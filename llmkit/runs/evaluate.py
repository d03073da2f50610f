"""The main job: suites on models → runs with their results. The command line is a thin shell over this."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from llmkit.canonical import digest
from llmkit.config import Settings, load_settings
from llmkit.errors import BudgetError, LlmkitError, ResumeMismatchError, UsageError
from llmkit.providers.base import Counts, ModelRef, Provider, Starts
from llmkit.providers.budget import Budget
from llmkit.providers.limits import HIGHEST, limiter_for
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller, RetryPolicy
from llmkit.runs.grade import prepare
from llmkit.runs.key import identity
from llmkit.runs.lock import RunLock
from llmkit.runs.models import choose
from llmkit.runs.plan import Plan, about, changed_keys, new_run_id
from llmkit.runs.preview import preview
from llmkit.runs.result import conclude
from llmkit.runs.runner import Runner
from llmkit.runs.state import Observer
from llmkit.runs.store import RunRow, Store
from llmkit.suites.load import load_suites
from llmkit.suites.suite import Suite
from llmkit.types import Request, RunResult, RunStatus, SampleResult

UNFINISHED = ("running", "interrupted", "budget", "failed")


@dataclass(frozen=True, slots=True)
class Options:
    """How to evaluate, beside what.

    Attributes:
        data: Replaces the suite's data source.
        limit: Only the first rows.
        epochs: Replaces the suite's number of epochs.
        seed: Of the bootstrap, and of sampling where the provider sends one; 0 where not set, and then not sent.
        params: ``-M key=value`` pairs.
        concurrency: Calls at once; None adapts.
        max_cost: Hard cap in dollars, for all runs of the call together, what resumed runs paid before included.
        cache: Whether other runs' answers count.
        fresh: Start anew even where an unfinished run could go on.
        resume: Insist on going on: the latest unfinished run of this suite and model, or ``resume_run``.
        resume_run: Which run to go on with.
        sample: How many samples to show in full before the rest is asked.
        store: Folder of the store; from the settings where None.
        retry: How calls are repeated.
    """

    data: str | None = None
    limit: int | None = None
    epochs: int | None = None
    seed: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int | None = None
    max_cost: float | None = None
    cache: bool = True
    fresh: bool = False
    resume: bool = False
    resume_run: str | None = None
    sample: int = 0
    store: Path | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)


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


@dataclass(frozen=True, slots=True)
class _Planned:
    """A run about to start: its plan, its provider, where it is stored, and whether it goes on from before."""

    run_id: str
    plan: Plan
    provider: Provider
    config: dict[str, Any]
    digest: str
    lock: RunLock
    resumed: bool


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
        LlmkitError: What stopped a run before its end; the store keeps everything that was answered.
    """
    endings = run_async(evaluate_async(suites, models, options=options, hooks=hooks))
    for ending in endings:
        if ending.error is not None:
            raise ending.error
    return [ending.result for ending in endings]


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
    settings = load_settings()
    pairs = pairs_of(suites, models, options, settings)
    cap = options.max_cost if options.max_cost is not None else settings.max_cost_usd
    prepare({scorer.signature: scorer for plan, _ in pairs for scorer in plan.suite.scorers}.values())
    if cap is not None:
        await _check_cap(pairs, Prices(settings.prices))
    with Store(options.store or settings.store_path) as store, contextlib.ExitStack() as locks:
        planned = [_planned(plan, provider, options, store, locks) for plan, provider in pairs]
        paid = {p.run_id: store.spent(p.run_id) for p in planned if p.resumed}
        hooks.planned([(p.run_id, p.plan) for p in planned], paid)
        budget = Budget(cap, spent_usd=sum(paid.values()))
        return [ending async for ending in _execute(planned, budget, options, hooks, settings, store)]


async def _check_cap(pairs: Sequence[tuple[Plan, Provider]], prices: Prices) -> None:
    """Refuse a cap that cannot be held, before the first call.

    Raises:
        UsageError: No ``max_tokens``, or no known price.
    """
    for plan, provider in pairs:
        if not isinstance(provider, Counts):  # one that counts tokens has to be started for it; its calls will tell
            await Caller(provider, prices=prices).worst_case(Request((), plan.model.params))


def pairs_of(
    suites: str | Suite | Sequence[str | Suite],
    models: str | ModelRef | Sequence[str | ModelRef] | None,
    options: Options,
    settings: Settings,
) -> list[tuple[Plan, Provider]]:
    """Load and check everything before the first call: a plan and its provider for each model and suite."""
    several = [suites] if isinstance(suites, (str, Suite)) else list(suites)
    loaded = [s for ref in several for s in ([ref] if isinstance(ref, Suite) else load_suites(ref, data=options.data))]
    if options.data is not None and len(loaded) > 1:
        raise UsageError(f"--data replaces the data of one suite, and {len(loaded)} are named")
    counts = [suite.check(options.limit) for suite in loaded]
    names = [models] if models is None or isinstance(models, (str, ModelRef)) else list(models)
    return [
        _pair(suite, model, count, options, settings)
        for model in names
        for suite, count in zip(loaded, counts, strict=True)
    ]


def _pair(
    suite: Suite, model: str | ModelRef | None, count: int, options: Options, settings: Settings
) -> tuple[Plan, Provider]:
    ref, origins = choose(suite, model, options.params, settings)
    provider = create(ref)
    if options.seed is not None and provider.capabilities.seed and "seed" not in ref.params:
        ref = replace(ref, params={**ref.params, "seed": options.seed})
    epochs = options.epochs if options.epochs is not None else suite.epochs
    limit = options.limit if options.limit is not None else suite.limit
    return Plan(suite, ref, epochs, limit, options.seed or 0, origins, rows=count), provider


def _planned(plan: Plan, provider: Provider, options: Options, store: Store, locks: contextlib.ExitStack) -> _Planned:
    config = plan.config(identity(provider))
    config_digest = digest(config)
    run, lock = _unfinished(plan, config, config_digest, options, store)
    if run is None:
        run_id, lock = _new_run(store)
    else:
        run_id = run.run_id
    locks.callback(lock.release)
    return _Planned(run_id, plan, provider, config, config_digest, lock, run is not None)


def _new_run(store: Store) -> tuple[str, RunLock]:
    """Choose an id that no run has: a command may start a hundred runs in the second that an id names."""
    while True:
        run_id = new_run_id()
        lock = RunLock(store.path.parent, run_id)
        if lock.acquire():
            if not store.has_run(run_id):
                return run_id, lock
            lock.release()


def _unfinished(
    plan: Plan, config: Mapping[str, Any], config_digest: str, options: Options, store: Store
) -> tuple[RunRow | None, RunLock]:
    """Find the run to go on with, and lock it; one that another process executes is left alone."""
    none = RunLock(store.path.parent, "none")
    if options.fresh:
        return None, none
    insist = options.resume or options.resume_run is not None
    if options.resume_run is not None:
        candidates = [store.run(options.resume_run)]
    elif options.resume:
        same = (plan.suite.name, plan.model.name)
        candidates = [r for r in store.runs() if (r.suite, r.model) == same and r.status in UNFINISHED][:1]
    else:
        candidates = [r for r in store.runs(digest=config_digest) if r.status in UNFINISHED]
    for run in candidates:
        if run.digest != config_digest:
            raise ResumeMismatchError(run.run_id, changed_keys(run.config, config))
        lock = RunLock(store.path.parent, run.run_id)
        if lock.acquire():
            return run, lock
        if insist:
            raise UsageError(f"run {run.run_id} is being executed by another process", hint="Wait for it to end")
    if insist:
        what = options.resume_run or f"of {plan.suite.name} on {plan.model.name}"
        raise UsageError(f"there is no unfinished run {what}", hint="`llmkit runs list` shows what there is")
    return None, none


async def _execute(
    planned: Sequence[_Planned], budget: Budget, options: Options, hooks: Hooks, settings: Settings, store: Store
) -> AsyncIterator[Ending]:
    """Execute the runs in order; runs of one model share its provider."""
    prices = Prices(settings.prices)
    for model in dict.fromkeys(p.plan.model.name for p in planned):
        mine = [p for p in planned if p.plan.model.name == model]
        for share in _sharing(mine):
            async with _started(share[0].provider) as provider:
                limiter = limiter_for(
                    options.concurrency or settings.concurrency, provider.capabilities.fixed_concurrency
                )
                for one in share:
                    lost = partial(store.charge, one.run_id)
                    call = Caller(
                        provider, policy=options.retry, limiter=limiter, budget=budget, prices=prices, lost=lost
                    )
                    workers = HIGHEST if limiter.adaptive else limiter.size
                    yield await _one(one, provider, call, workers, options, hooks, store)


def _sharing(planned: Sequence[_Planned]) -> list[list[_Planned]]:
    """Group runs whose providers are the same but for the sampling parameters."""
    groups: dict[str, list[_Planned]] = {}
    for p in planned:
        groups.setdefault(digest([p.plan.model.name, dict(p.plan.model.options)]), []).append(p)
    return list(groups.values())


@contextlib.asynccontextmanager
async def _started(provider: Provider) -> AsyncIterator[Provider]:
    if isinstance(provider, Starts):
        async with provider:
            yield provider
    else:
        yield provider


async def _one(
    one: _Planned,
    provider: Provider,
    call: Callable[..., Any],
    workers: int,
    options: Options,
    hooks: Hooks,
    store: Store,
) -> Ending:
    """Execute one run, from its record's first line to its last, whatever happens between."""
    plan, began = one.plan, time.time()
    if not one.resumed:
        row = RunRow(
            one.run_id,
            plan.suite.name,
            plan.model.name,
            "running",
            one.digest,
            one.config,
            about(plan),
            began,
            0,
            0,
            None,
        )
        store.start_run(row)
    else:
        store.set_status(one.run_id, "running")
    runner = Runner(
        plan, one.run_id, provider, call, store,
        workers=workers, use_cache=options.cache, observer=hooks.observer(one.run_id, plan),
    )  # fmt: skip
    start = time.perf_counter()

    def end(status: RunStatus, error: BaseException | None) -> Ending:
        stopped_by = str(error) or type(error).__name__ if error is not None else None
        result = conclude(runner, store, status, time.perf_counter() - start, stopped_by)
        ending = Ending(result, error if isinstance(error, LlmkitError) else None)
        hooks.ended(ending)
        return ending

    try:
        if options.sample and not hooks.shown(plan, await preview(runner, options.sample)):
            return end("interrupted", UsageError("stopped after the samples shown", hint="The same command goes on"))
        status, error = await runner.run()
        return end(status, error)
    except LlmkitError as error:
        return end("budget" if isinstance(error, BudgetError) else "failed", error)
    except BaseException as error:
        end("interrupted" if isinstance(error, (asyncio.CancelledError, KeyboardInterrupt)) else "failed", error)
        raise
