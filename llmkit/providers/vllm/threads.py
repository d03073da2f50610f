"""Work that blocks, in a thread that nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Run ``work`` in a daemon thread, in this context.

    ``asyncio.to_thread`` would have the event loop's end wait for it: a Ctrl-C would wait for a download.

    Raises:
        Exception: Whatever ``work`` does.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def told(result: T | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any more
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # it is raised where it is waited for
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(told, result, error)

    threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True, name="llmkit-vllm").start()
    return await future
