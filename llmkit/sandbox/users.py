"""Whose processes a sandbox's are, and what that makes of the limit on their number (RLIMIT_NPROC).

The kernel counts a user's processes, not a sandbox's, and never root's. So:

- Root gives each execution a user of its own, who has no other process and no file.
- An ordinary user's sandbox is a user namespace, which Linux counts by itself from 5.14 on.
- Before that, the limit is what the user runs already and what the program may have beside.

``llmkit.sandbox.running`` counts from outside too, and ends what none of these holds.
"""

from __future__ import annotations

import os
import platform
import random
import re
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
COUNTED_BY_NAMESPACE = (5, 14)
OWN = 2  # of a sandbox's processes, those that are not the program's


@dataclass(frozen=True, slots=True)
class Users:
    """Who may own programs.

    Attributes:
        root: Whether this process may become any user, and make namespaces without being given a user namespace.
    """

    root: bool

    def fresh(self) -> int | None:
        """Return a user for one execution; None where its programs stay this process's user."""
        if not self.root:
            return None
        first, count = _range()
        return random.SystemRandom().randrange(first, first + count)

    def tasks(self, processes: int, *, own: bool, counted: bool = True) -> int | None:
        """Return RLIMIT_NPROC for ``processes``; None where it would not be the program's.

        Args:
            processes: How many the program may have.
            own: Whether it has a user of its own.
            counted: Whether it has a user namespace of its own.
        """
        if own:
            return processes
        if os.geteuid() == 0:
            return None
        if counted and _kernel() >= COUNTED_BY_NAMESPACE:
            return processes + OWN
        return processes + OWN + _running()


def may_become_others() -> bool:
    """Whether this process is root, and there are users to become: a container may map root alone."""
    return os.geteuid() == 0 and _range()[1] > 1


def _range() -> tuple[int, int]:
    """Return the highest users that exist here, as the first and their number: nobody has those."""
    try:
        lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    except OSError:
        return NOBODY, 1
    ranges = [(int(first), int(count)) for first, _, count in (line.split() for line in lines)]
    first, count = max(ranges)
    # Of the 32 bits, the top one is left alone: programs take numbers with a sign for users.
    last = min(first + count, 2**31 - 1)
    size = min(max((last - first) // 2, 1), 2**24)
    return last - size, size


def _kernel() -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _running() -> int:
    """Count the threads of this process's user."""
    count, uid = 0, os.geteuid()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                count += len(list((entry / "task").iterdir())) if entry.stat().st_uid == uid else 0
            except OSError:
                continue
    return count
