"""What a sandbox is: a program, its limits, and how it ended."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

MEBIBYTE = 2**20

Stopped = Literal["wall", "cpu", "memory", "output", "processes"]
"""Which limit ended a program. Those of processes and files make its own calls fail: ``processes`` ends it only where
the system cannot be told to refuse them (``unsafe-local``, kernels before 5.14)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one execution may take.

    Attributes:
        cpu_s: Seconds of processor time, all its processes together.
        wall_s: Seconds from its start; then everything it started is killed.
        memory_mb: Mebibytes of address space of each process, and of memory held by all together.
        processes: Processes and threads at once.
        file_mb: Mebibytes of one file.
        scratch_mb: Mebibytes of all files, in the one folder that can be written.
        output_kb: Kibibytes of standard output, and as many of standard error; more ends it.
    """

    cpu_s: float = 10.0
    wall_s: float = 15.0
    memory_mb: int = 1024
    processes: int = 64
    file_mb: int = 16
    scratch_mb: int = 64
    output_kb: int = 256


@dataclass(frozen=True, slots=True)
class Program:
    """What is executed, alone in a fresh folder that is gone afterwards.

    Attributes:
        arguments: Of the sandbox's Python: ``("main.py",)``, say. It sees no variables of this process, its user's
            packages nor its own folder (as under ``-I``), writes no bytecode, and hashes with the seed 0. ``-S`` first
            saves it a few milliseconds, and the packages of the environment.
        files: Relative name → content, written into the folder first.
        stdin: What it reads.
        channel: One end of a socket pair; the program has it as descriptor 3. No other descriptor is inherited.
            ``start`` takes it: closed in this process then, so that the other end reads its end when the program's is.
    """

    arguments: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    stdin: bytes = b""
    channel: socket.socket | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """How a program ended; nothing of it runs any more.

    Attributes:
        exit_code: As a shell tells it: 128 and the signal's number where a signal ended it. None where the sandbox
            did, for a limit or for ``kill``.
        stdout: At most ``Limits.output_kb`` of it.
        stderr: Likewise.
        stopped: The limit that ended it; None where it ended by itself.
        wall_s: Seconds.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    stopped: Stopped | None
    wall_s: float


class Running(Protocol):
    """A program that was started."""

    def wait(self) -> Execution:
        """Wait for its end, which ``Limits.wall_s`` bounds; every process that it started is gone then.

        It is watched from its start on, whether or not someone waits.
        """
        ...

    def kill(self) -> None:
        """End it and all that it started. ``wait`` is still to be called."""
        ...


class Sandbox(Protocol):
    """One way to isolate programs.

    Attributes:
        name: ``bubblewrap``, ``namespaces``, ``docker(IMAGE@NUMBER)``, ``unsafe-local``: what a signature says.
        isolated: Whether it keeps a program from the network, other files and other processes.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def isolated(self) -> bool: ...  # noqa: D102

    def start(self, program: Program, limits: Limits) -> Running:
        """Start a program; safe to call from several threads.

        Raises:
            SandboxError: It could not be started, for a reason that is not the program's.
        """
        ...
