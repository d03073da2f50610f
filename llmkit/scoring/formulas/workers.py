"""Processes that work on untrusted text: started once, asked line by line, killed when a task takes too long."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

from llmkit.errors import ScorerError

CLOCK_FACTOR = 4  # a task may take so many times its processor time by the clock: a busy machine is no endless loop
START_SECONDS = 120.0  # to load its packages; a second, on a machine that does nothing else
REPLY_BYTES = 64 * 1024
MOST = 8  # more processes than this would take more memory than time is worth

Task = Mapping[str, Any]
Reply = Mapping[str, Any]


class Workers:
    """A pool of processes that run one program; safe to call from several threads.

    The program says one line when it is ready, then one line for each that it reads (JSON objects, both). It gets
    nothing of this process's environment, no descriptor but its pipes, and a session of its own.

    Args:
        program: A Python file; it runs under this interpreter, whose packages it sees.
        arguments: Of the program.
        most: Processes at once.
    """

    def __init__(self, program: Path, arguments: Sequence[str], most: int) -> None:
        self._command = [sys.executable, "-s", "-P", "-B", str(program), *arguments]
        self._places = threading.Semaphore(most)
        self._most = most
        self._idle: list[_Worker] = []
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
        """End the processes that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def _one(self, task: Task, seconds: float) -> Reply:
        with self._places:
            worker = self._take()
            try:
                reply = worker.ask({**task, "seconds": seconds}, seconds)
            except BaseException:
                worker.end()
                raise
            if worker.ended:
                worker.end()
            else:
                self._keep(worker)
            return reply

    def _take(self) -> _Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Worker(self._command)

    def _keep(self, worker: _Worker) -> None:
        with self._lock:
            self._idle.append(worker)


@cache
def workers(program: Path, arguments: tuple[str, ...], most: int | None) -> Workers:
    """Return the one pool of a program; its processes end with this one.

    Args:
        program: Its file.
        arguments: Of the program.
        most: Processes at once; as many as there are processors (up to ``MOST``) where None.
    """
    pool = Workers(program, arguments, most or min(_processors(), MOST))
    atexit.register(pool.close)
    return pool


class _Worker:
    def __init__(self, command: Sequence[str]) -> None:
        self._late = self.ended = False
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, our own program; answers go in as data
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=Path(sys.executable).anchor,
            start_new_session=True,
        )
        if not self._line(None, START_SECONDS):
            code = self.end()
            raise ScorerError(f"the process that scores answers does not start (exit {code})")

    def ask(self, task: Task, seconds: float) -> Reply:
        line = self._line(json.dumps(task).encode() + b"\n", CLOCK_FACTOR * seconds)
        if line.endswith(b"\n"):
            reply: Reply = json.loads(line)
            return reply
        self.ended = True
        return {"stopped": "timeout" if self._late else "crash", "what": ""}

    def end(self) -> int:
        """Kill it and what it started; return what it exited with."""
        self._kill()
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was still to be written
                _there(pipe).close()
        return code

    def _line(self, given: bytes | None, seconds: float) -> bytes:
        """Write a line, where one is given, and read one; empty where the process ended or the time was up."""
        timer = threading.Timer(seconds, self._stop)
        timer.daemon = True
        timer.start()
        try:
            if given is not None:
                stdin = _there(self._process.stdin)
                stdin.write(given)
                stdin.flush()
            return _there(self._process.stdout).readline(REPLY_BYTES)
        except OSError:  # it ended before it had read all
            return b""
        finally:
            timer.cancel()

    def _stop(self) -> None:
        self._late = True
        self._kill()

    def _kill(self) -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):  # nothing of it is left
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _shared(todo: Iterator[tuple[int, Task]], turn: threading.Lock) -> Iterator[tuple[int, Task]]:
    """Let several threads take from one iterator."""
    while True:
        with turn:
            item = next(todo, None)
        if item is None:
            return
        yield item


def _environment() -> dict[str, str]:
    """What a process needs to run at all; the same order of sets in each, so that verdicts do not depend on it."""
    kept = ("SYSTEMROOT", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONHASHSEED": "0",
        "LC_ALL": "C.UTF-8",
    }


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
