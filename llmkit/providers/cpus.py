"""How many processors this process may use, which is what an engine's threads are set to."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cpus(cgroup: Path = CGROUP) -> int:
    """Return the processors that the affinity mask and the container's quota leave, at least 1.

    A quota is invisible in the mask: 64 threads that share 2 processors' time spin in each other's way. Source:
    the kernel's cgroup documentation, ``cpu.max`` (version 2) and ``cpu.cfs_quota_us`` (version 1).
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, allowed if quota is None else min(allowed, int(quota)))


def _quota(cgroup: Path) -> float | None:
    try:
        if (cgroup / "cpu.max").exists():
            limit, period = (cgroup / "cpu.max").read_text("ascii").split()
        else:
            limit = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text("ascii").strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text("ascii").strip()
        return int(limit) / int(period) if limit not in ("max", "-1") else None
    except (OSError, ValueError, ZeroDivisionError):  # not Linux, or a kernel that says it otherwise
        return None
