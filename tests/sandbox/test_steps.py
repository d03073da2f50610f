"""The last steps before a program, taken by a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.sandbox.inside import steps

ROOT = Path(__file__).parents[2]


def take(source: str, *arguments: str) -> str:
    code = f"import sys\nfrom llmkit.sandbox.inside.steps import *\n{source}"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(
    sys.platform != "linux" or steps.libc.syscall(steps.CREATE_RULESET, None, 0, steps.RULESET_VERSION) < 1,
    reason="this kernel has no Landlock",
)
def test_landlock_lets_write_in_some_folders_alone_and_read_everywhere(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "file").write_text("text")
    source = """
prctl(PR_SET_NO_NEW_PRIVS, 1)
print(landlock([sys.argv[1] + "/open"], ["/dev/null"]) > 0)
for path in ("open/new", "closed/new", "closed/file", "open/../closed/file", "/dev/null"):
    try:
        open(os.path.join(sys.argv[1], path), "w").close()
        print("wrote", path)
    except PermissionError:
        print("refused", path)
print(open(sys.argv[1] + "/closed/file").read())
"""
    said = take(source, str(tmp_path)).splitlines()
    assert said == [
        "True", "wrote open/new", "refused closed/new", "refused closed/file", "refused open/../closed/file",
        "wrote /dev/null", "text",
    ]  # fmt: skip


def test_limits_are_never_above_those_that_hold_already() -> None:
    source = """
limit({"NOFILE": 100, "CORE": 0, "NO_SUCH_LIMIT": 1})
limit({"NOFILE": 200})
print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))
"""
    assert take(source) == "(100, 100) (0, 0)\n"


def test_descriptors_get_their_numbers_and_all_others_are_closed() -> None:
    source = """
a, b, c = (os.open(os.devnull, os.O_RDONLY) for _ in range(3))
keep({3: c, 4: None})
print([number for number in range(64) if os.path.exists(f"/dev/fd/{number}") and number > 2])
"""
    assert take(source) in ("[3]\n", "[3, 4]\n")  # 4 is where the listing itself reads


def test_what_goes_wrong_before_the_program_is_told_and_ends_it() -> None:
    source = """
reading, writing = os.pipe()
if os.fork() == 0:
    begin({"uid": None, "folders": ["/no/such/folder"]}, -1, writing)
os.close(writing)
print(os.read(reading, 100).decode(), os.WEXITSTATUS(os.wait()[1]))
"""
    assert take(source) == "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/folder' 1\n"
