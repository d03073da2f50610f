"""Namespaces made by llmkit itself, where there is no bubblewrap: ``llmkit.sandbox.inside.launch`` makes them.

Linux from 5.12 on (mount_setattr(2)), x86-64 and aarch64.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from llmkit.errors import NoIsolationError
from llmkit.sandbox import seccomp
from llmkit.sandbox.base import MEBIBYTE, Limits, Program
from llmkit.sandbox.order import boot, namespaced, order
from llmkit.sandbox.places import DEVICES, SCRATCH, places
from llmkit.sandbox.running import MOST_FILES, Descriptors, Launch, Watched
from llmkit.sandbox.users import NOBODY, Users


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Programs in namespaces of llmkit's making."""

    users: Users
    name: str = "namespaces"
    isolated: bool = True

    @classmethod
    def find(cls, users: Users) -> Namespaces:
        """See whether this system has namespaces at all.

        Raises:
            NoIsolationError: It has not.
        """
        if sys.platform != "linux":
            raise NoIsolationError("Linux alone has namespaces")
        if seccomp.program() is None:
            raise NoIsolationError("it knows the system calls of x86-64 and aarch64 alone")
        return cls(users)

    def start(self, program: Program, limits: Limits) -> Watched:
        """Start a program.

        Raises:
            SandboxError: It could not be started.
        """
        seen = places()
        space = {
            "root": self.users.root,
            "nobody": NOBODY,
            "binds": seen.binds,
            "devices": DEVICES,
            "links": seen.links,
            "scratch": SCRATCH,
            "bytes": limits.scratch_mb * MEBIBYTE,
            "files": MOST_FILES,
        }
        data = namespaced(program, limits, self.users, space=space)

        def command(given: Descriptors) -> list[str]:
            numbers = (given.order, given.channel, given.status, given.info)
            return boot(seen.python, *map(str, numbers))

        return Watched(Launch(command, order(("launch",), data), ends="init", scratch=SCRATCH), program, limits)
