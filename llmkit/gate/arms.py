"""The two sides of the experiment: each a run of its own, asked a part at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from llmkit.canonical import digest
from llmkit.errors import LlmkitError
from llmkit.gate.order import Unit
from llmkit.providers.base import Provider
from llmkit.providers.budget import Budget
from llmkit.providers.limits import HIGHEST, Limiter
from llmkit.providers.pricing import Prices
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.begin import begin, caller_for
from llmkit.runs.key import identity
from llmkit.runs.plan import Plan
from llmkit.runs.records import Job, Outcome
from llmkit.runs.render import render
from llmkit.runs.result import conclude
from llmkit.runs.resume import Planned, new_run
from llmkit.runs.runner import Runner
from llmkit.runs.state import Observer, State
from llmkit.runs.store import Store
from llmkit.types import RunResult, RunStatus
from llmkit.verdicts import Spent

Piece = Job | Outcome
Take = Callable[[str, Sequence[Outcome]], None]
Stop = tuple[RunStatus, LlmkitError | None]


class Arm(Protocol):
    """One side, however it comes by its answers."""

    @property
    def run_id(self) -> str:
        """The run that it is stored as."""
        ...

    @property
    def state(self) -> State:
        """Its counts."""
        ...

    def missing(self, pieces: Sequence[Piece]) -> list[Job]:
        """Return those for which no answer is stored."""
        ...

    async def ask(self, pieces: Sequence[Piece]) -> Stop:
        """Ask, score and store them."""
        ...

    def end(self, status: RunStatus, stopped_by: str | None) -> RunResult:
        """Conclude the run."""
        ...


@dataclass(frozen=True)
class Means:
    """What the arms of one gate share.

    Attributes:
        store: Where their runs go.
        prices: Of their models.
        budget: Of both.
        retry: How calls are repeated.
        since: Answers that are older do not count.
        cache: Whether answers of earlier runs count.
        offline: Whether no call may be made.
    """

    store: Store
    prices: Prices
    budget: Budget
    retry: RetryPolicy
    since: float
    cache: bool
    offline: bool


class Asked:
    """A side that asks its model.

    Args:
        plan: What to do.
        provider: The model, started.
        limiter: Of the calls in flight; both sides share it where they share the provider.
        means: What the sides share.
        take: Is given the run's id and its outcomes.
        observer: Is told how it goes.
        total: Samples × epochs at the last look.
    """

    def __init__(
        self,
        plan: Plan,
        provider: Provider,
        limiter: Limiter,
        means: Means,
        take: Take,
        observer: Observer | None,
        *,
        total: int,
    ) -> None:
        self.plan, self.provider, self._means = plan, provider, means
        self.run_id, self._lock = new_run(means.store)
        config = plan.config(identity(provider))
        self._planned = Planned(self.run_id, plan, provider, config, digest(config), self._lock, resumed=False)
        call = caller_for(provider, self.run_id, means.store, means.retry, limiter, means.budget, means.prices)
        self._runner = Runner(
            plan, self.run_id, provider, call, means.store,
            workers=HIGHEST if limiter.adaptive else limiter.size, use_cache=means.cache, since=means.since,
            observer=observer, sink=partial(take, self.run_id),
        )  # fmt: skip
        self._runner.state.total = total
        self._began: float | None = None

    @property
    def state(self) -> State:
        """Its counts."""
        return self._runner.state

    def missing(self, pieces: Sequence[Piece]) -> list[Job]:
        """Return those for which no answer is stored."""
        jobs = [piece for piece in pieces if isinstance(piece, Job)]
        known = self._runner.find(jobs)
        return [job for job in jobs if job.key not in known]

    async def ask(self, pieces: Sequence[Piece]) -> Stop:
        """Ask, score and store them."""
        if self._began is None:
            self._began = time.perf_counter()
            begin(self._planned, self.provider, self._means.store)
        if self._stale(pieces):
            first = next(i for i, piece in enumerate(pieces) if isinstance(piece, Job))
            status, error = await self._probe(pieces[first])
            if error is not None:
                return status, error
            pieces = [*pieces[:first], *pieces[first + 1 :]]
        return await self._runner.run(pieces)

    def _stale(self, pieces: Sequence[Piece]) -> bool:
        """Whether earlier runs answered some of these, and nobody knows by which model, as it is served now."""
        if self._runner.served is not None or not self._runner.use_cache or self._means.offline:
            return False
        jobs = sum(isinstance(piece, Job) for piece in pieces)
        return len(self.missing(pieces)) < jobs

    async def _probe(self, piece: Piece) -> Stop:
        """Ask one sample anew, so that the model that answers now is known; other models' answers do not count."""
        self._runner.use_cache = False
        try:
            stop = await self._runner.run([piece])
        finally:
            self._runner.use_cache = True
        if isinstance(piece, Job) and (answer := self._runner.find([piece]).get(piece.key)) is not None:
            self._runner.served = answer.completion.served_model
        return stop

    def end(self, status: RunStatus, stopped_by: str | None) -> RunResult:
        """Conclude the run."""
        began = self._began
        wall = 0.0 if began is None else time.perf_counter() - began
        self.state.total = self.state.done  # what a verdict made needless was never part of it
        try:
            if began is None:
                begin(self._planned, self.provider, self._means.store)
            return conclude(self._runner, self._means.store, status, wall, stopped_by)
        finally:
            self._lock.release()


def pieces_of(plan: Plan, provider: Provider, unit: Unit) -> list[Piece]:
    """Return what is to be asked of a unit; what cannot be is an outcome already."""
    return list(render(plan, provider, unit.samples))


def spent(result: RunResult) -> Spent:
    """Return what a side came to."""
    u = result.usage
    cost = None if u.cost_usd is None or u.lost_usd is None else u.cost_usd + u.lost_usd
    return Spent(u.calls, result.from_cache, result.failed, cost, result.run_id, result.model)
