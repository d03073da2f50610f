from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.version import __version__
from tests.cli.conftest import Cli

EXIT_CODES = "0 done or passed, 1 a threshold or gate failed, 2 usage, 3 not enough evidence"


def test_help_documents_the_exit_codes(cli: Cli) -> None:
    said = cli("--help")
    assert said.code == 0
    assert EXIT_CODES in " ".join(said.out.split())


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"llmkit {__version__}\n"


def test_no_command_shows_the_help(cli: Cli) -> None:
    said = cli()
    assert said.code == 2
    assert "Commands:" in said.out + said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evla",), "No such command 'evla'"),
        (("eval", "capitals.yaml", "--limt", "3"), "No such option: --limt"),
        (("eval",), "Missing argument 'SUITE...'"),
        (("eval", "capitals.yaml", "--limit", "0"), "Invalid value for '--limit'"),
        (("eval", "capitals.yaml", "-M", "temprature=0"), "Did you mean 'temperature'"),
        (("eval", "capitals.yaml", "-M", "temperature"), "is not key=value"),
        (("eval", "capitls.yaml"), "Did you mean 'capitals.yaml'?"),
        (("eval", "capitals.yaml", "-m", "gpt-4o"), "openai/gpt-4o"),
        (("eval", "capitals.yaml", "-m", "opnai/gpt-4o"), "Did you mean 'openai'?"),
        (("eval", "capitals.yaml", "-m", "openai/gpt-4o"), "OPENAI_API_KEY"),
        (("eval", "capitals.yaml", "--min", "exact_mach=.8"), "Did you mean 'exact_match'?"),
        (("eval", "capitals.yaml", "--min", "exact_match"), "is no METRIC=NUMBER"),
        (("eval", "capitals.yaml", "--data", "nowhere.jsonl"), "nowhere.jsonl"),
        (("eval", "capitals.yaml", "--resume"), "no unfinished run"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_misuse_is_one_line_and_exit_2(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    said = cli(*arguments)
    assert said.code == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_bug_is_one_line_and_exit_4(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkit.doctor.examine", lambda settings: 1 / 0)
    said = cli("doctor")
    assert said.code == 4
    assert (
        said.err == "llmkit: this is a bug in llmkit: ZeroDivisionError: division by zero. See where with --traceback\n"
    )


def test_traceback_shows_where(project: Path) -> None:
    command = [sys.executable, "-m", "llmkit", "eval", "nothing.yaml", "--traceback"]
    said = subprocess.run(command, capture_output=True, text=True, cwd=project, check=False)
    assert "Traceback (most recent call last)" in said.stderr
    assert "UnknownNameError" in said.stderr


def test_a_closed_pipe_ends_quietly(project: Path) -> None:
    command = f"{sys.executable} -m llmkit eval --help | true"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=project, check=False)
    assert said.stderr == ""


def test_no_secret_reaches_an_error(cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-proj-verysecretverysecretverysecret")
    url = "base_url=http://user:hunter2hunter2@127.0.0.1:1/v1"
    said = cli("eval", "capitals.yaml", "-m", "openai/gpt-4o", "--limit", "1", "-M", url)
    assert "verysecret" not in said.err + said.out
    assert "hunter2" not in said.err + said.out
    store = b"".join(p.read_bytes() for p in (project / ".llmkit").rglob("*") if p.is_file())
    assert b"verysecret" not in store
    assert b"hunter2" not in store
