"""Answers that are there already, scored to a run's end: the one road of ``score`` and of ``rescore``."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from llmkit.config import load_settings
from llmkit.providers.budget import Budget
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.asking import fetch_all, ready
from llmkit.runs.judging import Bench
from llmkit.runs.records import Outcome
from llmkit.runs.result import conclude, how_ended
from llmkit.runs.resume import new_run
from llmkit.runs.settle import Settler
from llmkit.runs.store import Store
from llmkit.scoring.base import Scorer
from llmkit.types import RunResult, RunStatus

CHUNK = 256

Ended = Callable[[RunResult], None]
T = TypeVar("T")


def chunks(many: Iterable[T]) -> Iterator[list[T]]:
    """Yield as many at a time as are settled at once."""
    left = iter(many)
    while chunk := list(itertools.islice(left, CHUNK)):
        yield chunk


@contextlib.asynccontextmanager
async def opened(
    store: Store,
    scorers: Sequence[Scorer],
    *,
    max_cost: float | None,
    cache: bool,
    concurrency: int | None,
    retry: RetryPolicy | None,
) -> AsyncIterator[tuple[str, Bench]]:
    """Have a new run's id, which is locked for as long, and what its judges are asked through.

    Args:
        store: Where the run goes.
        scorers: Whose judges are made ready, their models fetched; no judge's signature is read before.
        max_cost: Hard cap in dollars on the judges' calls; the settings' where None.
        cache: Whether what judges said in other runs counts.
        concurrency: Judges' calls at once; None adapts.
        retry: How their calls are repeated.

    Raises:
        UsageError: A judge cannot be asked.
    """
    settings = load_settings()
    budget = Budget(max_cost if max_cost is not None else settings.max_cost_usd)
    run_id, lock = new_run(store)
    try:
        async with Bench(
            store, settings, run_id=run_id, budget=budget, cache=cache, concurrency=concurrency, retry=retry
        ) as bench:
            await fetch_all((), scorers)
            await ready(bench, scorers)
            yield run_id, bench
    finally:
        lock.release()


async def settle_all(
    store: Store,
    settler: Settler,
    batches: AsyncGenerator[Sequence[Outcome], None],
    ended: Ended | None,
    ending: tuple[RunStatus, str | None] = ("completed", None),
) -> RunResult:
    """Settle every batch and conclude the run, whatever happens between.

    Args:
        store: Where the run lies; it has begun.
        settler: Scores, stores and counts.
        batches: Closed at the end, also where it was not read to its own.
        ended: Is told the result, also of what was stopped.
        ending: How it ends where nothing stops it.

    Raises:
        BudgetError: The next call of a judge does not fit under the cap; what was scored is kept.
        ProviderError: A judge's server is of no use; likewise.
    """
    start = time.perf_counter()

    def end(status: RunStatus, stopped_by: str | None) -> RunResult:
        result = conclude(settler, store, status, time.perf_counter() - start, stopped_by)
        if ended is not None:
            ended(result)
        return result

    try:
        async with contextlib.aclosing(batches):
            async for batch in batches:
                await settler.settle(batch)
                if settler.stopped is not None:
                    raise settler.stopped
                await asyncio.sleep(0)  # light scorers wait for nothing, and Ctrl-C wants a turn
    except BaseException as error:
        end(*how_ended(error))
        raise
    return end(*ending)
