"""What is printed, and what closed pipes, full disks and missing streams do to it: nothing to the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.cli.console import json_text
from tests.cli.conftest import Cli

LLMKIT = f"'{sys.executable}' -m llmkit"


def shell(project: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", script], cwd=project, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        "eval capitals.yaml --json",
        "runs list",
        "runs show",
        "runs export latest -o -",
        "eval --help",
        "doctor --json",
    ],
)
def test_a_reader_that_leaves_does_not_change_the_exit_code(project: Path, cli: Cli, command: str) -> None:
    cli("eval", "capitals.yaml")
    said = shell(project, f"{LLMKIT} {command} | true; echo ${{PIPESTATUS[0]}}")
    assert said.stdout == "0\n"
    assert said.stderr == ""


@pytest.mark.parametrize(("bound", "code"), [(".99", 1), (".75", 3)])
def test_a_verdict_survives_a_closed_pipe(project: Path, bound: str, code: int) -> None:
    script = f"{LLMKIT} eval capitals.yaml --min exact_match={bound} | true; echo ${{PIPESTATUS[0]}}"
    said = shell(project, script)
    assert said.stdout == f"{code}\n"
    assert "capitals on scripted/oracle: exact_match is 0.75" in said.stderr


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_streams_that_the_process_was_started_without_are_no_crash(project: Path, closed: str) -> None:
    assert shell(project, f"{LLMKIT} eval capitals.yaml --json {closed}; echo $?").stdout.endswith("0\n")


def test_a_full_disk_under_both_streams_is_exit_4(project: Path, cli: Cli) -> None:
    cli("eval", "capitals.yaml")
    script = f"trap '' XFSZ; (ulimit -f 0; {LLMKIT} runs list > out 2> err); echo $?"
    assert shell(project, script).stdout == "4\n"


@pytest.mark.parametrize("text", ["\ud800", "\x1b[31m\x9b31m", "\u202eexe.gnp\u2066", "é\u2028"])
def test_json_is_safe_to_print_and_reads_as_it_was(text: str) -> None:
    written = json_text({"a": text})
    assert json.loads(written) == {"a": text}
    written.encode()
    assert not set("\x1b\x9b\u202e\u2066\u2028") & set(written)
