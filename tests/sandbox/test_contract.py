"""What every sandbox does, whether or not it isolates."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmkit.errors import SandboxError
from llmkit.sandbox.base import Limits, Program, Sandbox
from tests.sandbox.conftest import run

HERE = """
import json, os, sys
print(json.dumps({"folder": os.getcwd(), "files": sorted(os.listdir()), "stdin": sys.stdin.read(),
                  "arguments": sys.argv, "environment": dict(os.environ), "path": sys.path}))
"""


def test_a_program_starts_in_a_fresh_folder_with_its_files_and_its_input(any_sandbox: Sandbox) -> None:
    files = {"main.py": HERE.encode(), "data/rows.txt": b"1\n", "umläut.bin": bytes(range(256))}
    ended = any_sandbox.start(Program(("-S", "main.py", "one", "two"), files, b"given"), Limits()).wait()
    said = json.loads(ended.stdout)
    assert (ended.exit_code, ended.stopped, ended.stderr) == (0, None, b"")
    assert said["files"] == ["data", "main.py", "umläut.bin"]
    assert said["stdin"] == "given"
    assert said["arguments"] == ["main.py", "one", "two"]
    assert said["folder"] == said["environment"]["HOME"]


def test_its_environment_is_its_own(any_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    environment = json.loads(run(any_sandbox, HERE).stdout)["environment"]
    assert environment.pop("HOME")
    assert environment.pop("TMPDIR")
    assert environment.pop("LC_CTYPE", None) is None
    assert environment == {
        "LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1",
        "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip


def test_what_depends_on_hashes_is_the_same_each_time(any_sandbox: Sandbox) -> None:
    source = "print(hash('a'), list({'one', 'two', 'three', 'four'}))"
    assert run(any_sandbox, source).stdout == run(any_sandbox, source).stdout


def test_it_has_no_descriptor_but_three(any_sandbox: Sandbox) -> None:
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    source = """
import os
for number in range(1024):
    try:
        os.fstat(number)
    except OSError:
        continue
    print(number)
"""
    try:
        assert run(any_sandbox, source).stdout.split() == [b"0", b"1", b"2"]
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_channel_is_its_descriptor_three(any_sandbox: Sandbox) -> None:
    ours, theirs = socket.socketpair()
    source = """
import socket
with socket.socket(fileno=3) as channel:
    channel.sendall(channel.recv(100).upper())
    while data := channel.recv(65536):
        channel.sendall(data)
"""
    much = os.urandom(300_000)
    with ours:
        running = any_sandbox.start(Program(("-S", "main.py"), {"main.py": source.encode()}, channel=theirs), Limits())
        assert theirs.fileno() == -1
        ours.sendall(b"hello")
        assert ours.recv(100) == b"HELLO"
        with ThreadPoolExecutor(1) as threads:
            heard = threads.submit(_all, ours)
            ours.sendall(much)
            ours.shutdown(socket.SHUT_WR)
            assert heard.result() == much
        assert running.wait().exit_code == 0


def _all(channel: socket.socket) -> bytes:
    return b"".join(iter(lambda: channel.recv(65536), b""))


def test_the_channel_ends_with_the_program_also_where_it_does_not_close_it(any_sandbox: Sandbox) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        source = b"import os\nos.write(3, b'here')\nos._exit(0)"
        running = any_sandbox.start(Program(("-S", "main.py"), {"main.py": source}, channel=theirs), Limits())
        assert _all(ours) == b"here"
        running.wait()


@pytest.mark.parametrize(
    ("source", "code"),
    [("pass", 0), ("raise SystemExit(3)", 3), ("1/0", 1), ("import os; os.kill(os.getpid(), 11)", 139)],
)
def test_how_it_ended_is_told_as_a_shell_does(any_sandbox: Sandbox, source: str, code: int) -> None:
    ended = run(any_sandbox, source)
    assert (ended.exit_code, ended.stopped) == (code, None)


def test_what_it_prints_is_kept_apart_and_whole(any_sandbox: Sandbox) -> None:
    ended = run(any_sandbox, "import sys\nprint('o' * 100_000)\nprint('e' * 50_000, file=sys.stderr)")
    assert ended.stdout == b"o" * 100_000 + b"\n"
    assert ended.stderr == b"e" * 50_000 + b"\n"


def test_a_killed_program_says_so_by_having_no_exit_code(any_sandbox: Sandbox) -> None:
    ours, theirs = socket.socketpair()
    source = b"import os, time\nprint('here', flush=True)\nos.write(3, b'x')\ntime.sleep(3600)"
    with ours:
        running = any_sandbox.start(Program(("-S", "main.py"), {"main.py": source}, channel=theirs), Limits())
        assert ours.recv(1) == b"x"
        running.kill()
        ended = running.wait()
    assert (ended.exit_code, ended.stopped, ended.stdout) == (None, None, b"here\n")
    running.kill()  # has ended: nothing to do
    assert running.wait() == ended


def test_one_can_be_started_from_a_thread_that_ends_before_it(any_sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(1) as threads:
        program = Program(("-S", "-c", "import time; time.sleep(0.05); print('done')"))
        running = threads.submit(any_sandbox.start, program, Limits()).result()
    assert running.wait().stdout == b"done\n"


def test_many_run_at_once_and_do_not_mix(any_sandbox: Sandbox) -> None:
    def one(number: int) -> bytes:
        return run(any_sandbox, "import sys\nprint(sys.argv[1], len(open('main.py').read()))", str(number)).stdout

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(one, range(6)))
    assert [line.split()[0] for line in found] == [str(number).encode() for number in range(6)]


def test_no_descriptor_and_no_folder_of_ours_stays(any_sandbox: Sandbox, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before, folders = set(os.listdir("/proc/self/fd")), set(tmp_path.iterdir())
    run(any_sandbox, "open('left', 'w').close()")
    assert set(os.listdir("/proc/self/fd")) == before
    assert set(tmp_path.iterdir()) == folders


@pytest.mark.parametrize("name", ["/etc/passwd", "../main.py", "a/../../b", "", "a\0b"])
def test_a_file_that_leads_out_of_the_folder_is_refused(
    any_sandbox: Sandbox, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SandboxError, match="relative to its folder"):
        any_sandbox.start(Program(("main.py",), {name: b""}), Limits())
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_no_fault_of_the_programs(any_sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="a sandbox could not be made: "):
        any_sandbox.start(Program(("main.py",), {"a": b"", "a/b": b""}), Limits())


def test_the_packages_of_this_environment_are_there(any_sandbox: Sandbox) -> None:
    source = "import importlib.util, sys; print(sys.prefix, importlib.util.find_spec('pip') is not None)"
    here = subprocess.run([sys.executable, "-s", "-c", source], capture_output=True, check=True, env={}).stdout
    assert any_sandbox.start(Program(("-c", source)), Limits()).wait().stdout == here
