"""How much of the processor a process and all that it started have used. Not a benchmark of its own."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path


def cpu_s(root: int) -> float | None:
    """Return seconds, of a process and its living descendants; None where there is no ``/proc``."""
    if not Path("/proc/self/stat").exists():
        return None
    children, used = defaultdict(list), {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        children[int(fields[1])].append(int(folder.name))
        used[int(folder.name)] = int(fields[11]) + int(fields[12])  # utime, stime: proc(5)
    total, left = 0, [root]
    while left:
        one = left.pop()
        total += used.get(one, 0)
        left += children[one]
    return total / os.sysconf("SC_CLK_TCK")
