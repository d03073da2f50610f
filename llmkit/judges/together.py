"""Many waits at once, in bounded number; the first that fails ends the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from llmkit.errors import BudgetError

T = TypeVar("T")


async def together(jobs: Sequence[Callable[[], Awaitable[T]]], workers: int) -> list[T]:
    """Run jobs, ``workers`` at once, and return what they return, in their order.

    What one raises is raised once all others have ended: nothing new is begun, and what is under way is broken off.
    Where the money ran out it is waited for instead: it is paid for already.
    """
    results: dict[int, T] = {}
    waiting = iter(list(enumerate(jobs)))
    failed: list[BaseException] = []

    async def work() -> None:
        for index, job in waiting:  # one iterator for all: each takes the next
            if failed:
                return
            try:
                results[index] = await job()
            except BaseException as error:
                failed.append(error)
                raise

    running = [asyncio.ensure_future(work()) for _ in range(max(1, min(workers, len(jobs))))]
    try:
        await asyncio.gather(*running)
    except BaseException as error:
        if not isinstance(error, BudgetError):
            for task in running:
                task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        raise
    return [results[index] for index in sorted(results)]
