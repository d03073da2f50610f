"""A program under watch: a thread of its own starts it, reads what it prints, holds its limits and sees it end.

The thread that starts it lives as long as it does, because the kernel ends a sandbox together with the *thread* that
made it (PR_SET_PDEATHSIG): so it cannot outlive this process, and does not end with a thread of the caller's.

Time, memory and processes of all together are held from outside, by looking every few hundredths of a second: cgroups
would do it without looking, and few users may make one.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from llmkit.errors import SandboxError
from llmkit.sandbox.base import MEBIBYTE, Execution, Limits, Program, Stopped
from llmkit.sandbox.order import sealed
from llmkit.sandbox.usage import Meter, shared_out

KIBIBYTE = 1024
CHUNK = 65536
LOOKS_S = (0.01, 0.02, 0.04)
"""How long until the first, second, and each later look at what it takes: most programs end before the second."""
SETUP_S = 30.0  # a machine that takes longer to make a sandbox is not fit to time programs
GRACE_S = 10.0  # for the kernel to end what was killed
REAPED_S = 0.5
OVERHEAD = 4  # processes of the sandbox's own
MOST_FILES = 50_000  # in the scratch folder, whose bound on bytes does not bind empty files


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Numbers of descriptors that a command is given; -1: not this one."""

    order: int
    channel: int
    status: int
    info: int


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a sandbox.

    Attributes:
        command: Makes the command line.
        order: What the code inside reads.
        ends: ``init``: the process that the command tells of (``{"child-pid": …}``, as bubblewrap does) is the one
            with whose end all end. ``tree``: the command ends all that it started when it is told to (SIGTERM); the
            process that it tells of, if any, leads the program's group.
        scratch: The scratch folder within the sandbox, to count its files; None where it need not be.
        counted: Whether the program's processes descend from the command, and so what they take can be measured.
        cleanup: Called in the end.
    """

    command: Callable[[Descriptors], list[str]]
    order: bytes
    ends: Literal["init", "tree"]
    scratch: str | None = None
    counted: bool = True
    cleanup: Callable[[], None] | None = None


@dataclass(slots=True)
class _Output:
    """What comes through a pipe, up to a limit."""

    descriptor: int
    limit: int
    data: bytearray = field(default_factory=bytearray)
    open: bool = True
    over: bool = False

    def read(self) -> None:
        """Take what is there; the pipe does not block."""
        try:
            chunk = os.read(self.descriptor, CHUNK)
        except BlockingIOError:
            return
        self.open = bool(chunk)
        room = self.limit - len(self.data)
        self.over = self.over or len(chunk) > room
        self.data += chunk[: max(room, 0)]


class Watched:
    """A program that was started, and the thread that watches it."""

    def __init__(self, launch: Launch, program: Program, limits: Limits) -> None:
        """Start it.

        Raises:
            SandboxError: It could not be started.
        """
        self._launch, self._program, self._limits = launch, program, limits
        self._began = threading.Event()
        self._errors: list[BaseException] = []
        self._execution: Execution | None = None
        self._killing, self._wake = os.pipe()
        self._lock = threading.Lock()
        self._done = False
        self._thread = threading.Thread(target=self._run, name="llmkit-sandbox", daemon=True)
        self._thread.start()
        self._began.wait()
        if self._errors:
            self._thread.join()
            raise self._errors[0]

    def wait(self) -> Execution:
        """Wait for its end; nothing of it lives then."""
        self._thread.join()
        if self._execution is None:
            raise self._errors[0]
        return self._execution

    def kill(self) -> None:
        """End it and all that it started."""
        with self._lock:
            if not self._done:
                os.write(self._wake, b"k")

    def _run(self) -> None:
        try:
            with contextlib.ExitStack() as stack:
                self._execution = _Watch(self._launch, self._program, self._limits, self._killing, stack).until_end(
                    self._began
                )
        except BaseException as error:  # belongs to whoever started it
            self._errors.append(error)
        finally:
            if self._launch.cleanup is not None:
                self._launch.cleanup()
            with self._lock:
                self._done = True
                os.close(self._wake)
                os.close(self._killing)
            if self._program.channel is not None:
                self._program.channel.close()
            self._began.set()


class _Watch:
    """One start and its end, in the watching thread."""

    def __init__(
        self, launch: Launch, program: Program, limits: Limits, killing: int, stack: contextlib.ExitStack
    ) -> None:
        self._launch, self._limits, self._stack = launch, limits, stack
        self._poll = select.poll()
        self._stopped: Stopped | None = None
        self._killed = False
        self._said, self._info = bytearray(), bytearray()
        self._init: int | None = None  # pid of the process whose end is that of all
        self._init_fd = -1
        self._killing = killing
        self._spawn(program)

    def _spawn(self, program: Program) -> None:
        closing: list[int] = []
        try:
            pipes = [os.pipe() for _ in range(4)]
            closing += [writing for _, writing in pipes]
            for reading, _ in pipes:
                self._stack.callback(os.close, reading)
                os.set_blocking(reading, False)
            order, stdin = sealed(self._launch.order), sealed(program.stdin)
            closing += [order, stdin]
            (out, out_end), (err, err_end), (self._status, status_end), (self._told, info_end) = pipes
            channel = -1 if program.channel is None else program.channel.fileno()
            given = Descriptors(order, channel, status_end, info_end)
            passed = [number for number in (order, channel, status_end, info_end) if number >= 0]
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._launch.command(given), stdin=stdin, stdout=out_end, stderr=err_end, pass_fds=passed,
                env={}, cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise SandboxError(f"a sandbox could not be started: {error}") from error
        finally:
            for number in closing:
                os.close(number)
        if program.channel is not None:
            program.channel.close()
        limit = self._limits.output_kb * KIBIBYTE
        self._out, self._err = _Output(out, limit), _Output(err, limit)
        self._meter = Meter(self._process.pid)
        self._process_fd = self._watch_pid(self._process.pid)
        for number in (out, err, self._status, self._told, self._killing):
            self._poll.register(number, select.POLLIN)

    def _watch_pid(self, pid: int) -> int:
        """Return a descriptor that tells of a process's end; -1 where this system has none."""
        if not hasattr(os, "pidfd_open"):
            return -1
        try:
            found = os.pidfd_open(pid)
        except OSError:
            return -1
        self._stack.callback(os.close, found)
        self._poll.register(found, select.POLLIN)
        return found

    def until_end(self, began: threading.Event) -> Execution:
        """Watch the program from before its start to its end; set ``began`` once it runs."""
        try:
            self._until_begun()
            start = time.monotonic()
            began.set()
            self._until_exit(start)
        finally:
            self._end_all()
        for output in (self._out, self._err):
            while output.open and not output.over and self._ready(output.descriptor):
                output.read()
        if self._stopped is None and not self._killed and (self._out.over or self._err.over):
            self._stopped = "output"
        ended = self._stopped is not None or self._killed
        code = None if ended else self._process.returncode
        return Execution(
            exit_code=None if code is None else 128 - code if code < 0 else code,
            stdout=bytes(self._out.data),
            stderr=bytes(self._err.data),
            stopped=self._stopped,
            wall_s=time.monotonic() - start,
        )

    def _until_begun(self) -> None:
        deadline = time.monotonic() + SETUP_S
        while True:
            ready = self._wait(deadline - time.monotonic())
            if self._status in ready:
                more = os.read(self._status, CHUNK)
                self._said += more
                if not more:
                    break
            if time.monotonic() > deadline:
                raise SandboxError(f"a sandbox was not ready within {SETUP_S:.0f} s")
        self._poll.unregister(self._status)
        if self._said != b"+":
            self._end_all()
            said = bytes(self._said or self._err.data).decode("utf-8", "replace").strip()
            reason = said.splitlines()[-1] if said else f"exit code {self._process.returncode}"
            raise SandboxError(f"a sandbox could not be made: {reason}")

    def _until_exit(self, start: float) -> None:
        looks, look = iter(LOOKS_S[:-1]), start + LOOKS_S[0]
        end = start + self._limits.wall_s
        while not self._exited():
            now = time.monotonic()
            if self._killed or self._stopped is not None:
                return
            if self._out.over or self._err.over:
                self._stopped = "output"
            elif now >= end:
                self._stopped = "wall"
            elif now >= look:
                self._stopped = self._exceeded()
                look = time.monotonic() + next(looks, LOOKS_S[-1])
            else:
                self._wait(min(look, end) - now)

    def _exited(self) -> bool:
        return self._process.poll() is not None

    def _wait(self, seconds: float) -> set[int]:
        """Wait until something happens; take what was printed and said."""
        if self._process_fd < 0:
            seconds = min(seconds, LOOKS_S[0])
        ready = {number for number, _ in self._poll.poll(max(seconds, 0) * 1000 + 1)}
        for output in (self._out, self._err):
            if output.descriptor in ready:
                output.read()
                if not output.open or output.over:
                    self._poll.unregister(output.descriptor)
        if self._told in ready:
            self._learn(os.read(self._told, CHUNK))
        if self._killing in ready:
            self._killed = True
            self._poll.unregister(self._killing)
        return ready

    def _learn(self, said: bytes) -> None:
        """Take the number of the process whose end is that of all."""
        self._info += said
        if not said:
            self._poll.unregister(self._told)
        elif self._init is None:
            with contextlib.suppress(ValueError, KeyError):
                self._init = int(json.loads(self._info)["child-pid"])
                if self._launch.ends == "init":
                    self._init_fd = self._watch_pid(self._init)

    def _exceeded(self) -> Stopped | None:
        if not self._launch.counted:
            return None
        taken = self._meter.look()
        if taken.cpu_s >= self._limits.cpu_s:
            return "cpu"
        if taken.threads > self._limits.processes + OVERHEAD:
            return "processes"
        most = self._limits.memory_mb * MEBIBYTE
        if taken.memory > most:
            held = shared_out(taken.pids)
            if held is None or held > most:
                return "memory"
        return "memory" if self._files() > MOST_FILES else None

    def _files(self) -> int:
        if self._launch.scratch is None or self._init is None:
            return 0
        try:
            found = os.statvfs(f"/proc/{self._init}/root{self._launch.scratch}")
        except OSError:
            return 0
        return found.f_files - found.f_ffree

    def _kill(self) -> None:
        if self._init_fd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init_fd, signal.SIGKILL)
        elif self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM if self._launch.ends == "tree" else signal.SIGKILL)
        elif self._process.returncode < 0 and self._init is not None:
            _kill_group(self._init)  # it was killed by what it was to keep

    def _end_all(self) -> None:
        """Kill what still lives, and wait until it is gone."""
        deadline = time.monotonic() + GRACE_S
        self._kill()
        while self._process.poll() is None or not self._init_gone():
            if time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                raise SandboxError(f"a program was killed and did not end within {GRACE_S:.0f} s")
            ready = self._wait(deadline - time.monotonic())
            if self._process_fd in ready and self._process.poll() is not None:
                self._poll.unregister(self._process_fd)
                self._process_fd = -1

    def _init_gone(self) -> bool:
        return self._init_fd < 0 or self._ready(self._init_fd)

    @staticmethod
    def _ready(number: int) -> bool:
        poll = select.poll()
        poll.register(number, select.POLLIN)
        return bool(poll.poll(0))


def _kill_group(leader: int) -> None:
    """Kill a process group, and wait until whoever inherited it has reaped it; not for long, for nobody may."""
    deadline = time.monotonic() + REAPED_S
    while time.monotonic() < deadline:
        try:
            os.killpg(leader, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(LOOKS_S[0])
