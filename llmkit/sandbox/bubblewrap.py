"""bubblewrap: namespaces of its own for each program, made by ``bwrap``, which most Linux distributions have.

An ordinary user's sandbox is a user namespace. Root needs none: there the program leaves root for a user who owns
nothing, one of its own for each execution, so that the kernel counts its processes and nobody else's.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from llmkit.errors import NoIsolationError
from llmkit.sandbox.base import MEBIBYTE, Limits, Program
from llmkit.sandbox.order import boot, namespaced, order
from llmkit.sandbox.places import DEVICES, SCRATCH, above, places
from llmkit.sandbox.running import Descriptors, Launch, Watched
from llmkit.sandbox.users import NOBODY, Users

PROGRAM = "bwrap"


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """Programs in bubblewrap."""

    path: str
    users: Users
    name: str = "bubblewrap"
    isolated: bool = True

    @classmethod
    def find(cls, users: Users) -> Bubblewrap:
        """Find ``bwrap`` on the PATH.

        Raises:
            NoIsolationError: It is not there; or it would let programs change the devices: it shows none read-only, and
                in a user namespace of root's they belong to the program.
        """
        path = shutil.which(PROGRAM)
        if path is None:
            raise NoIsolationError("no bwrap on the PATH", hint="On Debian and Ubuntu: apt-get install bubblewrap")
        if not users.root and any(Path(device).stat().st_uid == os.geteuid() for device in DEVICES):
            raise NoIsolationError("in a user namespace, programs of whoever owns the devices could change their modes")
        return cls(str(Path(path).absolute()), users)

    def start(self, program: Program, limits: Limits) -> Watched:
        """Start a program.

        Raises:
            SandboxError: It could not be started.
        """
        data = namespaced(program, limits, self.users)

        def command(given: Descriptors) -> list[str]:
            inside = boot(places().python, str(given.order), str(given.channel), str(given.status))
            return [self.path, *self._options(limits, given.info), "--", *inside]

        return Watched(Launch(command, order(("enter",), data), ends="init", scratch=SCRATCH), program, limits)

    def _options(self, limits: Limits, info: int) -> list[str]:
        options = ["--die-with-parent", "--new-session", "--clearenv", "--info-fd", str(info), "--hostname", "sandbox"]
        if self.users.root:
            options += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
            options += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            options += ["--unshare-all", "--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
            options += ["--cap-drop", "ALL"]
        options += ["--perms", "0755", "--tmpfs", "/dev"]
        for device in DEVICES:
            options += ["--dev-bind", device, device]
        options += ["--perms", "0777", "--size", str(limits.scratch_mb * MEBIBYTE), "--tmpfs", SCRATCH]
        for folder in above(places().binds):  # bwrap would make /root as closed as it is here
            options += ["--perms", "0755", "--dir", folder]
        for path in places().binds:
            options += ["--ro-bind", path, path]
        for target, path in places().links:
            options += ["--symlink", target, path]
        return [*options, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
