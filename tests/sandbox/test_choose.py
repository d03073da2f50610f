"""Which sandbox is taken, and what is said where there is none."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import pytest

from llmkit.errors import NoIsolationError, UnknownNameError
from llmkit.sandbox import choose as choosing
from llmkit.sandbox import seccomp
from llmkit.sandbox.base import Limits, Program
from llmkit.sandbox.choose import UnsafeWarning, asked, choose, mend, probe, unsafe_allowed
from llmkit.sandbox.unsafe import UnsafeLocal
from tests.sandbox.kinds import sandbox

ROOT = Path(__file__).parents[2]
NAMES_OF_IT = seccomp.NAMESPACES


@pytest.fixture(autouse=True)
def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked for by the environment of whoever tests, and no warning was given yet."""
    monkeypatch.delenv("LLMKIT_SANDBOX", raising=False)
    monkeypatch.delenv("LLMKIT_UNSAFE_LOCAL", raising=False)
    monkeypatch.setattr(choosing, "_told", set())


@pytest.fixture
def nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no program can be isolated."""
    monkeypatch.setattr(choosing, "probe", lambda name: NoIsolationError(f"no {name} in this test"))


def test_bubblewrap_comes_first(tmp_path: Path) -> None:
    assert choose() is sandbox("bubblewrap", tmp_path)


def test_without_bwrap_on_the_path_our_own_namespaces_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox("namespaces", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose().name == "namespaces"
    found = probe("bubblewrap")
    assert isinstance(found, NoIsolationError)
    assert str(found) == "no bwrap on the PATH. On Debian and Ubuntu: apt-get install bubblewrap"


NO_NAMESPACES = """
import sys
from llmkit.errors import NoIsolationError
from llmkit.sandbox.choose import asked, choose
from llmkit.sandbox.inside.steps import PR_SET_NO_NEW_PRIVS, prctl, seccomp
prctl(PR_SET_NO_NEW_PRIVS, 1)
seccomp(bytes.fromhex(sys.argv[1]))
try:
    print(choose().name)
except NoIsolationError as error:
    print(error.exit_code, error)
with asked(unsafe=True, tell=print):
    print(choose().name, choose().isolated)
"""


def no_namespaces() -> bytes:
    """Return a filter under which the kernel makes no namespace, as Docker's own does, and a switched-off sysctl."""
    column = list(seccomp.MACHINES).index(os.uname().machine)
    refuse, allow = seccomp.REFUSE | 1, seccomp.ALLOW
    code = [(seccomp.LOAD, 0, 0, seccomp.NUMBER)]
    code += [(seccomp.JUMP_EQUAL, 0, 1, seccomp.REFUSED["unshare"][column]), (seccomp.RETURN, 0, 0, refuse)]
    code += [(seccomp.JUMP_EQUAL, 0, 1, seccomp.CLONE3[column]), (seccomp.RETURN, 0, 0, seccomp.REFUSE | 38)]
    code += [(seccomp.JUMP_EQUAL, 0, 3, seccomp.CLONE[column]), (seccomp.LOAD, 0, 0, seccomp.FIRST_ARGUMENT)]
    code += [(seccomp.JUMP_ANY_BIT, 0, 1, NAMES_OF_IT), (seccomp.RETURN, 0, 0, refuse), (seccomp.RETURN, 0, 0, allow)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def test_where_the_kernel_makes_no_namespace_it_is_refused_and_the_way_to_mend_it_told() -> None:
    said = subprocess.run(
        [sys.executable, "-c", NO_NAMESPACES, no_namespaces().hex()], capture_output=True, text=True, cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith("LLMKIT_")}, check=True,
    )  # fmt: skip
    refused, warning, unsafe = said.stdout.splitlines()
    assert refused.startswith("2 programs cannot be isolated on this machine (bubblewrap: ")
    assert "namespaces: " in refused
    assert "ay --sandbox docker" in refused
    assert "--unsafe-local" in refused
    assert warning.startswith("warning: models' programs run as this user")
    assert unsafe == "unsafe-local False"


def test_a_bwrap_that_contains_nothing_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
        #!/bin/sh
        while [ "$1" != -- ]; do shift; done
        shift
        exec "$@"
    """
    (tmp_path / "bwrap").write_text(textwrap.dedent(script).lstrip(), encoding="utf-8")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    before = os.listdir("/")
    assert isinstance(probe("bubblewrap"), NoIsolationError)
    assert os.listdir("/") == before


def test_a_bwrap_that_lets_programs_write_into_what_it_shows_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox("bubblewrap", tmp_path)
    script = f"""
        #!/bin/sh
        for word do
            shift
            [ "$word" = --ro-bind ] && word=--bind
            set -- "$@" "$word"
        done
        exec {shutil.which("bwrap")} "$@"
    """
    (tmp_path / "bwrap").write_text(textwrap.dedent(script).lstrip(), encoding="utf-8")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = probe("bubblewrap")
    assert isinstance(found, NoIsolationError)
    assert "it does not contain what it runs: False True False True" in str(found)


def test_the_way_to_get_bubblewrap_is_told_where_it_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mend().startswith("Install bubblewrap (Debian and Ubuntu: apt-get install bubblewrap)")


@pytest.mark.usefixtures("nothing_works")
def test_nothing_is_taken_where_nothing_works() -> None:
    with pytest.raises(NoIsolationError, match="bubblewrap: no bubblewrap in this test; namespaces: no namespaces"):
        choose()


@pytest.mark.usefixtures("nothing_works")
def test_unsafe_local_is_taken_where_it_is_allowed_and_said_once() -> None:
    said: list[str] = []
    with asked(unsafe=True, tell=said.append):
        assert isinstance(choose(), UnsafeLocal)
        assert isinstance(choose(), UnsafeLocal)
    assert said == ["warning: models' programs run as this user, with nothing to isolate them (unsafe-local)"]
    with pytest.raises(NoIsolationError):
        choose()


@pytest.mark.usefixtures("nothing_works")
def test_where_nobody_listens_it_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMKIT_UNSAFE_LOCAL", "1")
    with pytest.warns(UnsafeWarning, match="nothing to isolate them"):
        choose()


def test_what_isolates_is_taken_also_where_nothing_need(tmp_path: Path) -> None:
    best = sandbox("bubblewrap", tmp_path)
    with asked(unsafe=True), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose() is best


@pytest.mark.parametrize(("value", "allowed"), [("1", True), ("yes", True), ("0", False), ("", False), ("off", False)])
def test_the_environment_can_allow_it(monkeypatch: pytest.MonkeyPatch, value: str, allowed: bool) -> None:
    monkeypatch.setenv("LLMKIT_UNSAFE_LOCAL", value)
    assert unsafe_allowed() is allowed


def test_one_that_isolates_nothing_must_be_allowed_also_where_it_is_named() -> None:
    with asked("unsafe-local"), pytest.raises(NoIsolationError, match="--unsafe-local"):
        choose()
    with asked("unsafe-local", unsafe=True, tell=lambda line: None):
        assert choose().name == "unsafe-local"


def test_the_one_that_was_named_is_taken_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = sandbox("namespaces", tmp_path)
    with asked("namespaces"):
        assert choose() is named
    monkeypatch.setenv("LLMKIT_SANDBOX", "namespaces")
    assert choose() is named
    monkeypatch.setenv("PATH", str(tmp_path))
    with asked("docker", unsafe=True), pytest.raises(NoIsolationError, match="no docker on the PATH"):
        choose()


def test_what_is_not_said_within_holds_on_from_outside() -> None:
    with asked("namespaces", unsafe=True), asked(None):
        assert (choosing.wanted(), unsafe_allowed()) == ("namespaces", True)
        with asked("auto"):
            assert choosing.wanted() is None
    assert (choosing.wanted(), unsafe_allowed()) == (None, False)


def test_a_name_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'bubblewrap'"), asked("bublewrap"):
        pass
    monkeypatch.setenv("LLMKIT_SANDBOX", "jail")
    with pytest.raises(UnknownNameError, match="unknown sandbox 'jail'"):
        choose()


def test_each_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    class Counted(UnsafeLocal):
        def start(self, program: Program, limits: Limits):
            tried.append(program)
            return super().start(program, limits)

    monkeypatch.setattr(choosing, "_probed", {})
    monkeypatch.setitem(choosing.CANDIDATES, "namespaces", lambda users: Counted())  # type: ignore[arg-type]
    monkeypatch.setattr(choosing, "may_become_others", lambda: False)
    for _ in range(2):
        found = probe("namespaces")
        assert isinstance(found, NoIsolationError)
        assert "it does not contain what it runs" in str(found)
    assert len(tried) == 1


@pytest.mark.parametrize(
    ("files", "hint"),
    [
        ({"/proc/sys/user/max_user_namespaces": 0}, "sysctl user.max_user_namespaces="),
        ({"/proc/sys/kernel/unprivileged_userns_clone": 0}, "sysctl kernel.unprivileged_userns_clone=1"),
        ({"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": 1}, "AppArmor"),
    ],
)
def test_the_switch_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch, files: dict[str, int], hint: str) -> None:
    monkeypatch.setattr(choosing, "_number", files.get)
    assert hint in mend()
    monkeypatch.setattr(choosing, "_number", {}.get)
    assert hint not in mend()
