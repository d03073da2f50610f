"""Where the programs of models may run, as the command line says it; and what no file may say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import llmkit
from llmkit.cli.complete import complete_sandbox
from llmkit.errors import NoIsolationError, UnknownNameError
from llmkit.runs.options import Options
from llmkit.sandbox import choose
from tests.cli.conftest import Cli

SUITE = """\
version: 1
data: rows.jsonl
messages: [{role: user, content: "{{question}}"}]
scorers: [{code: {shape: stdin, tests: cases}}]
model: scripted/programmer
"""
ROW = {"id": "1", "question": "Twice the number.", "cases": [{"input": "2\n", "output": "4\n"}]}


@pytest.fixture
def programs(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of one program, which is right."""
    for name in ("LLMKIT_SANDBOX", "LLMKIT_UNSAFE_LOCAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(choose, "_told", set())
    (project / "rows.jsonl").write_text(json.dumps(ROW) + "\n")
    (project / "answers.jsonl").write_text(json.dumps({"match": "Twice", "text": "print(2 * int(input()))"}) + "\n")
    (project / "llmkit.toml").write_text('[models."scripted/programmer"]\nfile = "answers.jsonl"\n')
    (project / "code.yaml").write_text(SUITE)
    return project


@pytest.fixture
def nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no program can be isolated."""
    monkeypatch.setattr(choose, "probe", lambda name: NoIsolationError(f"no {name} in this test"))


@pytest.mark.usefixtures("programs", "nothing_works")
def test_without_isolation_it_is_refused_before_anything_is_asked(cli: Cli) -> None:
    said = cli("eval", "code.yaml")
    assert said.code == 2
    assert "programs cannot be isolated on this machine" in said.err
    assert "--unsafe-local" in said.err
    assert not said.out


@pytest.mark.usefixtures("programs", "nothing_works")
def test_unsafe_local_runs_them_and_says_so_once_and_in_the_signature(cli: Cli) -> None:
    said = cli("eval", "code.yaml", "--unsafe-local", "--json")
    assert said.code == 0
    assert said.err.count("nothing to isolate them") == 1
    assert "sandbox:unsafe-local" in said.out


@pytest.mark.usefixtures("programs", "nothing_works")
def test_the_same_holds_for_scoring_anew(cli: Cli) -> None:
    cli("eval", "code.yaml", "--unsafe-local")
    refused = cli("rescore", "latest", "--all")
    assert refused.code == 2
    assert "--unsafe-local" in refused.err
    assert cli("rescore", "latest", "--all", "--unsafe-local").code == 0


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("command", [("eval", "code.yaml"), ("rescore", "latest"), ("gate", "code.yaml")])
def test_a_sandbox_that_there_is_not_is_refused(cli: Cli, command: tuple[str, ...]) -> None:
    said = cli(*command, "--sandbox", "bublewrap")
    assert said.code == 2
    assert "unknown sandbox 'bublewrap'" in said.err
    assert "Did you mean 'bubblewrap'?" in said.err


@pytest.mark.usefixtures("nothing_works")
def test_no_suite_and_no_settings_can_switch_isolation_off(cli: Cli, programs: Path) -> None:
    line = "unsafe_local: true"
    (programs / "code.yaml").write_text(f"{SUITE}{line}\n")
    assert cli("eval", "code.yaml").code == 2
    (programs / "code.yaml").write_text(SUITE.replace("tests: cases", f"tests: cases, {line}"))
    assert cli("eval", "code.yaml").code == 2
    (programs / "code.yaml").write_text(SUITE.replace("tests: cases", "tests: cases, isolation: unsafe-local"))
    assert cli("eval", "code.yaml").code == 2
    (programs / "code.yaml").write_text(SUITE)
    settings = (programs / "llmkit.toml").read_text()
    (programs / "llmkit.toml").write_text(f"unsafe_local = true\n{settings}")
    assert cli("eval", "code.yaml").code == 2


@pytest.mark.usefixtures("programs", "nothing_works")
def test_in_python_it_is_an_option_and_a_warning() -> None:
    with pytest.raises(NoIsolationError):
        llmkit.evaluate("code.yaml")
    with pytest.warns(choose.UnsafeWarning, match="nothing to isolate them"):
        (result,) = llmkit.evaluate("code.yaml", options=Options(unsafe_local=True))
    assert result.metrics["code"].value == 1.0
    with pytest.raises(UnknownNameError, match="unknown sandbox"):
        llmkit.evaluate("code.yaml", options=Options(sandbox="jail"))


def test_tab_offers_the_sandboxes() -> None:
    assert complete_sandbox("b") == ["bubblewrap"]
    assert complete_sandbox("") == ["auto", "bubblewrap", "namespaces", "docker", "unsafe-local"]
