"""`llmkit judge calibrate` on the command line: what it says before, what it prints, writes, and exits with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmkit.judges.lock import read_lock
from llmkit.reports.calibration_document import calibration_schema
from llmkit.reports.outlook import outlook_schema
from tests.calibration.measuring import labelled
from tests.cli.conftest import Cli
from tests.cli.serving import MODEL, serving
from tests.cli.serving import project as serving_project
from tests.judges.seats import says
from tests.providers.server import hang, ok

RIGHT = [{"regex": r"i\d{3} good", "text": says("pass")}, {"regex": r"i\d{3} bad", "text": says("fail")}]
LENIENT = [{"regex": r".", "text": says("pass")}]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("LLMKIT_MODEL", "LLMKIT_STORE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def judge(folder: Path, script: list[dict[str, Any]] = RIGHT, *, n: int = 80, **fields: Any) -> Path:
    """Write a judge with labels, and a model that answers by a script; returns the lock's path."""
    labelled(folder, n=n, **fields)
    (folder / "judge.jsonl").write_text("".join(json.dumps(each) + "\n" for each in script), encoding="utf-8")
    (folder / "llmkit.toml").write_text(
        '[models."scripted/judge"]\nfile = "judge.jsonl"\nbilled = true\n'
        '[prices."scripted/judge"]\ninput = 1.0\noutput = 2.0\n',
        encoding="utf-8",
    )
    return folder / "judges" / "relevance.lock"


def test_a_judge_that_agrees_exits_0_and_is_locked(here: Path, cli: Cli) -> None:
    lock = judge(here)
    said = cli("judge", "calibrate", "relevance", "--probe-items", "50")

    assert said.code == 0, said.err
    assert said.out.startswith("CALIBRATED  relevance  pass_fail · scripted/judge")
    found = read_lock(lock)
    assert found is not None and found.status == "calibrated"
    assert f"lock {found.id} in" in said.out
    assert "relevance.lock" in said.out
    assert "Next: llmkit " in said.out


def test_one_that_does_not_is_refused_with_1_and_the_reason(here: Path, cli: Cli) -> None:
    lock = judge(here, LENIENT)
    said = cli("judge", "calibrate", "relevance", "--probe-items", "50")

    assert said.code == 1
    assert said.out.startswith("REFUSED  relevance")
    assert "TNR" in said.out.splitlines()[2]
    assert read_lock(lock).status == "refused"  # type: ignore[union-attr]


def test_too_few_labels_exit_3_and_say_how_many_are_needed(here: Path, cli: Cli) -> None:
    judge(here, n=24)
    said = cli("judge", "calibrate", "relevance", "--probe-items", "50")

    assert said.code == 3
    assert said.out.startswith("PROVISIONAL  relevance")
    assert "more of pass" in said.out


def test_before_any_call_the_best_that_the_labels_can_show_is_said(here: Path, cli: Cli) -> None:
    judge(here, n=24)
    said = cli("judge", "calibrate", "relevance", "--probe-items", "50")
    assert said.err.startswith("At best PROVISIONAL  relevance  what these labels can show")
    assert "a judge without a mistake needs" in said.err
    assert "worst case" in said.err


def test_a_dry_run_asks_nothing_and_locks_nothing(here: Path, cli: Cli) -> None:
    lock = judge(here)
    said = cli("judge", "calibrate", "relevance", "--dry-run")
    assert said.code == 0
    assert said.out.startswith("At best CALIBRATED  relevance")
    assert not lock.exists()
    assert not (here / ".llmkit").exists()

    document = cli("judge", "calibrate", "relevance", "--dry-run", "--json").json
    jsonschema.validate(document, outlook_schema())
    assert document["best"]["status"] == "calibrated"
    assert document["calls"]["test"] >= 80


def test_json_is_one_document_of_its_schema(here: Path, cli: Cli) -> None:
    judge(here)
    said = cli("judge", "calibrate", "relevance", "--json", "--probe-items", "50")
    jsonschema.validate(said.json, calibration_schema())
    assert said.json["status"] == "calibrated"
    assert said.json["paid"]["cost_usd"] > 0
    assert said.json["test"]["counts"]["table"] == [[40, 0], [0, 40]]


def test_again_offline_the_report_is_the_same_byte_for_byte(here: Path, cli: Cli) -> None:
    judge(here)
    assert cli("judge", "calibrate", "relevance", "--probe-items", "50").code == 0
    once = cli("judge", "calibrate", "relevance", "--probe-items", "50", "--offline", "--json")
    again = cli("judge", "calibrate", "relevance", "--probe-items", "50", "--offline", "--json")
    assert once.out == again.out
    assert once.json["paid"]["calls"] == 0
    assert once.json["looks"] == 1


def test_markdown_is_written_beside_what_is_printed(here: Path, cli: Cli) -> None:
    judge(here)
    said = cli("judge", "calibrate", "relevance", "--markdown", "report.md", "--probe-items", "50")
    assert said.out.startswith("CALIBRATED")
    assert (here / "report.md").read_text(encoding="utf-8").startswith("### CALIBRATED: <code>relevance</code>\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["relevanse"], "unknown judge 'relevanse'. Did you mean 'relevance'?"),
        (["relevance", "--optimize", "gep"], "--optimize: unknown optimiser 'gep'. Did you mean 'gepa'?"),
        (["relevance", "--reflection", "a/b"], "--reflection means nothing without --optimize gepa"),
        (["relevance", "--markdown", "none/report.md"], "none/report.md: "),
        (["relevance", "--search", "none.yaml"], "none.yaml"),
    ],
)
def test_what_cannot_be_done_is_one_line_before_any_call(here: Path, cli: Cli, arguments: list[str], said: str) -> None:
    lock = judge(here)
    found = cli("judge", "calibrate", *arguments)
    assert found.code == 2
    assert said in found.err
    assert found.err.count("\n") == 1
    assert not lock.exists()
    assert found.out == ""


def test_a_cap_that_is_reached_exits_3_says_how_to_go_on_and_writes_no_lock(here: Path, cli: Cli) -> None:
    lock = judge(here)
    said = cli("judge", "calibrate", "relevance", "--max-cost", "0.004", "-M", "max_tokens=20")
    assert said.code == 3
    assert "what is paid for is kept, and no lock is written; go on with: llmkit" in said.err
    assert not lock.exists()


def test_ctrl_c_keeps_what_is_paid_writes_no_lock_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving_project(tmp_path, monkeypatch)
    toml = (tmp_path / "llmkit.toml").read_text(encoding="utf-8")
    labelled(tmp_path, n=24)
    (tmp_path / "llmkit.toml").write_text(toml, encoding="utf-8")
    file = tmp_path / "judges" / "relevance.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("scripted/judge", MODEL), encoding="utf-8")
    command = [
        sys.executable, "-m", "llmkit", "judge", "calibrate", "relevance", "-M", "max_tokens=20", "--concurrency", "1",
        "--probe-items", "2",
    ]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    async def interrupt(exchange: Any) -> None:
        running.send_signal(signal.SIGINT)
        await hang(exchange)

    answer = says("pass")
    with serving(monkeypatch, ok(answer), ok(answer), interrupt, default=ok(answer)) as server:
        env["OPENAI_BASE_URL"] = os.environ["OPENAI_BASE_URL"]
        running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        out, err = (text.decode() for text in running.communicate(timeout=60))
        assert (running.returncode, out) == (130, "")
        assert "what is paid for is kept, and no lock is written; go on with: llmkit judge calibrate" in err
        assert "Traceback" not in err
        assert not (tmp_path / "judges" / "relevance.lock").exists()
        before = len(server.log)
        again = subprocess.run(command, cwd=tmp_path, capture_output=True, env=env, timeout=60)
        assert again.returncode == 1, again.stderr  # it passes everything
        asked = [json.dumps(seen.body, sort_keys=True) for seen in server.log]
    assert before == 3
    assert not set(asked[:2]) & set(asked[before:])
