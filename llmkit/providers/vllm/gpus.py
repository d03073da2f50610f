"""NVIDIA's GPUs and this machine's main memory, as far as they can be asked without loading anything."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ASKED_S = 5.0
"""A driver that hangs must not hang us."""
MIB = 2**20
MACHINE = Path("/")
"""Where ``proc`` and ``sys`` lie."""
GROUPS = (
    ("sys/fs/cgroup", "memory.max", "memory.current", ("active_file", "inactive_file")),
    (
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_active_file", "total_inactive_file"),
    ),
)
"""Control groups of version 2 and of version 1: their folder, the limit, what is used, and how much of that are files
read before, which the kernel gives up for whoever asks (its documents ``cgroup-v2`` and ``cgroup-v1/memory``)."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card; memory in bytes."""

    index: int
    uuid: str
    name: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds memory of a card."""

    pid: int
    used: int


def gpus() -> tuple[Gpu, ...]:
    """Return the cards that this process may use, in their order; none where nvidia-smi says none or is not there."""
    rows = _ask("--query-gpu=index,uuid,name,memory.total,memory.free")
    found = []
    for row in rows:
        with contextlib.suppress(ValueError):  # "[N/A]", as cards say that share the machine's memory
            index, uuid, name, total, free = row
            found.append(Gpu(int(index), uuid, name, int(total) * MIB, int(free) * MIB))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return tuple(found)
    chosen = []
    for name in map(str.strip, visible.split(",")):
        # As the driver reads it: a UUID may be shortened, and what follows an unknown name does not count.
        fitting = [gpu for gpu in found if name == str(gpu.index) or (name[:4] == "GPU-" and gpu.uuid.startswith(name))]
        if len(fitting) != 1:
            break
        chosen.append(fitting[0])
    return tuple(chosen)


def holders(gpu: Gpu) -> tuple[Holder, ...]:
    """Return which processes hold the most of a card's memory, the greatest first; in a container nobody is told."""
    found = []
    for row in _ask("--query-compute-apps=gpu_uuid,pid,used_memory"):
        with contextlib.suppress(ValueError):
            uuid, pid, used = row
            if uuid == gpu.uuid:
                found.append(Holder(int(pid), int(used) * MIB))
    return tuple(sorted(found, key=lambda holder: -holder.used))


def main_memory() -> int | None:
    """Return bytes of main memory free for this process, by the kernel and its control group; None: unknown."""
    known = [size for size in (_available(), *_left_in_groups()) if size is not None]
    return min(known) if known else None


def _available() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (MACHINE / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _left_in_groups() -> Iterator[int]:
    """Return what is left in each group that this process is in: its own, and those above."""
    for root, limit, used, files in GROUPS:
        for group in _own_groups(MACHINE / root, version_2=limit == "memory.max"):
            with contextlib.suppress(OSError, ValueError):  # "max", or none of that version here
                left = int((group / limit).read_text()) - int((group / used).read_text())
                stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
                yield max(0, left + sum(int(stat.get(name, 0)) for name in files))


def _own_groups(root: Path, *, version_2: bool) -> list[Path]:
    """Return the folders of this process's memory groups; in a container the root is often all that is seen."""
    with contextlib.suppress(OSError):
        for line in (MACHINE / "proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if (kinds == "") if version_2 else ("memory" in kinds.split(",")):
                parts = [part for part in path.split("/") if part]
                return [root.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    return [root]


def _ask(query: str) -> list[list[str]]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        said = subprocess.run(  # noqa: S603
            [program, query, "--format=csv,noheader,nounits"],
            capture_output=True, text=True, errors="replace", timeout=ASKED_S, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return [[cell.strip() for cell in line.split(",")] for line in said.stdout.splitlines() if line.strip()]
