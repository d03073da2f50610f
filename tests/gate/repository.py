"""Real git repositories with suites in them, made in a folder of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from llmkit.config import load_settings
from llmkit.gate.changes import Diff, Reached, changed

GIT = shutil.which("git")
needs_git = pytest.mark.skipif(GIT is None, reason="git is not installed")

# Nothing of the machine's or the user's configuration, and the same ids each time.
OWN = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}
OF_CI = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CI_MERGE_REQUEST_DIFF_BASE_SHA", "LLMKIT_MODEL")

SUITE = """\
version: 1
name: sums
data: sums.jsonl
map: {id: id, target: answer}
prompt: ../prompts/add.prompty
scorers: [exact_match]
gate: {exact_match: {max_drop: 0.1}}
model: scripted/echo
"""
PROMPT = """\
---
name: add
model: {options: {temperature: 0}}
---
user:
Add: {{question}}
"""
ROWS = [{"id": f"s{n}", "question": f"{n}+1", "answer": str(n + 1)} for n in range(4)]
FILES = {
    "llmkit.toml": "",
    "suites/sums.yaml": SUITE,
    "suites/sums.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS),
    "prompts/add.prompty": PROMPT,
}


_copies = tempfile.TemporaryDirectory(prefix="repositories-")
_made: dict[tuple[tuple[str, bytes], ...], Path] = {}


class Repo:
    """A repository; ``git`` and ``changed`` run in it."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.top, self.monkeypatch = top, monkeypatch
        for name in (*OF_CI, *(name for name in os.environ if name.startswith("GIT_"))):
            monkeypatch.delenv(name, raising=False)
        for name, value in OWN.items():
            monkeypatch.setenv(name, value)

    def start(self, files: Mapping[str, str | bytes] = FILES) -> Repo:
        """Make the repository, with one commit on ``main``, and go to the branch ``change``.

        What was made once is copied: a copy takes a sixth of the time.
        """
        key = tuple(sorted((name, text if isinstance(text, bytes) else text.encode()) for name, text in files.items()))
        new = not self.top.is_dir() or not any(self.top.iterdir())
        if new and key in _made:
            shutil.copytree(_made[key], self.top, symlinks=True, dirs_exist_ok=True)
        else:
            self._make(files)
            if new:
                _made[key] = Path(_copies.name, str(len(_made)))
                shutil.copytree(self.top, _made[key], symlinks=True)
        self.monkeypatch.chdir(self.top)
        return self

    def _make(self, files: Mapping[str, str | bytes]) -> None:
        self.top.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.write(files)
        self.commit()
        self.git("checkout", "-q", "-b", "change")

    def git(self, *words: str) -> str:
        said = subprocess.run([str(GIT), "-C", str(self.top), *words], capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        return said.stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for path, content in files.items():
            file = self.top / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.top / path).read_text()
        assert old in text
        (self.top / path).write_text(text.replace(old, new))

    def commit(self, message: str = "x") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def diff(self, base: str | None = None, *suites: str, **how: object) -> Diff:
        with changed(load_settings(), base=base, suites=suites or None, **how) as diff:  # type: ignore[arg-type]
            return diff

    def one(self, base: str | None = None, **how: object) -> Reached:
        """The one suite that is reached."""
        diff = self.diff(base, **how)
        assert len(diff.reached) == 1, diff
        return diff.reached[0]
