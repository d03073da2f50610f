"""What a sandbox is told to run, as one piece of data that the code inside reads from a descriptor."""

from __future__ import annotations

import fcntl
import marshal
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from llmkit.errors import SandboxError
from llmkit.sandbox import seccomp as filters
from llmkit.sandbox.base import MEBIBYTE, Limits, Program
from llmkit.sandbox.places import DEVICES, FOLDERS, SCRATCH, places
from llmkit.sandbox.users import Users

PACKAGE = "llmkit.sandbox.inside"
BOOT = """
import marshal, sys
with open(int(sys.argv[1]), "rb") as file:
    modules, order = marshal.load(file)
for name, code in modules:
    module = sys.modules[name] = type(sys)(name)
    exec(code, module.__dict__)
module.main(order)
"""
"""What starts the code inside: it makes our modules without finding llmkit, and calls ``main`` of the last."""

ENVIRONMENT: Mapping[str, str] = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",  # an answer that prints a set prints the same each time
    "PYTHONNOUSERSITE": "1",
    "PYTHONSAFEPATH": "1",
    "PYTHONUTF8": "1",
    "TZ": "UTC",
    # A thread for each of 64 processors is more than a program may have.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
STACK = 8 * MEBIBYTE  # what Linux gives by default; where it is unlimited, deep recursion would end otherwise
DESCRIPTORS = 128


def boot(python: str, *arguments: str) -> list[str]:
    """Return the command that runs ``main`` of an order's last module; the first argument is the order's number."""
    return [python, "-I", "-S", "-c", BOOT, *arguments]


def order(modules: tuple[str, ...], data: dict[str, Any]) -> bytes:
    """Put together what the code inside reads.

    Args:
        modules: Those of ``llmkit.sandbox.inside`` beside ``steps``; ``main`` of the last is called.
        data: With this.
    """
    return marshal.dumps((_code(("steps", *modules)), data))


def contents(
    program: Program,
    limits: Limits,
    *,
    python: str,
    scratch: tuple[str, str, str],
    tasks: int | None,
    **more: Any,
) -> dict[str, Any]:
    """Return what the last steps before a program need.

    Args:
        program: What to run.
        limits: What it may take.
        python: The interpreter that runs it.
        scratch: Folders to make: the one it starts in, that of temporary files, that of shared memory.
        tasks: RLIMIT_NPROC; None sets none.
        more: What a kind of sandbox needs beside.

    Raises:
        SandboxError: A file's name leads out of the folder.
    """
    work, temporary, _ = scratch
    return {
        "argv": [python, *program.arguments],
        "environment": {**ENVIRONMENT, "HOME": work, "TMPDIR": temporary},
        "files": {_inner(name): bytes(content) for name, content in program.files.items()},
        "folders": list(scratch),
        "work": work,
        "limits": rlimits(limits, tasks),
        "uid": None,
        "confine": False,
        "seccomp": None,
        "writable": [],
        "devices": [],
        **more,
    }


def confined(
    program: Program, limits: Limits, *, python: str, tasks: int | None, seccomp: Any, **more: Any
) -> dict[str, Any]:
    """Return the same for a program behind walls: what every kind of sandbox that isolates holds it to.

    Args:
        program: What to run.
        limits: What it may take.
        python: The interpreter that runs it.
        tasks: RLIMIT_NPROC; None sets none.
        seccomp: The filter of its system calls.
        more: What a kind of sandbox needs beside.

    Raises:
        SandboxError: A file's name leads out of the folder.
    """
    return contents(
        program, limits, python=python, scratch=FOLDERS, tasks=tasks,
        confine=True, seccomp=seccomp, writable=[SCRATCH], devices=list(DEVICES), **more,
    )  # fmt: skip


def namespaced(program: Program, limits: Limits, users: Users, **more: Any) -> dict[str, Any]:
    """Return the same for a program in namespaces of this machine, under a user of ``users``."""
    uid = users.fresh()
    tasks = users.tasks(limits.processes, own=uid is not None)
    return confined(
        program, limits, python=places().python, tasks=tasks, seccomp=filters.program(), uid=uid, **more
    )  # fmt: skip


def rlimits(limits: Limits, tasks: int | None) -> dict[str, int]:
    """Return the limits that the kernel holds by itself, by their names in setrlimit(2)."""
    found = {
        "CPU": int(limits.cpu_s) + 2,  # whole seconds; the exact limit is held from outside, this one where that fails
        "AS": limits.memory_mb * MEBIBYTE,
        "FSIZE": limits.file_mb * MEBIBYTE,
        "NOFILE": DESCRIPTORS,
        "STACK": STACK,
        "CORE": 0,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
    }
    return found if tasks is None else {**found, "NPROC": tasks}


def sealed(content: bytes) -> int:
    """Return a descriptor to read ``content`` from; nobody who has it can write there."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("llmkit", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        _write(descriptor, content)
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor
    writing, path = tempfile.mkstemp(prefix="llmkit-")
    try:
        _write(writing, content)
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(writing)
        os.unlink(path)  # noqa: PTH108


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _inner(name: str) -> str:
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise SandboxError(f"a sandbox's file is named relative to its folder, not {name!r}")
    return str(path)


@cache
def _code(names: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    return tuple((f"{PACKAGE}.{name}", compile(source(name), f"<{name}>", "exec")) for name in names)


@cache
def source(name: str) -> str:
    """Return the text of a module of ``llmkit.sandbox.inside``."""
    return (resources.files(PACKAGE) / f"{name}.py").read_text(encoding="utf-8")


def version() -> str:
    """Return the running Python's, as an image's tag names it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
