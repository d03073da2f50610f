"""Several runs at once, side by side in time: whatever a server does meanwhile, it does to all of them."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from llmkit.errors import LlmkitError
from llmkit.providers.base import Provider
from llmkit.providers.budget import Budget
from llmkit.providers.limits import HIGHEST, Limiter
from llmkit.providers.pricing import Prices
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.begin import begin, caller_for
from llmkit.runs.evaluate import Ending, Hooks
from llmkit.runs.judging import Bench
from llmkit.runs.result import conclude, how_ended
from llmkit.runs.resume import Planned
from llmkit.runs.runner import Runner
from llmkit.runs.store import Store
from llmkit.types import Completion, Request, RunStatus


@dataclass(frozen=True, slots=True)
class Shared:
    """What the runs have in common: one server's rate, one budget.

    Attributes:
        provider: Started.
        limiter: Of calls in flight, all runs together.
        budget: The cap that holds over all of them.
        prices: For costs.
        store: Where everything goes.
        retry: How calls are repeated.
        bench: Gives judges their models; None where no suite has one.
    """

    provider: Provider
    limiter: Limiter
    budget: Budget
    prices: Prices
    store: Store
    retry: RetryPolicy
    bench: Bench | None = None


class Abreast:
    """Has runs begin their calls by rounds: each once, in an order drawn anew.

    No run is a call ahead of another that is still under way, and none is always the first: a server that remembers
    the prompt answers the second asking faster and cheaper.

    Args:
        sides: How many runs.
        seed: Of the orders.
    """

    def __init__(self, sides: int, seed: int = 0) -> None:
        self._begun = [0] * sides
        self._over = [False] * sides
        self._waiting: list[deque[asyncio.Future[None]]] = [deque() for _ in range(sides)]
        self._random = random.Random(seed)  # noqa: S311 - an order, no secret
        self._orders: list[list[int]] = []

    async def turn(self, side: int) -> None:
        """Wait until it is the side's turn."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting[side].append(turn)
        loop.call_soon(self._wake)  # not at once: who has waited must not be overtaken by who need not wait
        await turn

    def over(self, side: int) -> None:
        """Say that a run has ended: nobody waits for it any more."""
        self._over[side] = True
        self._wake()

    def _wake(self) -> None:
        woken = True
        while woken:
            woken = False
            for side, waiting in enumerate(self._waiting):
                while waiting and self._may(side):
                    turn = waiting.popleft()
                    if not turn.done():
                        self._begun[side] += 1
                        turn.set_result(None)
                        woken = True

    def _may(self, side: int) -> bool:
        """Whether the side may begin: all others are as far, and those before it in this round have begun it."""
        at = self._begun[side]
        while len(self._orders) <= at:
            self._orders.append(self._random.sample(range(len(self._begun)), len(self._begun)))
        before = self._orders[at].index(side)
        return all(
            self._over[other] or self._begun[other] >= at + (place < before)
            for place, other in enumerate(self._orders[at])
            if other != side
        )


async def together(runs: Sequence[Planned], shared: Shared, hooks: Hooks) -> list[Ending]:
    """Execute runs of one model at once, none of them with answers of other runs; returns how each ended.

    Raises:
        asyncio.CancelledError: After everything has been kept, and each run concluded.
        StoreError: The store failed; what was committed is kept.
    """
    abreast = Abreast(len(runs), runs[0].plan.seed if runs else 0)
    tasks = [asyncio.create_task(_one(run, side, abreast, shared, hooks)) for side, run in enumerate(runs)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    failed = [error for task in tasks if not task.cancelled() and (error := task.exception()) is not None]
    if failed:  # what was cancelled because of it says nothing
        raise failed[0]
    return [task.result() for task in tasks]


async def _one(one: Planned, side: int, abreast: Abreast, shared: Shared, hooks: Hooks) -> Ending:
    """Execute one run, from its record's first line to its last, whatever happens between."""
    store, start = shared.store, time.perf_counter()
    begin(one, shared.provider, store)
    call = caller_for(
        shared.provider, one.run_id, store, shared.retry, shared.limiter, shared.budget, shared.prices
    )  # fmt: skip
    runner = Runner(
        one.plan, one.run_id, shared.provider, _by_turns(call, side, abreast), store,
        workers=HIGHEST if shared.limiter.adaptive else shared.limiter.size, use_cache=False,
        observer=hooks.observer(one.run_id, one.plan),
        bench=shared.bench.share(one.run_id) if shared.bench is not None else None,
    )  # fmt: skip

    def end(status: RunStatus, stopped_by: str | None, error: LlmkitError | None = None) -> Ending:
        ending = Ending(conclude(runner, store, status, time.perf_counter() - start, stopped_by), error)
        hooks.ended(ending)
        return ending

    try:
        status, error = await runner.run()
        return end(status, str(error) if error else None, error)
    except LlmkitError as error:
        return end(*how_ended(error), error)
    except BaseException as error:
        end(*how_ended(error))
        raise
    finally:
        abreast.over(side)


def _by_turns(
    call: Callable[[Request], Awaitable[Completion]], side: int, abreast: Abreast
) -> Callable[[Request], Awaitable[Completion]]:
    async def ask(request: Request) -> Completion:
        await abreast.turn(side)
        return await call(request)

    return ask
