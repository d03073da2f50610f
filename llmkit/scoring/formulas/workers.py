"""Processes that work on untrusted text: started once, asked line by line, killed when a task takes too long."""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from llmkit.errors import ScorerError
from llmkit.scoring.formulas.starting import Started, plain, sandboxed

CLOCK_FACTOR = 4  # a task may take so many times its processor time by the clock: a busy machine is no endless loop,
GRACE_S = 5.0  # and so many seconds more: a copy of a process is to be made, and a short limit soon passes
START_SECONDS = 120.0  # to load its packages; a second, on a machine that does nothing else
REPLY_BYTES = 64 * 1024
MOST = 8  # more processes than this would take more memory than time is worth

Task = Mapping[str, Any]
Reply = Mapping[str, Any]


class Workers:
    """A pool of processes that run one program; safe to call from several threads.

    The program says one line when it is ready, then one line for each that it reads (JSON objects, both).

    Args:
        launch: Starts a process of it.
        most: Processes at once.
        grace_s: What a task may take by the clock beyond ``CLOCK_FACTOR`` times its processor time.
    """

    def __init__(self, launch: Callable[[], Started], most: int, grace_s: float = GRACE_S) -> None:
        self._launch, self._grace_s = launch, grace_s
        self._places = threading.Semaphore(most)
        self._most = most
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start one process now, so that what hinders it is said early.

        Raises:
            ScorerError: It does not start.
        """
        with self._places:
            self._keep(self._take())

    def run(self, tasks: Sequence[Task], seconds: float) -> list[Reply]:
        """Do the tasks, each within so many seconds of processor time; one reply a task, in order.

        Where there is none, it is ``{"stopped": why, "what": …}``: the clock ran out (``timeout``), or ``crash``.

        Raises:
            ScorerError: A process does not start.
        """
        results: list[Reply] = [{}] * len(tasks)
        faults: list[BaseException] = []
        todo = iter(enumerate(tasks))
        turn = threading.Lock()

        def work() -> None:
            try:
                for index, task in _shared(todo, turn):
                    results[index] = self._one(task, seconds)
            except BaseException as error:
                faults.append(error)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(self._most, len(tasks)) - 1)]
        for thread in threads:
            thread.start()
        work()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]
        return results

    def close(self) -> None:
        """End all processes, those at work too; from now on none is started."""
        with self._lock:
            self._closed = True
            ending, self._all, self._idle = self._all, set(), []
        for worker in ending:
            worker.end()

    def _one(self, task: Task, seconds: float) -> Reply:
        with self._places:
            worker = self._take()
            try:
                reply = worker.ask({**task, "seconds": seconds}, CLOCK_FACTOR * seconds + self._grace_s)
            except BaseException:
                self._drop(worker)
                raise
            if worker.ended:
                self._drop(worker)
            else:
                self._keep(worker)
            return reply

    def _take(self) -> _Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        worker = _Worker(self._launch())
        with self._lock:
            if not self._closed:
                self._all.add(worker)
                return worker
        worker.end()
        raise ScorerError("this process is ending")

    def _keep(self, worker: _Worker) -> None:
        with self._lock:
            if worker in self._all:
                self._idle.append(worker)

    def _drop(self, worker: _Worker) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.end()


@cache
def workers(program: Path, memory_mb: int, most: int | None) -> Workers:
    """Return the one pool of a program; its processes end with this one.

    They run in the sandbox that models' programs would, where this machine isolates at all and the program loads in
    it; else as plain processes, which nothing but their limits confines.

    Args:
        program: Its file. Arguments are the mebibytes that a task may take, and the descriptors to read and write.
        memory_mb: Mebibytes that a task may take.
        most: Processes at once; as many as there are processors (up to ``MOST``) where None.

    Raises:
        ScorerError: A process does not start.
    """
    count = most or min(_processors(), MOST)
    isolated = sandboxed(program, memory_mb)
    pool = Workers(isolated or partial(plain, program, memory_mb), count)
    try:
        pool.start()
    except ScorerError:
        if isolated is None:
            raise
        pool = Workers(partial(plain, program, memory_mb), count)
        pool.start()
    atexit.register(pool.close)
    return pool


class _Worker:
    """One process, and the lines that go to and fro."""

    def __init__(self, started: Started) -> None:
        self._started = started
        self._lock = threading.Lock()
        self._turn = 0
        self.ended = False
        if not self._line(None, START_SECONDS):
            said = self.end()
            raise ScorerError(f"the process that scores answers does not start ({said})")

    def ask(self, task: Task, seconds: float) -> Reply:
        """Return its reply, or that there is none after so many seconds; ``ended`` says whether to ask it again."""
        line = self._line(json.dumps(task).encode() + b"\n", seconds)
        if line.endswith(b"\n"):
            reply: Reply = json.loads(line)
            return reply
        late, self.ended = self.ended, True
        return {"stopped": "timeout" if late else "crash"}

    def end(self) -> str:
        """End it; say how it ended."""
        return self._started.end()

    def _line(self, given: bytes | None, seconds: float) -> bytes:
        """Write a line, where one is given, and read one; less where the process ended or the time was up."""
        timer = threading.Timer(seconds, self._stop, (self._turn,))
        timer.daemon = True
        timer.start()
        try:
            if given is not None:
                self._started.sink.write(given)
                self._started.sink.flush()
            return self._started.source.readline(REPLY_BYTES)
        except OSError:  # it ended before it had read all
            return b""
        finally:
            timer.cancel()
            with self._lock:
                self._turn += 1

    def _stop(self, turn: int) -> None:
        with self._lock:  # a timer that was too late to be cancelled must not stop the next line
            if turn == self._turn:
                self.ended = True
                self._started.kill()


def _shared(todo: Iterator[tuple[int, Task]], turn: threading.Lock) -> Iterator[tuple[int, Task]]:
    """Let several threads take from one iterator."""
    while True:
        with turn:
            item = next(todo, None)
        if item is None:
            return
        yield item


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
