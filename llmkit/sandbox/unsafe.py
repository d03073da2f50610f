"""No isolation: a process of its own with limits, no more. A program can read, write and send what its user can."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import partial

from llmkit.errors import SandboxError
from llmkit.sandbox.base import Limits, Program
from llmkit.sandbox.order import boot, contents, order
from llmkit.sandbox.places import places
from llmkit.sandbox.running import Descriptors, Launch, Watched
from llmkit.sandbox.users import Users


@dataclass(frozen=True, slots=True)
class UnsafeLocal:
    """Programs as ordinary processes."""

    name: str = "unsafe-local"
    isolated: bool = False

    def start(self, program: Program, limits: Limits) -> Watched:
        """Start a program.

        Raises:
            SandboxError: It could not be started.
        """
        folder = tempfile.mkdtemp(prefix="llmkit-unsafe-")
        python = places().python
        try:
            data = contents(
                program,
                limits,
                python=python,
                scratch=(f"{folder}/work", f"{folder}/temporary", f"{folder}/shared"),
                tasks=Users(root=False).tasks(limits.processes, own=False, counted=False),
            )
        except SandboxError:
            _remove(folder)
            raise

        def command(given: Descriptors) -> list[str]:
            return boot(python, str(given.order), str(given.channel), str(given.status), str(given.info))

        return Watched(
            Launch(command, order(("keep",), data), ends="tree", cleanup=partial(_remove, folder)), program, limits
        )


def _remove(folder: str) -> None:
    """Remove a folder, also where a program took the right to look into it."""
    for here, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(here, name)  # noqa: PTH118
            if not os.path.islink(path):  # noqa: PTH114
                os.chmod(path, 0o700)  # noqa: PTH101
    shutil.rmtree(folder, ignore_errors=True)
