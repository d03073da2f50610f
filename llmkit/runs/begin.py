"""A run's beginning: its record, its started provider, and what makes its calls."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable

from llmkit.providers.base import Provider, Starts
from llmkit.providers.budget import Budget
from llmkit.providers.limits import Limiter
from llmkit.providers.pricing import Prices
from llmkit.providers.retry import Caller, RetryPolicy
from llmkit.runs.plan import about
from llmkit.runs.resume import Planned
from llmkit.runs.rows import RunRow
from llmkit.runs.store import Store


def begin(one: Planned, provider: Provider, store: Store) -> None:
    """Record that a run begins, or goes on."""
    plan = one.plan
    if one.resumed:
        store.set_status(one.run_id, "running")
        return
    row = RunRow(
        one.run_id,
        plan.suite.name,
        plan.model.name,
        "running",
        one.digest,
        one.config,
        about(plan, provider),
        time.time(),
        0,
        (plan.rows or 0) * plan.epochs,
        None,
    )
    store.start_run(row)


@contextlib.asynccontextmanager
async def started(provider: Provider) -> AsyncIterator[Provider]:
    """Start a provider that has to be, and stop it at the end."""
    if isinstance(provider, Starts):
        async with provider:
            yield provider
    else:
        yield provider


def caller_for(
    provider: Provider,
    run_id: str,
    store: Store,
    retry: RetryPolicy,
    limiter: Limiter,
    budget: Budget,
    prices: Prices,
    *,
    said: Callable[[str], str] = str,
) -> Caller:
    """Return what makes a run's paid calls, and charges what they cost to it.

    Args:
        provider: Who is asked.
        run_id: The run.
        store: Keeps what was charged.
        retry: How calls are repeated.
        limiter: Of the calls in flight.
        budget: What they are paid from.
        prices: For costs.
        said: What a charge's reason becomes in the store.
    """

    def charge(cost: float | None, charged: float, why: str) -> None:
        store.charge(run_id, cost, charged, said(why))

    return Caller(
        provider,
        policy=retry,
        limiter=limiter,
        budget=budget,
        prices=prices,
        lost=charge,
        reserved=_HighWater(store, run_id),
    )


class _HighWater:
    """Keeps in the store what the calls in flight may cost at most, written only where it rises.

    A process that is killed leaves the mark behind; the run that goes on is charged for it (``Store.charge_killed``),
    so that a cap holds over kills, too.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id, self._mark = store, run_id, 0.0

    def __call__(self, usd: float) -> None:
        if usd > self._mark:
            self._store.reserve(self._run_id, usd)
            self._mark = usd
