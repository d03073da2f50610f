"""What one evaluation says: results on standard output, all else on standard error."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmkit.cli.session import Session
from llmkit.cli.thresholds import Thresholds
from llmkit.errors import UsageError
from llmkit.runs.evaluate import Ending
from tests.cli.conftest import Cli
from tests.reports.comparisons import WHOLE
from tests.reports.records import metric, run

FIGURES = metric("em", 0.9, (0.85, 0.93))


def session(*, as_json: bool = False, minimum: tuple[str, ...] = ()) -> Session:
    return Session(as_json=as_json, ask=False, thresholds=Thresholds.parse(minimum, [], []))


def ended(*results, **how) -> Session:
    with session(**how) as one:
        for result in results:
            one.ended(Ending(result))
    return one


def test_a_completed_run_is_a_table_and_no_word_on_standard_error(capfd):
    ended(run(metrics=[FIGURES]))
    printed = capfd.readouterr()
    assert "0.90 [0.85, 0.93]" in printed.out
    assert printed.err == ""


def test_json_is_one_document_of_all_runs(capfd):
    ended(run("r1"), run("r2"), as_json=True)
    assert [r["run_id"] for r in json.loads(capfd.readouterr().out)["runs"]] == ["r1", "r2"]


@pytest.mark.parametrize("status", ["interrupted", "budget", "failed"])
def test_of_unfinished_runs_it_says_what_is_kept_and_the_command_that_goes_on(status, capfd, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["llmkit", "eval", "my suite.yaml", "--fresh", "-M", "stop=;"])
    ended(run("r1", status=status, completed=7), run("r2", status=status, completed=3), run("r3"))
    said = "llmkit: 10 answers are kept; go on with: llmkit eval 'my suite.yaml' -M 'stop=;'\n"
    assert capfd.readouterr().err == said


def test_each_further_run_of_a_suite_is_compared_with_its_first(capfd):
    asked = []

    def compare(a, b):
        asked.append((a, b))
        return WHOLE

    with Session(as_json=True, ask=False, thresholds=Thresholds.parse([], [], []), compare=compare) as one:
        for number, (suite, model) in enumerate(["xa", "ya", "xb", "yb", "xc", "xa"]):
            one.ended(Ending(run(f"r{number}", suite=suite, model=model)))
    assert asked == [("r0", "r2"), ("r1", "r3"), ("r0", "r4")]
    assert len(json.loads(capfd.readouterr().out)["comparisons"]) == 3


def test_runs_that_cannot_be_compared_are_said_and_the_rest_is_printed(capfd):
    def compare(a, b):
        raise UsageError("they share no sample")

    with Session(as_json=False, ask=False, thresholds=Thresholds.parse([], [], []), compare=compare) as one:
        one.ended(Ending(run("r1", metrics=[FIGURES])))
        one.ended(Ending(run("r2", model="scripted/other", status="interrupted", completed=0)))
    printed = capfd.readouterr()
    assert "0.90 [0.85, 0.93]" in printed.out
    assert "quickstart: local/smol and scripted/other are not compared: they share no sample" in printed.err


def test_nothing_is_printed_where_no_run_began(capfd):
    ended()
    assert capfd.readouterr() == ("", "")


def test_what_ended_is_printed_also_when_an_error_comes_out(capfd):
    with pytest.raises(KeyboardInterrupt), session() as one:
        one.ended(Ending(run(metrics=[FIGURES], status="interrupted")))
        raise KeyboardInterrupt
    assert "0.90 [0.85, 0.93]" in capfd.readouterr().out


@pytest.mark.parametrize(("bound", "code"), [("em=.8", 0), ("em=.95", 1), ("em=.9", 3)])
def test_the_verdict_is_said_and_kept_as_exit_code(bound, code, capfd):
    assert ended(run(metrics=[FIGURES]), minimum=(bound,)).verdict == code
    assert "quickstart on local/smol: em is 0.9" in capfd.readouterr().err


class Terminal:
    """A terminal for a command's input and standard error."""

    def __init__(self, project: Path, *arguments: str, keys: str = "", interrupt_at: str | None = None) -> None:
        ours, theirs = pty.openpty()
        os.write(ours, keys.encode())
        with subprocess.Popen(
            [sys.executable, "-m", "llmkit", *arguments],
            stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, cwd=project, text=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
        ) as process:  # fmt: skip
            os.close(theirs)
            self.err = ""
            while more := _read(ours):
                self.err += more
                if interrupt_at is not None and interrupt_at in self.err:
                    interrupt_at = None
                    _wait_until_it_waits(process)
                    process.send_signal(signal.SIGINT)
            self.out = process.communicate(timeout=60)[0]
        os.close(ours)
        self.code = process.returncode


def _wait_until_it_waits(process: subprocess.Popen[str]) -> None:
    """Wait until the process sleeps: a signal that comes just before its last read from the terminal is not seen."""
    stat = Path(f"/proc/{process.pid}/stat")
    while stat.read_text().rpartition(")")[2].split()[0] != "S":
        time.sleep(0.001)


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # Linux says so when the other side is closed
        return ""


def test_a_terminal_is_told_what_runs_on_what_and_why(project: Path) -> None:
    terminal = Terminal(project, "eval", "capitals.yaml", "--json")
    assert "capitals on scripted/oracle (from suite capitals.yaml:7)" in terminal.err
    assert json.loads(terminal.out)["runs"][0]["samples"]["completed"] == 4


@pytest.mark.parametrize(("keys", "code", "completed"), [("n\n", 2, 1), ("y\n", 0, 4)])
def test_a_terminal_is_asked_after_the_samples(project: Path, keys: str, code: int, completed: int) -> None:
    terminal = Terminal(project, "eval", "capitals.yaml", "--sample", "1", "--json", keys=keys)
    assert "Capital of France?" in terminal.err
    assert "Go on with the rest?" in terminal.err
    assert terminal.code == code
    assert json.loads(terminal.out)["runs"][0]["samples"]["completed"] == completed


def test_what_was_shown_is_kept_and_goes_on(project: Path, cli: Cli) -> None:
    terminal = Terminal(project, "eval", "capitals.yaml", "--sample", "2", keys="n\n")
    assert "2 answers are kept; go on with: llmkit eval capitals.yaml --sample 2" in terminal.err
    run = cli("eval", "capitals.yaml", "--json").json["runs"][0]
    assert (run["samples"]["completed"], run["usage"]["calls"]) == (4, 4)
    assert run["run_id"] in terminal.out


def test_ctrl_c_at_the_question_interrupts(project: Path) -> None:
    terminal = Terminal(
        project, "eval", "capitals.yaml", "--sample", "1", "--json", interrupt_at="Go on with the rest?"
    )
    assert terminal.code == 130
    assert json.loads(terminal.out)["runs"][0]["status"] == "interrupted"


def test_yes_asks_nothing(project: Path) -> None:
    terminal = Terminal(project, "eval", "capitals.yaml", "--sample", "1", "--json", "--yes")
    assert "Go on with the rest?" not in terminal.err
    assert terminal.code == 0
