"""Several executions at once, and all of them ended when nobody waits any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

from llmkit.sandbox.base import Limits, Program, Running, Sandbox

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE_S = 0.2  # how soon an interrupt is noticed by who waits


class Ended(Exception):
    """Nobody waits for what was to be started."""


class Scope:
    """What runs for one batch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Running] = set()
        self.ended = False

    def start(self, sandbox: Sandbox, program: Program, limits: Limits) -> Running:
        """Start a program.

        Raises:
            SandboxError: It could not be started.
            Ended: The batch has ended.
        """
        if self.ended:
            raise Ended
        running = sandbox.start(program, limits)
        with self._lock:
            self._running.add(running)
        self._kill_late(running)
        return running

    def _kill_late(self, running: Running) -> None:
        if self.ended:  # while it was being started
            running.kill()

    def done(self, running: Running) -> None:
        """Forget a program that was waited for."""
        with self._lock:
            self._running.discard(running)

    def end(self) -> None:
        """Kill what runs, and start nothing more."""
        with self._lock:
            self.ended = True
            running = list(self._running)
        for each in running:
            each.kill()


def each(items: Sequence[T], work: Callable[[T, Scope], R], workers: int) -> list[R]:
    """Do the work for each item, several at once; results in order.

    An exception, an interrupt among them, ends all executions first.

    Raises:
        BaseException: What the work raised.
    """
    scope = Scope()
    todo: SimpleQueue[tuple[int, T]] = SimpleQueue()
    done: SimpleQueue[tuple[int, R | None, BaseException | None]] = SimpleQueue()
    for numbered in enumerate(items):
        todo.put(numbered)

    def run() -> None:
        while not scope.ended:
            try:
                number, item = todo.get_nowait()
            except Empty:
                return
            try:
                done.put((number, work(item, scope), None))
            except BaseException as error:
                done.put((number, None, error))

    # Daemons: an interrupted process waits for none of them, and what they started dies with it.
    for number in range(min(workers, len(items))):
        threading.Thread(target=run, name=f"llmkit-code-{number}", daemon=True).start()
    results: dict[int, R] = {}
    try:
        while len(results) < len(items):
            try:
                number, result, error = done.get(timeout=_PATIENCE_S)
            except Empty:
                continue
            if error is not None:
                raise error
            results[number] = result  # type: ignore[assignment]
    finally:
        scope.end()
    return [results[number] for number in range(len(items))]
