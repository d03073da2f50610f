"""Threads that compute side by side, and that an interrupted process need not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """So many threads, for as long as the process lives.

    A pool of ``concurrent.futures`` would be waited for when the process ends, with everything that is queued: on a
    large model that is a minute after Ctrl-C.

    Args:
        count: How many.
        begin: What each thread does first; all have done so when the constructor returns.
        name: Of the threads.
    """

    def __init__(self, count: int, begin: Callable[[], object] = lambda: None, name: str = "llmkit-worker") -> None:
        self._todo: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        ready = threading.Barrier(count + 1)
        for number in range(count):
            threading.Thread(target=self._work, args=(begin, ready), name=f"{name}-{number}", daemon=True).start()
        ready.wait()

    def map(self, call: Callable[[T], R], several: Iterable[T]) -> list[R]:
        """Return what ``call`` makes of each, in order.

        Raises:
            Exception: What the first of them that fails raises.
        """
        futures: list[Future[R]] = []
        for each in several:
            futures.append(Future())
            self._todo.put((futures[-1], lambda each=each: call(each)))  # type: ignore[misc]
        return [future.result() for future in futures]

    def _work(self, begin: Callable[[], object], ready: threading.Barrier) -> None:
        begin()
        ready.wait()
        while True:
            future, call = self._todo.get()
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
            del future, call  # what was computed belongs to the one who asked
