"""Threads that compute side by side."""

import subprocess
import sys
import threading
import time

import pytest

from llmkit.scoring.contextual.workers import Workers


def test_results_are_in_order_whoever_is_first() -> None:
    second = threading.Event()

    def slow_first(number: int) -> int:
        if number == 0:
            assert second.wait(10)
        second.set()
        return number * 2

    assert Workers(2).map(slow_first, range(3)) == [0, 2, 4]


def test_what_one_raises_is_raised_and_the_next_is_computed() -> None:
    workers = Workers(1)
    with pytest.raises(ZeroDivisionError):
        workers.map(lambda number: 1 / number, [1, 0])
    assert workers.map(lambda number: 1 / number, [2]) == [0.5]


def test_each_thread_has_begun_before_the_first_is_asked() -> None:
    begun: list[int] = []
    Workers(3, lambda: begun.append(threading.get_ident()))
    assert len(set(begun)) == 3


def test_a_process_that_ends_does_not_wait_for_what_is_queued() -> None:
    code = """
import threading, time
from llmkit.scoring.contextual.workers import Workers
workers, begun = Workers(1), threading.Event()
def work(seconds):
    begun.set()
    time.sleep(seconds)
threading.Thread(target=workers.map, args=(work, [60, 60]), daemon=True).start()
assert begun.wait(10)
"""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=50)
    assert time.monotonic() - start < 50
