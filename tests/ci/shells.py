"""Scripts of CI files, run for real with bash or sh, beside programs that write down how they were called."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")

RECORDER = """\
#!/bin/sh
{ for word in "$@"; do printf '%s\\n' "$word"; done; echo "--- $(basename "$0") in $PWD"; } >> "$CALLS"
"""
PYTHON = (
    RECORDER
    + """\
if [ "$1 $2" = "-m venv" ]; then
  mkdir -p "$3/bin"
  cp "$0" "$3/bin/python"
  cp "$(dirname "$0")/llmkit" "$3/bin/llmkit"
fi
"""
)


@dataclass
class Ran:
    """What a script did: its exit code, what it printed, and each call as (program, arguments)."""

    code: int
    out: str
    err: str
    calls: list[tuple[str, list[str]]]
    written: Mapping[str, str]


class Shell:
    """A folder with recording programs on the PATH; ``CALLS`` holds their calls."""

    def __init__(self, folder: Path, code: int = 0) -> None:
        self.folder = folder
        self.bin, self.home = folder / "bin", folder / "home"
        for made in (self.bin, self.home, folder / "runner"):
            made.mkdir()
        self._program("llmkit", f"{RECORDER}exit {code}\n")
        self._program("python", PYTHON)

    def _program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def run(self, script: str, environment: Mapping[str, str], *, shell: tuple[str, ...]) -> Ran:
        calls, output, path = (self.folder / name for name in ("calls", "output", "path"))
        for file in (calls, output, path):
            file.write_text("")
        given = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "RUNNER_TEMP": str(self.folder / "runner"),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_PATH": str(path),
        }
        said = subprocess.run(
            [*shell, script], cwd=self.home, env={**given, **environment}, capture_output=True, text=True, check=False
        )
        pairs = (line.partition("=")[::2] for line in output.read_text().splitlines())
        return Ran(said.returncode, said.stdout, said.stderr, _calls(calls.read_text()), dict(pairs))

    def bash(self, script: str, environment: Mapping[str, str]) -> Ran:
        """Run as GitHub does with ``shell: bash``."""
        return self.run(script, environment, shell=("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"))


def _calls(text: str) -> list[tuple[str, list[str]]]:
    found, words = [], []
    for line in text.splitlines():
        if line.startswith("--- "):
            found.append((line.split()[1], words))
            words = []
        else:
            words.append(line)
    return found
