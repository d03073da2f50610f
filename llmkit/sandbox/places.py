"""What of this machine a program may read: what this interpreter needs to run, and nothing of anyone's home.

Of each prefix only its programs and libraries are shown, for a project may lie below one (``/usr/src/app``) or be one
(``python -m venv .``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from llmkit.errors import NoIsolationError

TOPS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
PREFIXES = ("/usr", "/usr/local")
PARTS = ("bin", "lib", "lib32", "lib64", "libx32", "pyvenv.cfg")
SINGLE = (
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",  # libraries in other places than the loader's own
    "/etc/alternatives",  # what links in Debian's /usr/lib lead through
    "/etc/localtime",
    "/nix/store",
    "/gnu/store",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

SCRATCH = "/box"
WORK, TEMPORARY, SHARED = f"{SCRATCH}/work", f"{SCRATCH}/tmp", f"{SCRATCH}/shm"  # noqa: S108
FOLDERS = (WORK, TEMPORARY, SHARED)
LINKS = (
    (TEMPORARY, "/tmp"),  # noqa: S108 - the sandbox's own
    (SHARED, "/dev/shm"),  # noqa: S108
)
"""What else programs write to, led into the scratch folder: (what the link says, where it is)."""


@dataclass(frozen=True, slots=True)
class Places:
    """What a program may read.

    Attributes:
        python: The interpreter.
        binds: Absolute paths that it sees as they are here, parents before what lies below.
        links: Symbolic links to make anew: (what it says, where it is); those into the scratch folder among them.
    """

    python: str
    binds: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


@cache
def places() -> Places:
    """Find what this interpreter needs.

    Raises:
        NoIsolationError: There is no interpreter to run: this one is built into another program.
    """
    if not sys.executable:
        raise NoIsolationError("this Python is built into another program", hint="Run llmkit with an ordinary python")
    binds: list[str] = []
    links: list[tuple[str, str]] = []
    for top in TOPS:
        if Path(top).is_symlink():
            links.append((os.readlink(top), top))  # noqa: PTH115 - as it is written
        elif Path(top).is_dir():
            binds.append(top)
    prefixes = [*PREFIXES, sys.base_prefix, str(Path(sys.base_prefix).resolve()), sys.prefix]
    wanted = [Path(prefix, part) for prefix in dict.fromkeys(prefixes) for part in PARTS]
    for path in (*wanted, *map(Path, SINGLE)):
        if path.exists() and not _within(str(path), binds):
            if path.is_symlink() and _within(str(path.resolve()), [*binds, str(path.parent)]):
                links.append((os.readlink(path), str(path)))  # noqa: PTH115
            else:
                binds.append(str(path))
    hops = [hop for hop in _hops(sys.executable) if not _within(hop[1], binds)]
    # An environment may itself lie in /tmp: then that is a folder, which is read-only; TMPDIR names the other one.
    led = [(target, path) for target, path in LINKS if not any(_within(each, [path]) for each in (*binds, *_at(hops)))]
    return Places(sys.executable, tuple(binds), (*links, *hops, *led))


def above(paths: tuple[str, ...]) -> list[str]:
    """Return the folders that ``paths`` lie in, outer ones first, without those that are or lie in one of ``paths``."""
    found = {str(parent) for path in paths for parent in Path(path).parents}
    return sorted(folder for folder in found - {"/"} if not _within(folder, paths))


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def _at(links: Iterable[tuple[str, str]]) -> list[str]:
    return [path for _, path in links]


def _hops(path: str) -> list[tuple[str, str]]:
    """Follow an interpreter's name through its links: a virtual environment's leads to the one it was made from."""
    found: list[tuple[str, str]] = []
    while Path(path).is_symlink() and len(found) < 40:  # as far as the kernel goes
        target = os.readlink(path)  # noqa: PTH115
        found.append((target, path))
        path = os.path.normpath(Path(path).parent / target)
    return found
