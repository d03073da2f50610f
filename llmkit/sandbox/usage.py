"""What a process and all below it take, read from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree of processes takes.

    Attributes:
        pids: Its processes, the topmost first.
        threads: Of all of them; a process with one counts one.
        memory: Bytes held that are no file's; pages that processes share are counted once for each.
        cpu_s: Seconds of processor time, those of ended children included.
    """

    pids: tuple[int, ...]
    threads: int
    memory: int
    cpu_s: float


def usage(top: int) -> Usage:
    """Measure a process and its descendants; those that end meanwhile are left out."""
    return Meter(top).look()


class Meter:
    """Measures a process and its descendants again and again, and keeps what those took that ended since.

    The kernel adds what a process took to its parent when that waits for it, and to nobody where nobody does (SIGCHLD
    ignored). What ended between two looks is counted where the living did not get as much from their children.
    """

    def __init__(self, top: int) -> None:
        """Begin with a process."""
        self._top, self._lost = top, 0
        self._before: dict[_Key, _Ticks] = {}

    def look(self) -> Usage:
        """Measure; a process that ends meanwhile is left out."""
        pids, threads, memory = [], 0, 0
        now: dict[_Key, _Ticks] = {}
        for pid in tree(self._top):
            fields = _fields(pid)
            if len(fields) < 20:
                continue
            pids.append(pid)
            threads += int(fields[17])
            now.update([_taken(pid, fields)])
            held = _read(f"/proc/{pid}/statm").split()
            if len(held) > 2:
                memory += (int(held[1]) - int(held[2])) * PAGE  # resident, less what is a file's or shared on purpose
        self._keep(now)
        return Usage(tuple(pids), threads, memory, (sum(map(sum, now.values())) + self._lost) / TICKS)

    def _keep(self, now: dict[_Key, _Ticks]) -> None:
        """Add to what is lost what ended since the last look and was given to nobody."""
        for key in self._before.keys() - now.keys():  # found another parent while the tree was read, or ended
            fields = _fields(key[0])
            if len(fields) >= 20 and (found := _taken(key[0], fields))[0] == key:
                now.update([found])
        ended = sum(sum(ticks) for key, ticks in self._before.items() if key not in now)
        given = sum(now[key][1] - ticks[1] for key, ticks in self._before.items() if key in now)
        self._lost += max(ended - given, 0)
        self._before = now


_Key = tuple[int, bytes]
"""A process: its number, and when it started."""
_Ticks = tuple[int, int]
"""What it took, and what its children did that it waited for."""


def _fields(pid: int) -> list[bytes]:
    # The name may hold anything, parentheses and spaces too: the fields begin after the last one.
    stat = _read(f"/proc/{pid}/stat")
    return stat[stat.rfind(b")") + 2 :].split()


def _taken(pid: int, fields: list[bytes]) -> tuple[_Key, _Ticks]:
    own, below = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return (pid, fields[19]), (own, below)


def shared_out(pids: tuple[int, ...]) -> int | None:
    """Return the bytes that processes hold, each shared page parted among them; None where nobody may look.

    Slow (the kernel walks all their pages): for when ``Usage.memory`` is too large to be true.
    """
    total, seen = 0, False
    for pid in pids:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss_Anon:"):
                total, seen = total + int(line.split()[1]) * 1024, True
    return total if seen else None


def tree(top: int) -> Iterator[int]:
    """Yield a process and its descendants, parents first."""
    waiting = [top]
    while waiting:
        pid = waiting.pop(0)
        yield pid
        waiting += children(pid)


def children(pid: int) -> list[int]:
    """Return a process's children; empty where it ended, or where there is no /proc."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - four times as fast
    except OSError:
        return []
    found = [int(child) for thread in threads for child in _read(f"/proc/{pid}/task/{thread}/children").split()]
    return found if found or _LISTED else [child for child, parent in _parents() if parent == pid]


_LISTED = Path("/proc/self/task").is_dir() and Path(f"/proc/self/task/{os.getpid()}/children").exists()
"""Whether the kernel lists children (CONFIG_PROC_CHILDREN); else each process is asked for its parent."""


def _parents() -> Iterator[tuple[int, int]]:
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if entry.isdigit():
            stat = _read(f"/proc/{entry}/stat")
            fields = stat[stat.rfind(b")") + 2 :].split()
            if len(fields) > 1:
                yield int(entry), int(fields[1])


def _read(path: str) -> bytes:
    """Return a file of /proc; empty where its process ended."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - many a second
            return file.read()
    except OSError:
        return b""
