"""Nothing outlives its program, and no program whoever started it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.sandbox.base import Limits, Program, Sandbox
from tests.sandbox.kinds import lives, sandbox

DAEMON = """
import os, sys, time
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(write, b"x")
        time.sleep(3600)
    os._exit(0)
os.read(read, 1)
"""


def test_a_daemon_is_gone_when_wait_returns(any_sandbox: Sandbox, marker: str) -> None:
    for _ in range(3):
        program = Program(("-S", "main.py", marker), {"main.py": DAEMON.encode()})
        assert any_sandbox.start(program, Limits()).wait().exit_code == 0
        assert not lives(marker)


def test_a_daemon_is_gone_when_its_program_was_killed(any_sandbox: Sandbox, marker: str) -> None:
    source = DAEMON + "time.sleep(3600)"
    program = Program(("-S", "main.py", marker), {"main.py": source.encode()})
    assert any_sandbox.start(program, Limits(wall_s=0.3)).wait().stopped == "wall"
    assert not lives(marker)


STARTER = """
import socket, sys
from pathlib import Path
from llmkit.sandbox.base import Limits, Program
from tests.sandbox.kinds import sandbox
ours, theirs = socket.socketpair()
source = "import os, time; os.write(3, b'x'); time.sleep(3600)"
program = Program(("-S", "-c", source, sys.argv[3]), channel=theirs)
running = sandbox(sys.argv[1], Path(sys.argv[2])).start(program, Limits(wall_s=60))
ours.recv(1)
print("started", flush=True)
running.wait()
"""


@pytest.mark.parametrize("kind", ["bubblewrap", "namespaces", "docker", "unsafe-local"])
def test_a_program_ends_when_this_process_is_killed(kind: str, tmp_path: Path, marker: str) -> None:
    sandbox(kind, tmp_path)  # or skip
    command = [sys.executable, "-c", STARTER, kind, str(tmp_path), marker]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"started\n"
        living = [os.pidfd_open(pid) for pid in _with(marker) if pid != starter.pid]
        starter.kill()
    assert living
    for process in living:
        ready = select.poll()
        ready.register(process, select.POLLIN)
        assert ready.poll(20_000)
        os.close(process)


def _with(marker: str) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                line = Path(f"/proc/{entry}/cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in line:
                found.append(int(entry))
    return found


def test_a_program_that_kills_its_keeper_takes_its_group_along(marker: str, tmp_path: Path) -> None:
    """All that can be done where nothing isolates it."""
    source = "import os, signal, time\nif os.fork():\n  os.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(3600)"
    program = Program(("-S", "main.py", marker), {"main.py": source.encode()})
    ended = sandbox("unsafe-local", tmp_path).start(program, Limits(wall_s=20)).wait()
    assert ended.wall_s < 20
    assert not lives(marker)
