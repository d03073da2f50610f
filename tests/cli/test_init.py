"""``llmkit init``: a small working project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_file_is_named_and_the_command_that_runs_it(cli: Cli, here: Path) -> None:
    said = cli("init", "new")
    *wrote, blank, last = said.out.splitlines()
    written = {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()}
    assert said.code == 0
    assert {line.removeprefix("wrote ") for line in wrote} == written
    assert (blank, last) == ("", "Run it: cd new && llmkit eval suites/hello.yaml")


def test_in_the_current_folder_there_is_nowhere_to_go(cli: Cli) -> None:
    assert cli("init").out.splitlines()[-1] == "Run it: llmkit eval suites/hello.yaml"


def test_the_project_that_it_writes_runs(cli: Cli, here: Path) -> None:
    cli("init")
    rows = [json.loads(line) for line in (here / "suites" / "data" / "hello.jsonl").read_text().splitlines()]
    answers = [{"match": row["question"], "text": row["answer"]} for row in rows]
    (here / "answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    model = ("-m", "scripted/oracle", "-M", "file=answers.jsonl")
    (run,) = cli("eval", "suites/hello.yaml", *model, "--json").json["runs"]
    assert run["samples"] == {"total": 6, "completed": 6, "failed": 0, "truncated": 0, "from_cache": 0}
    assert run["metrics"]["includes"]["value"] == 1.0


def test_a_second_time_nothing_is_written_and_one_line_says_why(cli: Cli, here: Path) -> None:
    cli("init")
    (here / "suites" / "hello.yaml").write_text("mine")
    said = cli("init")
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert "already there: llmkit.toml" in said.err
    assert (here / "suites" / "hello.yaml").read_text() == "mine"
