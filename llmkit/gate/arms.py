"""The two sides of the experiment: each a run of its own, asked a part at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from llmkit.canonical import digest
from llmkit.errors import BudgetError, LlmkitError, ProviderError
from llmkit.gate.order import Unit
from llmkit.providers.base import Provider
from llmkit.providers.budget import Budget
from llmkit.providers.limits import HIGHEST, Limiter
from llmkit.providers.pricing import Prices
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.begin import begin, caller_for
from llmkit.runs.judging import Bench
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

PROBES = 3
"""Samples that are asked at most to learn which model answers now."""

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
        bench: Gives judges their models.
    """

    store: Store
    prices: Prices
    budget: Budget
    retry: RetryPolicy
    since: float
    cache: bool
    offline: bool
    bench: Bench


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
            observer=observer, sink=partial(take, self.run_id), bench=means.bench.share(self.run_id),
        )  # fmt: skip
        self._runner.state.total = total
        self._runner.earliest = True
        self._knows = False  # which model answers now
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
        if self._stale(pieces) and (error := await self._learn(pieces)) is not None:
            return ("budget" if isinstance(error, BudgetError) else "failed"), error
        return await self._runner.run(pieces)

    def answered_by(self, model: str | None) -> None:
        """Take only answers of this model, in the server's words."""
        self._runner.served, self._knows = model, True

    def _stale(self, pieces: Sequence[Piece]) -> bool:
        """Whether earlier runs answered some of these, and nobody knows by which model, as it is served now."""
        if self._knows or not self._runner.use_cache:
            return False
        jobs = sum(isinstance(piece, Job) for piece in pieces)
        return len(self.missing(pieces)) < jobs

    async def _learn(self, pieces: Sequence[Piece]) -> LlmkitError | None:
        """Ask a sample anew, so that the model that answers now is known; other models' answers do not count.

        The stored answer of that sample counts all the same where it is of this model: a gate that is repeated takes
        the same answers again. Where nothing answers, no stored answer counts.
        """
        self._runner.use_cache = False  # the attempts of a suite with a form would be looked up
        for job in [piece for piece in pieces if isinstance(piece, Job)][:PROBES]:
            try:
                outcome = await self._runner.ask(job)
            except ProviderError:
                continue
            except LlmkitError as error:
                return error
            if outcome.answer is not None:
                self.state.pay(outcome.answer)
            if outcome.answer is not None and outcome.failure is None:
                self.answered_by(outcome.answer.completion.served_model)
                self._runner.use_cache = True
                return None
        return None

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


def agree(store: Store, base: Asked, head: Asked, keys: Mapping[str, Sequence[bytes]], since: float) -> None:
    """Let both sides take answers of one and the same model, where none can be asked which one answers now.

    Of the models that answered on both sides, that which answered most samples on the side that has fewer, the latest
    of those. Where none answered on both, head's own: base's answers are then missing.

    Args:
        store: Where the answers lie.
        base: The one side.
        head: The other.
        keys: Side → keys of all that may be asked.
        since: Older answers do not count.
    """
    found = {side: store.served_models(keys[side], since) for side in ("base", "head")}
    if base.plan.model.name != head.plan.model.name:
        for arm, side in ((base, "base"), (head, "head")):
            arm.answered_by(max(found[side], key=found[side].__getitem__, default=None))
        return
    both = found["base"].keys() & found["head"].keys() or found["head"].keys()
    zero = (0, 0.0)

    def rank(model: str | None) -> tuple[int, float]:
        one, two = found["base"].get(model, zero), found["head"].get(model, zero)
        return min(one[0], two[0]), max(one[1], two[1])

    chosen = max(both, key=rank, default=None)
    base.answered_by(chosen)
    head.answered_by(chosen)


def pieces_of(plan: Plan, provider: Provider, unit: Unit) -> list[Piece]:
    """Return what is to be asked of a unit; what cannot be is an outcome already."""
    return list(render(plan, provider, unit.samples))


def spent(result: RunResult) -> Spent:
    """Return what a side came to."""
    u = result.usage
    cost = None if u.cost_usd is None or u.lost_usd is None else u.cost_usd + u.lost_usd
    return Spent(u.calls, result.from_cache, result.failed, cost, result.run_id, result.model)
