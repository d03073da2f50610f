"""NVIDIA's GPUs and this machine's main memory, as far as they can be asked without loading anything."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ASKED_S = 5.0
"""A driver that hangs must not hang us."""
MIB = 2**20


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
    known = [size for size in (_available(), _left_in_group()) if size is not None]
    return min(known) if known else None


def _available() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _left_in_group() -> int | None:
    group = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError):  # "max", or another version of control groups
        left = int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
        for line in (group / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):  # files read once, which the kernel gives up for whoever asks
                left += int(line.split()[1])
        return max(0, left)
    return None


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
