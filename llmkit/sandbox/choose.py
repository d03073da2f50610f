"""Which sandbox programs run in: the best that works on this machine, found by running something in it.

``docker`` is taken only where it is asked for, ``unsafe-local`` only where it is allowed and nothing better works. Both
are said by who runs llmkit, on the command line, in a call or in the environment, and by nothing that can come from
someone else: no suite, no ``llmkit.toml``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from llmkit.errors import LlmkitError, NoIsolationError, UnknownNameError
from llmkit.sandbox.base import Limits, Program, Sandbox
from llmkit.sandbox.users import Users, may_become_others

UNSAFE, AUTO = "unsafe-local", "auto"
UNSAFE_VARIABLE, NAME_VARIABLE = "LLMKIT_UNSAFE_LOCAL", "LLMKIT_SANDBOX"
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
OFF = ("", "0", "false", "no", "off")
PROBE = """
import os, socket, sys
def can(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        return False
    return True
def writable(path):
    return not os.statvfs(path).f_flag & os.ST_RDONLY
SHOWN = "/", sys.prefix, sys.base_prefix, sys.executable, os.__file__
print(can(os.listdir, sys.argv[1]), any(map(writable, SHOWN)), can(socket.socket), os.getpid() < 10)
"""
"""Says whether it can read what it should not, write where it should not, speak to a network; and is alone.

It asks how places are mounted and writes to none: where nothing contains it, nothing of it is left.
"""
CONTAINED = b"False False False True\n"
PROBE_LIMITS = Limits(wall_s=10, cpu_s=10)


class UnsafeWarning(UserWarning):
    """Programs run with nothing to keep them from harm."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: the name of a sandbox, whether none is good enough, and who is told where it is none."""

    name: str | None = None
    unsafe: bool = False
    tell: Callable[[str], None] | None = None


_wish: ContextVar[Wish] = ContextVar("llmkit_sandbox", default=Wish())  # noqa: B039 - frozen
_lock = threading.Lock()
_probed: dict[tuple[str, str | None], Sandbox | NoIsolationError] = {}
_told: set[str] = set()


@contextlib.contextmanager
def asked(
    name: str | None = None, *, unsafe: bool = False, tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Choose with these wishes within the block, and in what it starts; what is not said here holds on from outside.

    Args:
        name: Of the sandbox to take.
        unsafe: Whether programs may run with nothing to keep them from harm, where nothing can.
        tell: Takes one line where they do; a warning is issued where there is nobody.

    Raises:
        UnknownNameError: No such sandbox.
    """
    outer = _wish.get()
    wish = Wish(outer.name if name is None else _check(name), unsafe or outer.unsafe, tell or outer.tell)
    token = _wish.set(wish)
    try:
        yield
    finally:
        _wish.reset(token)


def unsafe_allowed() -> bool:
    """Whether who runs llmkit said that programs may run with nothing to keep them from harm."""
    return _wish.get().unsafe or os.environ.get(UNSAFE_VARIABLE, "").lower() not in OFF


def wanted() -> str | None:
    """Return the name of the sandbox that was asked for; None: the best one.

    Raises:
        UnknownNameError: The environment names none that there is.
    """
    name = _wish.get().name or os.environ.get(NAME_VARIABLE) or None
    return None if name in (None, AUTO) else _check(name)


def choose() -> Sandbox:
    """Return the sandbox to run programs in. What works is found once a process.

    Raises:
        NoIsolationError: Nothing works here, or not what was asked for; says why, and how to mend it.
        UnknownNameError: What was asked for does not exist.
    """
    name = wanted()
    if name == UNSAFE and not unsafe_allowed():
        raise NoIsolationError(f"{UNSAFE} isolates nothing", hint="Say --unsafe-local to take it all the same")
    if name is not None and name != UNSAFE:
        found = probe(name)
        if isinstance(found, NoIsolationError):
            raise found
        return found
    failed: dict[str, NoIsolationError] = {}
    for candidate in AUTOMATIC if name is None else ():
        found = probe(candidate)
        if not isinstance(found, NoIsolationError):
            return found
        failed[candidate] = found
    if unsafe_allowed():
        return _unsafe()
    reasons = "; ".join(f"{candidate}: {error.message}" for candidate, error in failed.items())
    raise NoIsolationError(f"programs cannot be isolated on this machine ({reasons})", hint=mend())


def mend() -> str:
    """Say how to get isolation on this machine."""
    hints = []
    if shutil.which(PROGRAMS["bubblewrap"]) is None:
        hints.append("install bubblewrap (Debian and Ubuntu: apt-get install bubblewrap)")
    if _number("/proc/sys/user/max_user_namespaces") == 0:
        hints.append("let users make namespaces: sysctl user.max_user_namespaces=10000")
    if _number("/proc/sys/kernel/unprivileged_userns_clone") == 0:
        hints.append("let users make namespaces: sysctl kernel.unprivileged_userns_clone=1")
    if _number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1:
        hints.append(
            "let AppArmor allow them: a profile for bwrap with `userns,`, or"
            " sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        )
    if any(Path(mark).exists() for mark in CONTAINER_MARKS):
        hints.append("start this container so that it may make namespaces (--security-opt seccomp=unconfined)")
    hints.append("say --sandbox docker, where Docker runs")
    hints.append("or --unsafe-local, if you trust whatever the model writes with this account")
    text = "; ".join(hints)
    return text[0].upper() + text[1:]


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def probe(name: str) -> Sandbox | NoIsolationError:
    """Return a sandbox that ran a program and contained it, or why there is none. Each is tried once a process."""
    key = name, shutil.which(PROGRAMS[name]) if name in PROGRAMS else None
    with _lock:
        if key not in _probed:
            _probed[key] = _try(name)
        return _probed[key]


def _try(name: str) -> Sandbox | NoIsolationError:
    """Build a sandbox and run a program in it; as root, also as an ordinary user would."""
    if os.name != "posix":
        return NoIsolationError("this system has none of it")
    failed: NoIsolationError | None = None
    for root in (True, False) if may_become_others() else (False,):
        try:
            found = CANDIDATES[name](Users(root=root))
            with tempfile.TemporaryDirectory() as folder:
                ended = found.start(Program(("-S", "-c", PROBE, folder)), PROBE_LIMITS).wait()
        except NoIsolationError as error:
            return error if failed is None else NoIsolationError(f"{failed}; {error.message}", hint=error.hint)
        except LlmkitError as error:
            failed = NoIsolationError(error.message, hint=error.hint)
            continue
        if ended.exit_code == 0 and ended.stdout == CONTAINED:
            return found
        said = (ended.stderr or ended.stdout).decode("utf-8", "replace").split()
        failed = NoIsolationError(f"it does not contain what it runs: {' '.join(said)[:200] or ended.stopped}")
    assert failed is not None
    return failed


def _bubblewrap(users: Users) -> Sandbox:
    from llmkit.sandbox.bubblewrap import Bubblewrap

    return Bubblewrap.find(users)


def _namespaces(users: Users) -> Sandbox:
    from llmkit.sandbox.namespaces import Namespaces

    return Namespaces.find(users)


def _docker(users: Users) -> Sandbox:
    from llmkit.sandbox.docker import Docker

    return Docker.find()


CANDIDATES: Mapping[str, Callable[[Users], Sandbox]] = {
    "bubblewrap": _bubblewrap,
    "namespaces": _namespaces,
    "docker": _docker,
}
PROGRAMS: Mapping[str, str] = {"bubblewrap": "bwrap", "docker": "docker"}
AUTOMATIC = ("bubblewrap", "namespaces")
"""In the order of preference."""


WARNING = "models' programs run as this user, with nothing to isolate them (unsafe-local)"


def _unsafe() -> Sandbox:
    if os.name != "posix":
        raise NoIsolationError("programs cannot be run on this system", hint="Run llmkit on Linux, or in WSL")
    from llmkit.sandbox.unsafe import UnsafeLocal

    with _lock:
        first = UNSAFE not in _told
        _told.add(UNSAFE)
    if first:
        tell = _wish.get().tell
        if tell is None:
            warnings.warn(WARNING, UnsafeWarning, stacklevel=3)
        else:
            tell(f"warning: {WARNING}")
    return UnsafeLocal()


def known() -> tuple[str, ...]:
    """Return the names of all sandboxes."""
    return (*CANDIDATES, UNSAFE)


def _check(name: str) -> str:
    if name not in (*known(), AUTO):
        raise UnknownNameError("sandbox", name, known())
    return name
