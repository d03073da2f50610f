"""A project of four rows and scripted answers, and a way to run the command line in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llmkit.cli.main import main

SUITE = """\
version: 1
name: capitals
data: rows.jsonl
map: {id: id, target: capital, slices: [continent]}
messages: [{role: user, content: "Capital of {{country}}?"}]
scorers: [exact_match, {numeric: {tolerance: 1}}]
model: scripted/oracle
params: {max_tokens: 8}
"""
ROWS = [
    {"id": "fr", "country": "France", "capital": "Paris", "continent": "Europe"},
    {"id": "it", "country": "Italy", "capital": "Rome", "continent": "Europe"},
    {"id": "jp", "country": "Japan", "capital": "Tokyo", "continent": "Asia"},
    {"id": "pe", "country": "Peru", "capital": "Lima", "continent": "America"},
]


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Said]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three right answers, one wrong."""
    monkeypatch.chdir(tmp_path)
    for name in ("LLMKIT_MODEL", "LLMKIT_STORE", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    answers = [{"match": r["country"], "text": "Cusco" if r["id"] == "pe" else r["capital"]} for r in ROWS]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(a) + "\n" for a in answers))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    (tmp_path / "capitals.yaml").write_text(SUITE.replace(", {numeric: {tolerance: 1}}", ""))
    (tmp_path / "llmkit.toml").write_text('[models."scripted/oracle"]\nfile = "answers.jsonl"\n')
    return tmp_path


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run one command line in this process."""

    def run(*arguments: str) -> Said:
        capfd.readouterr()
        code = main(list(arguments))
        printed = capfd.readouterr()
        return Said(code, printed.out, printed.err)

    return run
