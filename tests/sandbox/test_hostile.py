"""Programs that mean harm do none, and nothing of them is left."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from llmkit.sandbox import bubblewrap, namespaces, running
from llmkit.sandbox.base import Limits, Program, Sandbox
from llmkit.sandbox.choose import CONTAINED, PROBE
from llmkit.sandbox.running import Launch, Watched
from llmkit.sandbox.unsafe import UnsafeLocal
from tests.sandbox.hostile import ESCAPED, programs
from tests.sandbox.kinds import TRIED, lives, sandbox

LIMITS = Limits(cpu_s=0.2, wall_s=3.0, memory_mb=96, processes=12, file_mb=1, scratch_mb=2, output_kb=32)
WAITING = Limits(cpu_s=0.2, wall_s=0.3, memory_mb=96, processes=12, file_mb=1, scratch_mb=2, output_kb=32)
FILES = 2_000
ROOT = Path(__file__).parents[2]
SECRET = "a-secret-that-no-answer-may-see"
ON_DOCKER = ("daemon", "exit_at_once", "kill_all", "read_files")
"""What depends on the relay and on ending a container; the rest is Docker's own to hold, and its stand-in is none."""
ON_NOTHING = (
    "daemon",
    "daemons",
    "endless_loop",
    "environment",
    "exit_at_once",
    "fork_bomb",
    "inherited_descriptors",
    "locked_folder",
    "memory_of_many",
    "signal_blocker",
    "stops_itself",
)
"""What even the sandbox that isolates nothing must end, clean up and keep away from variables and descriptors."""

CASES = [(kind, name) for kind in TRIED for name in programs()]
CASES += [("docker", name) for name in ON_DOCKER] + [("unsafe-local", name) for name in ON_NOTHING]


@dataclass
class Target:
    """What a program must not reach."""

    folder: Path
    port: int
    visitors: list[bytes]

    @property
    def words(self) -> dict[str, object]:
        """What is filled in."""
        return {
            "secret": self.folder / "secret.txt",
            "outside": self.folder,
            "parent": os.getpid(),
            "port": self.port,
            "socket": self.folder / "socket",
            "abstract": f"llmkit-{self.port}",
            "secret_value": SECRET,
            "processes": LIMITS.processes,
            "memory": LIMITS.memory_mb,
            "scratch": LIMITS.scratch_mb,
        }


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A file, a folder, and servers that take any guest."""
    folder, visitors = tmp_path_factory.mktemp("target"), []
    (folder / "secret.txt").write_text(SECRET, encoding="utf-8")
    stream, datagrams = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(stream.getsockname())
    local, abstract = (socket.socket(socket.AF_UNIX) for _ in range(2))
    local.bind(str(folder / "socket"))
    abstract.bind(f"\0llmkit-{stream.getsockname()[1]}")
    for server in (local, abstract):
        server.listen()
    servers = (stream, datagrams, local, abstract)
    threads = [threading.Thread(target=_welcome, args=(server, visitors)) for server in servers]
    for thread in threads:
        thread.start()
    yield Target(folder, stream.getsockname()[1], visitors)
    _wake(datagrams)
    for server in (stream, local, abstract):
        server.shutdown(socket.SHUT_RDWR)
    for thread, server in zip(threads, servers, strict=True):
        thread.join()
        server.close()


def _welcome(server: socket.socket, visitors: list[bytes]) -> None:
    while True:
        try:
            if server.type == socket.SOCK_DGRAM:
                said = server.recv(64)
            else:
                visitor, _ = server.accept()
                with visitor:
                    said = visitor.recv(64) or b"a visit"
        except OSError:
            return
        if not said:
            return
        visitors.append(said)


def _wake(datagrams: socket.socket) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knocking:
        knocking.sendto(b"", datagrams.getsockname())


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_it_is_contained(
    kind: str, name: str, target: Target, tmp_path: Path, marker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, hostile = sandbox(kind, tmp_path), programs()[name]
    if hostile.deadly:
        make_harmless(chosen, target.folder, monkeypatch)
    monkeypatch.setenv("LLMKIT_TEST_KEY", SECRET)
    monkeypatch.setattr(running, "MOST_FILES", FILES)
    monkeypatch.setattr(namespaces, "MOST_FILES", FILES)
    before = _seen(target.folder)

    program = Program(("-S", "main.py", marker), {"main.py": hostile.text(**target.words).encode()})
    limits = WAITING if hostile.ends == ("wall",) else LIMITS
    ended = chosen.start(program, limits).wait()

    assert not [line for line in ended.stdout.splitlines() if ESCAPED in line]
    assert (ended.stopped or "itself") in hostile.ends, (ended.stopped, ended.stderr[-500:])
    assert len(ended.stdout) <= limits.output_kb * 1024
    assert not lives(marker)
    assert _seen(target.folder) == before
    assert not target.visitors


WALL = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from llmkit.sandbox.inside import launch
launch.checked(launch.libc.unshare(launch.NEW_MOUNTS), "unshare")
launch._mount("none", "/", None, launch.RECURSIVE | launch.PRIVATE)
launch._restrict("/", launch.READ_ONLY, launch.ALL_BELOW)
if os.path.isdir("/proc/self"):  # where a sandbox in a user namespace says who is who
    launch._mount("proc", "/proc", "proc", 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a command where all that this machine has mounted is read-only; root alone may."""
BEHIND = (sys.executable, "-I", "-S", "-c", WALL)


def make_harmless(chosen: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a deadly program do no harm where the sandbox is broken: fail where it is, skip where nothing else holds."""
    if not chosen.isolated:
        pytest.skip("it would do its harm as whoever tests")
    if not contains(chosen, folder):
        pytest.fail("this sandbox contains nothing: what is deadly was not started in it")
    if os.geteuid() == 0:
        if not _walls():
            pytest.skip("root may not mount here: nothing would hold what escapes")
        for module in (bubblewrap, namespaces):
            monkeypatch.setattr(module, "Watched", _behind_a_wall)


@cache
def contains(chosen: Sandbox, folder: Path) -> bool:
    """Whether a sandbox holds two programs that do no harm: the second is alone again, with the same number."""
    canary = Program(("-S", "-c", PROBE + "print(os.getpid(), os.getuid() > 0)", str(folder)))
    said = [chosen.start(canary, Limits(wall_s=10, cpu_s=10)).wait().stdout for _ in range(2)]
    return said[0] == said[1] and said[0].startswith(CONTAINED) and said[0].endswith(b" True\n")


@cache
def _walls() -> bool:
    return subprocess.run([*BEHIND, sys.executable, "-S", "-c", ""], capture_output=True).returncode == 0


def _behind_a_wall(launch: Launch, program: Program, limits: Limits) -> Watched:
    return Watched(replace(launch, command=lambda given: [*BEHIND, *launch.command(given)]), program, limits)


def test_behind_the_wall_nothing_of_this_machine_can_be_written(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not _walls():
        pytest.skip("root alone builds it")
    made = subprocess.run([*BEHIND, "/bin/sh", "-c", f"echo x > {tmp_path}/made"], capture_output=True, text=True)
    assert "Read-only file system" in made.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_deadly_is_not_started_in_a_sandbox_that_contains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that says that it isolates."""
    with pytest.raises(pytest.fail.Exception, match="contains nothing"):
        make_harmless(UnsafeLocal("broken", isolated=True), tmp_path, monkeypatch)


def _seen(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def test_each_says_what_it_does_and_how_it_may_end() -> None:
    known = {"itself", "wall", "cpu", "memory", "output", "processes"}
    for hostile in programs().values():
        assert hostile.about.endswith(".")
        assert hostile.ends
        assert set(hostile.ends) <= known


@pytest.mark.parametrize("name", ["read_files", "network_tcp", "unix_sockets"])
def test_without_isolation_it_would_do_its_harm(name: str, target: Target, tmp_path: Path) -> None:
    """Or the tests above would prove nothing. Of the harmless ones alone: these programs run as whoever tests."""
    hostile, visitors = programs()[name], list(target.visitors)
    assert not hostile.deadly
    program = Program(("-S", "-c", hostile.text(**target.words)))
    ended = sandbox("unsafe-local", tmp_path).start(program, LIMITS).wait()
    target.visitors[:] = visitors
    assert ESCAPED in ended.stdout
