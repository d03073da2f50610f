"""A/A runs: the same prompt asked twice, as distinct replicates, side by side in time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from llmkit.canonical import digest
from llmkit.config import Settings, load_settings
from llmkit.providers.base import Provider
from llmkit.providers.budget import Budget
from llmkit.providers.limits import limiter_for
from llmkit.providers.pricing import Prices
from llmkit.runs.asking import fetch_all, ready
from llmkit.runs.begin import started
from llmkit.runs.evaluate import Ending, Hooks
from llmkit.runs.forecast import Forecast, forecast_plan
from llmkit.runs.grade import prepare
from llmkit.runs.judging import Bench
from llmkit.runs.key import identity
from llmkit.runs.lock import RunLock
from llmkit.runs.options import Options
from llmkit.runs.pairs import check_cap, pairs_of
from llmkit.runs.plan import Plan, new_run_id
from llmkit.runs.resume import UNFINISHED, Planned, plan_run
from llmkit.runs.rows import RunRow
from llmkit.runs.store import Store
from llmkit.runs.together import Shared, together

ARMS = (1, 2)
DigestOf = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Twice:
    """An A/A run of one suite on one model.

    Attributes:
        plan: What both arms ask.
        aa: The experiment's id.
        runs: Run ids of arms 1 and 2.
        endings: Of the arms that were asked now; of one that went on, the other may have ended before.
    """

    plan: Plan
    aa: str
    runs: tuple[str, str]
    endings: tuple[Ending, ...]


@dataclass(frozen=True, slots=True)
class _Both:
    """Both arms, about to start; ``todo`` are those that are not complete."""

    plan: Plan
    provider: Provider
    aa: str
    ids: tuple[str, str]
    todo: tuple[Planned, ...]


def arm_of(plan: Plan, aa: str, arm: int) -> Plan:
    """Return the plan of one arm: its answers are replicates that the other arm does not share."""
    return replace(plan, experiment={"aa": aa, "arm": arm})


async def forecast_twice(suites: Sequence[str], models: Sequence[str] | None, *, options: Options) -> list[Forecast]:
    """Return what both arms of each A/A run would ask, nothing from the cache; no call is made."""
    settings = load_settings()
    with Store(options.store or settings.store_path) as store:
        prices, fresh = Prices(settings.prices), replace(options, cache=False)
        pairs = pairs_of(suites, models, options, settings, display=True)
        arms = [(arm_of(plan, "planned", arm), provider) for plan, provider in pairs for arm in ARMS]
        return [await forecast_plan(*arm, store, prices, fresh) for arm in arms]


async def ask_twice(
    pairs: Sequence[tuple[Plan, Provider]], options: Options, settings: Settings, store: Store, hooks: Hooks
) -> list[Twice]:
    """Ask every sample of each plan twice; an unfinished A/A run of the same configuration goes on.

    The cap of ``options`` holds over everything, what unfinished runs paid before included.

    Raises:
        UsageError: A cap that cannot be held.
        asyncio.CancelledError: After everything has been kept.
    """
    cap = options.max_cost if options.max_cost is not None else settings.max_cost_usd
    prices = Prices(settings.prices)
    scorers = [scorer for plan, _ in pairs for scorer in plan.suite.scorers]
    checks = [check for plan, _ in pairs if plan.form is not None for check in plan.form.checks]
    prepare(scorers)
    if cap is not None:
        await check_cap(pairs, prices)
    await fetch_all([provider for _, provider in pairs], scorers, checks)
    await ready(Bench(store, settings, budget=Budget(cap)), scorers, checks)
    with contextlib.ExitStack() as locks:
        both = [_both(plan, provider, options, store, locks) for plan, provider in pairs]
        todo = [one for each in both for one in each.todo]
        hooks.planned([(p.run_id, p.plan) for p in todo], {p.run_id: store.spent(p.run_id) for p in todo if p.resumed})
        budget = Budget(cap, spent_usd=sum(store.spent(run) for each in both if each.todo for run in each.ids))
        found = []
        # What judges said in other runs counts here, too: equal answers have equal verdicts, as they have in a gate.
        bench = Bench(store, settings, budget=budget, retry=options.retry, concurrency=options.concurrency)
        async with bench:
            for each in both:
                async with started(each.provider) as provider:
                    limiter = limiter_for(
                        options.concurrency or settings.concurrency, provider.capabilities.fixed_concurrency
                    )
                    shared = Shared(provider, limiter, budget, prices, store, options.retry, bench)
                    endings = await together(each.todo, shared, hooks)
                found.append(Twice(each.plan, each.aa, each.ids, tuple(endings)))
        return found


def _both(plan: Plan, provider: Provider, options: Options, store: Store, locks: contextlib.ExitStack) -> _Both:
    """Find the unfinished A/A run of this configuration, or begin one."""
    of_provider = identity(provider)

    def digest_of(aa: str, arm: int) -> str:
        return digest(arm_of(plan, aa, arm).config(of_provider))

    aa = new_run_id() if options.fresh else _unfinished(plan, store, digest_of) or new_run_id()
    ids, todo = [], []
    for arm in ARMS:
        complete = [r for r in store.runs(digest=digest_of(aa, arm)) if r.status == "completed"]
        if complete:
            ids.append(complete[0].run_id)
            continue
        planned = plan_run(arm_of(plan, aa, arm), provider, options, store, locks)
        ids.append(planned.run_id)
        todo.append(planned)
    return _Both(plan, provider, aa, (ids[0], ids[1]), tuple(todo))


def _unfinished(plan: Plan, store: Store, digest_of: DigestOf) -> str | None:
    """Return the latest A/A run of equal configuration, of which an arm has not ended and none is being executed."""
    arms: dict[str, list[RunRow]] = {}
    for run in store.runs():
        aa = run.config.get("experiment", {}).get("aa")
        if aa is not None and (run.suite, run.model) == (plan.suite.name, plan.model.name):
            arms.setdefault(str(aa), []).append(run)
    for aa, runs in arms.items():
        equal = all(run.digest in {digest_of(aa, arm) for arm in ARMS} for run in runs)
        open_ = [run for run in runs if run.status in UNFINISHED] or (runs if len(runs) < len(ARMS) else [])
        alive = any(run.status == "running" and RunLock(store.path.parent, run.run_id).held() for run in runs)
        if equal and open_ and not alive:
            return aa
    return None
