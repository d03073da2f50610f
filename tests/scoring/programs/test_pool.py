"""Executions side by side, all of them ended when nobody waits any more."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from llmkit.sandbox.base import Execution, Limits, Program
from llmkit.scoring.programs import pool
from llmkit.scoring.programs.pool import Ended, Scope


@dataclass(eq=False)
class Endless:
    """A program that ends when it is killed."""

    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> Execution:
        self.ended.wait()
        return Execution(None, b"", b"", None, 0.0)

    def kill(self) -> None:
        self.ended.set()


class Box:
    """A sandbox in which nothing ends by itself."""

    name, isolated = "fake", True

    def __init__(self) -> None:
        self.started: list[Endless] = []
        self.two = threading.Event()

    def start(self, program: Program, limits: Limits) -> Endless:
        self.started.append(Endless())
        if len(self.started) == 2:
            self.two.set()
        return self.started[-1]


def test_results_come_in_order_whoever_is_first() -> None:
    second = threading.Event()

    def work(item: int, scope: Scope) -> int:
        if item == 1:
            second.wait()
        if item == 2:
            second.set()
        return item * 10

    assert pool.each([1, 2, 3], work, 2) == [10, 20, 30]


def test_nothing_to_do_is_done() -> None:
    assert pool.each([], lambda item, scope: item, 2) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_ends_what_runs_beside_it(error: type[BaseException]) -> None:
    box = Box()

    def work(item: int, scope: Scope) -> None:
        if item == 2:
            box.two.wait()
            raise error
        scope.start(box, Program(("x",)), Limits()).wait()

    with pytest.raises(error):
        pool.each([0, 1, 2], work, 3)
    assert all(each.ended.is_set() for each in box.started)


def test_after_the_end_nothing_starts() -> None:
    scope = Scope()
    scope.end()
    with pytest.raises(Ended):
        scope.start(Box(), Program(("x",)), Limits())


def test_what_was_waited_for_is_not_killed() -> None:
    scope, box = Scope(), Box()
    running = scope.start(box, Program(("x",)), Limits())
    scope.done(running)
    scope.end()
    assert not box.started[0].ended.is_set()
