"""A judge at work: how it is asked, who is told of it, and where its money and answers come from."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from llmkit.config import Settings, load_settings
from llmkit.judgements import Verdict
from llmkit.judges.check import check
from llmkit.judges.judge import Judge
from llmkit.judges.panel import judge_many
from llmkit.judges.seat import Seat
from llmkit.judges.subject import Subject
from llmkit.providers.base import Provider
from llmkit.providers.budget import Budget
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.judging import Bench
from llmkit.runs.store import Store
from llmkit.types import JudgeStatus, Totals, summed


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How a judge is put to work.

    Attributes:
        max_cost: Hard cap in dollars, for all its calls.
        concurrency: Calls at once; None adapts.
        cache: Whether answers of earlier calls count.
        offline: Whether no call may be made.
        seed: Of resampling.
        store: Folder of the store; from the settings where None.
        retry: How calls are repeated.
        providers: Model name → a provider made already, in the place of the registry's.
    """

    max_cost: float | None = None
    concurrency: int | None = None
    cache: bool = True
    offline: bool = False
    seed: int = 0
    store: Path | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    providers: Mapping[str, Provider] = field(default_factory=dict)


Told = Callable[[str, int, int, float | None], None]
"""Is told how far a judging is: what is judged, verdicts had, of how many, dollars paid (None: unknown)."""


def nobody(what: str, done: int, total: int, cost_usd: float | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Work:
    """A judge in its seat.

    Attributes:
        judge: Asks.
        seat: Of its model.
        store: Where runs and answers lie.
        bench: What the seat is of.
        settings: The project's.
    """

    judge: Judge
    seat: Seat
    store: Store
    bench: Bench
    settings: Settings

    async def verdicts(self, what: str, subjects: Sequence[Subject], told: Told = nobody) -> list[Verdict]:
        """Judge subjects, in their order.

        Raises:
            BudgetError: The money ran out; what was paid for is kept.
            ProviderError: The model's server is of no use.
        """
        done, paid = 0, Totals()

        def count(_: int, verdict: Verdict) -> None:
            nonlocal done, paid
            done += 1
            paid = summed((paid, verdict.paid))
            told(what, done, len(subjects), paid.dollars)

        return await judge_many(self.judge, subjects, self.seat, done=count)

    async def apart(self, name: str) -> Work:
        """Return the same judge with a bill of its own."""
        bench = self.bench.share(f"{self.bench.run_id}-{name}")
        return replace(self, bench=bench, seat=await bench.of(self.judge.name).seat(self.judge.model))

    def paid(self) -> Totals:
        """Return the sums over the judge's calls so far."""
        return self.bench.totals().get(self.judge.name, Totals())


@contextlib.asynccontextmanager
async def at_work(judge: Judge, options: WorkOptions) -> AsyncIterator[Work]:
    """Open the store and seat a judge.

    Raises:
        MissingKeyError: Its model needs one.
        UsageError: There is no such model, or a cap that cannot be held.
    """
    settings = load_settings()
    cap = options.max_cost if options.max_cost is not None else settings.max_cost_usd
    with Store(options.store or settings.store_path) as store:
        async with Bench(
            store, settings, budget=Budget(cap), cache=options.cache, offline=options.offline, retry=options.retry,
            concurrency=options.concurrency, providers=options.providers,
        ) as bench:  # fmt: skip
            await bench.prepare([judge.model])
            seat = await bench.of(judge.name).seat(judge.model)
            yield Work(judge, seat, store, bench, settings)


def status_of(judge: Judge, verdicts: Sequence[Verdict]) -> tuple[JudgeStatus, tuple[str, ...]]:
    """Return what a judge's lock says of it, and what is not as it was, the model that answered now included."""
    found = check(judge, served=_served(judge, verdicts))
    return found.status, found.stale


def _served(judge: Judge, verdicts: Sequence[Verdict]) -> str | None:
    """Return another model than the locked one, where any answered; else the one that did; None where none says."""
    said = dict.fromkeys(verdict.served for verdict in verdicts if verdict.served is not None)
    locked = judge.lock.served if judge.lock else None
    return next((served for served in said if served != locked), next(iter(said), None))
