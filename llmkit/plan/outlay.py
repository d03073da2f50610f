"""What a plan costs: at most, by the prices; and by what past calls of the suite and model came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmkit.errors import UsageError
from llmkit.plan.spread import runs_of
from llmkit.plans import Outlay
from llmkit.providers.base import Provider
from llmkit.providers.pricing import Prices
from llmkit.providers.retry import Caller
from llmkit.runs.forming import calls_at_most, worst_case_of
from llmkit.runs.judge_forecast import outlooks
from llmkit.runs.plan import Plan
from llmkit.runs.records import Job
from llmkit.runs.render import pieces
from llmkit.runs.result import result_of
from llmkit.runs.rows import RunRow
from llmkit.runs.store import Store
from llmkit.types import RunResult

RUNS = 5
"""Past runs that are averaged: prices and servers change."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst case of asking every row once in each epoch.

    Attributes:
        calls: Calls for answers, rows that cannot be asked left out.
        usd: With those of the judges that score them; None where it is unknown.
        unknown: Why.
    """

    calls: int
    usd: float | None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """What past calls came to, each on the mean.

    Attributes:
        usd: Dollars a call; None where some are unknown.
        seconds: Wall-clock seconds a call, with as many at once as there were.
        basis: Which calls, for people.
    """

    usd: float | None
    seconds: float | None
    basis: str


async def worst_of(plan: Plan, provider: Provider, prices: Prices) -> Worst:
    """Return what asking the whole plan can cost at most, nothing from the cache; no call is made."""
    caller, calls, usd = Caller(provider, prices=prices), 0, 0.0
    unknown: str | None = None
    judges = outlooks(plan, prices)
    for piece in pieces(plan, provider):
        if not isinstance(piece, Job):
            continue
        for judge in judges:
            await judge.add(piece)
        calls += calls_at_most(plan)
        if unknown is None:
            try:
                usd += await worst_case_of(plan, caller, piece)
            except UsageError as error:
                unknown = str(error)
    for judged in (judge.forecast() for judge in judges):
        usd, unknown = usd + (judged.worst_case_usd or 0.0), unknown or judged.unknown
    return Worst(calls, None if unknown else usd, unknown)


def pace_of(store: Store | None, suite: str, model: str) -> Pace | None:
    """Return what the latest calls of the suite and model came to; None where there were none."""
    asked: dict[str, list[RunResult]] = {}
    for run in [] if store is None else runs_of(store, suite, model):
        result = result_of(run)
        if result is not None and result.usage.calls:
            asked.setdefault(_together(run), []).append(result)
    latest = list(asked.values())[:RUNS]
    calls = sum(r.usage.calls for runs in latest for r in runs)
    if not calls:
        return None
    costs = [r.usage.cost_usd for runs in latest for r in runs]
    known = [cost for cost in costs if cost is not None]
    usd = sum(known) / calls if len(known) == len(costs) else None
    wall = sum(max(r.wall_s for r in runs) for runs in latest)  # runs side by side took that long together
    return Pace(usd, wall / calls, f"{calls:,} past calls in {len(latest)} run{'s' if len(latest) > 1 else ''}")


def outlays_of(worst: Worst, pace: Pace | None, plan: Plan, n: int, gate_n: int | None) -> tuple[Outlay, ...]:
    """Return what one run, an A/A run and the gate cost.

    Args:
        worst: Of all rows.
        pace: Of past calls.
        plan: With the epochs.
        n: Samples of a run.
        gate_n: Samples of a gate at most, on each side; None where the suite has none.
    """
    rows = plan.rows or 1
    whats: Sequence[tuple[str, float]] = [("one run", n), ("A/A run", 2 * n)]
    if gate_n is not None:
        whats = [*whats, ("gate, at most", 2 * gate_n)]
    found = []
    for what, samples in whats:
        share = samples / rows
        calls = round(worst.calls * share)
        found.append(
            Outlay(
                what,
                calls,
                None if worst.usd is None else worst.usd * share,
                None if pace is None or pace.usd is None else pace.usd * calls,
                None if pace is None or pace.seconds is None else pace.seconds * calls,
            )
        )
    return tuple(found)


def _together(run: RunRow) -> str:
    """Name what ran at once: the sides of one experiment, or the run alone."""
    experiment = run.config.get("experiment", {})
    for kind in ("aa", "gate"):
        if kind in experiment:
            return f"{kind} {experiment[kind]}"
    return run.run_id
