"""Two ways to start a process that works on untrusted text: in a sandbox, and as a plain process with few rights."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from llmkit.errors import NoIsolationError
from llmkit.sandbox.base import Limits, Program, Running, Sandbox

FOREVER_S = 30 * 24 * 3600.0  # a sandbox bounds all that a program does; here each task has limits of its own
LOADED_MB = 1024  # addresses of the program and its packages, before any task
PROCESSES = 16
_MEMORY_FACTOR = 6  # the program bounds its tasks itself; the sandbox bounds the program


class Started(Protocol):
    """A process, and the two ends that lines go through."""

    @property
    def source(self) -> IO[bytes]: ...  # noqa: D102
    @property
    def sink(self) -> IO[bytes]: ...  # noqa: D102

    def kill(self) -> None:
        """Make it end, and whatever it started; reading from it ends then. From any thread, any number of times."""
        ...

    def end(self) -> str:
        """Kill it and clean up; say how it ended."""
        ...


def plain(program: Path, memory_mb: int) -> Started:
    """Start a process that has nothing of this one's environment, no descriptor but its pipes, a session of its own."""
    return _Plain(program, (str(memory_mb), "0", "1"))


def sandboxed(program: Path, memory_mb: int) -> Callable[[], Started] | None:
    """Return what starts a process in a sandbox that models' programs may run in; None where nothing isolates here."""
    from llmkit.sandbox.choose import AUTOMATIC, probe

    for name in AUTOMATIC:
        sandbox = probe(name)
        if not isinstance(sandbox, NoIsolationError):
            return partial(_Sandboxed, sandbox, program, memory_mb)
    return None


class _Plain:
    def __init__(self, program: Path, arguments: tuple[str, ...]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, our own program; answers go in as data
            [sys.executable, "-s", "-P", "-B", str(program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=Path(sys.executable).anchor,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self.sink: IO[bytes] = self._process.stdin
        self.source: IO[bytes] = self._process.stdout

    def kill(self) -> None:
        if not hasattr(os, "killpg"):
            self._process.kill()
        elif self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # nothing of it is left
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> str:
        self.kill()
        code = self._process.wait()
        for pipe in (self.sink, self.source):
            with contextlib.suppress(OSError):  # what was still to be written
                pipe.close()
        return f"exit {code}"


class _Sandboxed:
    def __init__(self, sandbox: Sandbox, program: Path, memory_mb: int) -> None:
        here, there = socket.socketpair()
        ours = Program(("main.py", str(memory_mb), "3", "3"), {"main.py": program.read_bytes()}, channel=there)
        limits = Limits(
            cpu_s=FOREVER_S,
            wall_s=FOREVER_S,
            memory_mb=LOADED_MB + _MEMORY_FACTOR * memory_mb,
            processes=PROCESSES,
        )
        try:
            self._running: Running = sandbox.start(ours, limits)
        except BaseException:
            here.close()
            raise
        self._socket = here
        self.source: IO[bytes] = here.makefile("rb")
        self.sink: IO[bytes] = here.makefile("wb")

    def kill(self) -> None:
        self._running.kill()

    def end(self) -> str:
        self._running.kill()
        ended = self._running.wait()
        for pipe in (self.sink, self.source, self._socket):
            with contextlib.suppress(OSError):  # what was still to be written
                pipe.close()
        return ended.stopped or f"exit {ended.exit_code}"


def _environment() -> dict[str, str]:
    """What a process needs to run at all; the same order of sets in each, so that verdicts do not depend on it."""
    kept = ("SYSTEMROOT", "LD_LIBRARY_PATH")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {**found, "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
