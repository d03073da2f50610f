"""Docker, by a stand-in that insists on the options that isolate: no Docker ran in these tests.

What only Docker can hold (memory, processes, processor time) is tested as far as it is asked for it.
"""

from __future__ import annotations

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmkit.errors import NoIsolationError, SandboxError
from llmkit.sandbox.base import Limits, Program
from llmkit.sandbox.docker import Docker
from tests.sandbox.conftest import run
from tests.sandbox.fake_docker import FIXED
from tests.sandbox.kinds import docker_command, sandbox


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    found = sandbox("docker", tmp_path)
    assert isinstance(found, Docker)
    return found


def test_what_goes_in_and_out_is_relayed(docker: Docker) -> None:
    source = b"""
import os, sys
print(sys.stdin.read(), sorted(os.listdir()), os.environ["HOME"], len(os.environ))
print("e" * 70_000, file=sys.stderr)
sys.exit(7)
"""
    files = {"main.py": source, "data/rows.txt": b"1"}
    ended = docker.start(Program(("-S", "main.py"), files, b"given" * 20_000), Limits()).wait()
    assert ended.stdout == b"given" * 20_000 + b" ['data', 'main.py'] /box/work 13\n"
    assert ended.stderr == b"e" * 70_000 + b"\n"
    assert (ended.exit_code, ended.stopped) == (7, None)


def test_the_channel_is_relayed_in_both_directions_and_ends(docker: Docker) -> None:
    source = b"""
import os, socket
with socket.socket(fileno=3) as channel:
    while data := channel.recv(65536):
        channel.sendall(data.swapcase())
"""
    ours, theirs = socket.socketpair()
    much = b"aBc" * 100_000
    with ours, ThreadPoolExecutor(1) as threads:
        running = docker.start(Program(("-S", "main.py"), {"main.py": source}, channel=theirs), Limits())
        heard = threads.submit(lambda: b"".join(iter(lambda: ours.recv(65536), b"")))
        ours.sendall(much)
        ours.shutdown(socket.SHUT_WR)
        assert heard.result() == much.swapcase()
        assert running.wait().exit_code == 0


def test_without_a_channel_there_is_none(docker: Docker) -> None:
    assert b"Bad file descriptor" in run(docker, "import os\nos.fstat(3)").stderr


def test_its_limits_are_asked_for(docker: Docker, tmp_path: Path) -> None:
    run(docker, "pass", limits=Limits(memory_mb=100, processes=9, scratch_mb=3))
    (state,) = tmp_path.glob("llmkit-*")
    asked = json.loads(state.read_text(encoding="utf-8"))["options"]
    assert asked["--memory"] == asked["--memory-swap"] == str(100 << 20)
    assert asked["--pids-limit"] == "11"
    assert f"size={3 << 20}," in asked["--tmpfs"]
    assert {option: asked[option] for option in FIXED} == FIXED


@pytest.mark.parametrize(
    ("source", "limits", "stopped"),
    [
        ("import time\ntime.sleep(60)", Limits(wall_s=0.3), "wall"),
        ("while True: print('x' * 999)", Limits(output_kb=4), "output"),
    ],
)
def test_a_limit_kills_the_container(docker: Docker, source: str, limits: Limits, stopped: str) -> None:
    ended = run(docker, source, limits=limits)
    assert (ended.exit_code, ended.stopped) == (None, stopped)


def test_a_container_that_is_killed_by_someone_else_is_told(docker: Docker, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    program = Program(("-S", "-c", "import os, time\nos.write(3, b'x')\ntime.sleep(60)"), channel=theirs)
    with ours:
        running = docker.start(program, Limits(wall_s=30))
        assert ours.recv(1) == b"x"
        (state,) = tmp_path.glob("llmkit-*")
        os.kill(json.loads(state.read_text(encoding="utf-8"))["pid"], 9)
        ended = running.wait()
    assert ended.stopped is None
    assert ended.exit_code != 0


def test_an_image_that_is_not_there_is_not_fetched(docker: Docker) -> None:
    with pytest.raises(SandboxError, match="No such image: no-such-image"):
        Docker(docker.path, "no-such-image").start(Program(("-c", "pass")), Limits())


def test_the_image_is_of_this_python_or_the_users_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker_command(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Docker.find().image.startswith("python:3.")
    monkeypatch.setenv("LLMKIT_SANDBOX_IMAGE", "mine:1")
    assert Docker.find().image == "mine:1"


def test_its_name_tells_the_image_and_which_it_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker_command(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LLMKIT_SANDBOX_IMAGE", "mine:1")
    assert Docker.find().name == "docker(mine:1@0123456789ab)"
    monkeypatch.setenv("LLMKIT_SANDBOX_IMAGE", "other:2")
    assert Docker.find().name == "docker(other:2)"


def test_without_docker_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoIsolationError, match="no docker on the PATH"):
        Docker.find()
