"""Docker: a container for each program. Taken only where it is asked for.

No descriptor can be handed to a container, so a process within relays what goes in and out over the standard input and
output of ``docker run``: the channel costs two more copies, and a start some tenths of a second, ten times what the
others take. Its limit on processor time is each process's own, and ``--cpus 1`` with the limit on time holds the rest.
"""

from __future__ import annotations

import marshal
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from llmkit.errors import NoIsolationError
from llmkit.sandbox import seccomp
from llmkit.sandbox.base import MEBIBYTE, Limits, Program
from llmkit.sandbox.order import PACKAGE, boot, confined, order, source, version
from llmkit.sandbox.places import SCRATCH, places
from llmkit.sandbox.running import MOST_FILES, Descriptors, Launch, Watched
from llmkit.sandbox.users import NOBODY, OWN

PROGRAM = "docker"
IMAGE_VARIABLE = "LLMKIT_SANDBOX_IMAGE"
ANSWER_S = 10
BOOT = """
import marshal, os, sys
def take(size):
    data = b""
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            sys.exit(1)
        data += more
    return data
modules, order = marshal.loads(take(int.from_bytes(take(4), "big")))
for name, text in modules:
    module = sys.modules[name] = type(sys)(name)
    exec(compile(text, name, "exec"), module.__dict__)
module.main(order)
"""
PLAIN = 2  # the version of marshal that every Python 3 reads
MODULES = ("steps", "frames", "relay")


def image() -> str:
    """Return the image that containers are made of."""
    return os.environ.get(IMAGE_VARIABLE) or f"python:{version()}-slim"


def _digest(path: str, name: str) -> str:
    command = [path, "image", "inspect", "--format", "{{.Id}}", name]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip().removeprefix("sha256:")[:12] if said.returncode == 0 else ""


@dataclass(frozen=True, slots=True)
class Docker:
    """Programs in containers.

    Attributes:
        path: The docker command.
        image: Has ``python3``. It is not fetched: the time that takes is no program's.
        digest: Begins the image's number, for a name may come to mean another; empty where Docker does not tell.
    """

    path: str
    image: str
    digest: str = ""
    isolated: bool = True

    @property
    def name(self) -> str:
        """Say in which image programs run: its Python and its packages decide verdicts."""
        return f"docker({self.image}{self.digest and '@' + self.digest})"

    @classmethod
    def find(cls) -> Docker:
        """Find ``docker`` on the PATH.

        Raises:
            NoIsolationError: It is not there.
        """
        path = shutil.which(PROGRAM)
        if path is None:
            raise NoIsolationError("no docker on the PATH")
        path = str(Path(path).absolute())
        return cls(path, image(), _digest(path, image()))

    def start(self, program: Program, limits: Limits) -> Watched:
        """Start a program.

        Raises:
            SandboxError: It could not be started.
        """
        data = confined(
            program,
            limits,
            python="python3",  # the image's; the relay knows where
            tasks=None,  # the kernel would count those of all containers
            seccomp=seccomp.programs(),
            stdin=program.stdin,
            channel=program.channel is not None,
        )
        modules = [(f"{PACKAGE}.{name}", source(name)) for name in MODULES]
        container = f"llmkit-{secrets.token_hex(8)}"
        outer = order(
            ("frames", "dock"),
            {
                "run": [self.path, *self._arguments(container, limits)],
                "kill": [self.path, "kill", container],
                "docker_environment": dict(os.environ),  # where its server is
                "inner": marshal.dumps((modules, data), PLAIN),
            },
        )

        def command(given: Descriptors) -> list[str]:
            numbers = (given.order, given.channel, given.status, given.info)
            return boot(places().python, *map(str, numbers))

        return Watched(Launch(command, outer, ends="tree", counted=False), program, limits)

    def _arguments(self, container: str, limits: Limits) -> list[str]:
        memory = str(limits.memory_mb * MEBIBYTE)
        scratch = f"rw,exec,nosuid,nodev,size={limits.scratch_mb * MEBIBYTE},nr_inodes={MOST_FILES},mode=1777"
        return [
            "run", "--rm", "--interactive", "--pull", "never", "--name", container, "--hostname", "sandbox",
            "--network", "none", "--ipc", "none", "--read-only", "--tmpfs", f"{SCRATCH}:{scratch}",
            "--user", f"{NOBODY}:{NOBODY}", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "--pids-limit", str(limits.processes + OWN), "--memory", memory, "--memory-swap", memory, "--cpus", "1",
            "--log-driver", "none", "--workdir", "/", "--entrypoint", "python3",
            self.image, "-I", "-S", "-c", BOOT,
        ]  # fmt: skip
