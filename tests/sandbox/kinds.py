"""The sandboxes that can be tested on this machine."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from llmkit.errors import NoIsolationError
from llmkit.sandbox.base import Sandbox
from llmkit.sandbox.choose import probe
from llmkit.sandbox.docker import Docker
from llmkit.sandbox.unsafe import UnsafeLocal

ISOLATING = ("bubblewrap", "namespaces")
TRIED = ISOLATING if os.environ.get("ALL_SANDBOXES") else ISOLATING[:1] if shutil.which("bwrap") else ISOLATING[1:]
"""Those that every test is put to; by default the one that is taken here, which halves the time."""
ALL = (*TRIED, "unsafe-local")
"""Docker has tests of its own: its stand-in takes four times as long, and isolates nothing by itself."""
FAKE_DOCKER = Path(__file__).with_name("fake_docker.py")


def sandbox(kind: str, folder: Path) -> Sandbox:
    """Return one, or skip the test with the reason why there is none.

    Docker is a stand-in that holds the command line to what Docker would need to hear, and runs it in bubblewrap.
    """
    if kind == "unsafe-local":
        return UnsafeLocal()
    found = probe("bubblewrap" if kind == "docker" else kind)
    if isinstance(found, NoIsolationError):
        pytest.skip(f"no {kind} here: {found}")
    return Docker(str(docker_command(folder)), "an-image") if kind == "docker" else found


def docker_command(folder: Path) -> Path:
    """Put the stand-in for Docker into a folder."""
    path = folder / "docker"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE_DOCKER}" "{folder}" "$@"\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def lives(marker: str) -> bool:
    """Whether a process has the marker in its command line."""
    wanted = marker.encode()
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                line = Path(f"/proc/{entry}/cmdline").read_bytes()
            except OSError:
                continue
            if wanted in line:
                return True
    return False
