"""`llmkit judge run` on the command line."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from llmkit.reports.judged_run import judged_runs_schema
from llmkit.reports.tournament import tournament_schema
from tests.calibration.stored import good_share, run_of
from tests.cli.conftest import Cli
from tests.judges.locking import locked_project
from tests.judges.project import project
from tests.judges.seats import says

RIGHT = [{"regex": r"s\d{3} good", "text": says("pass")}, {"regex": r"s\d{3} bad", "text": says("fail")}]
FIRST = [{"regex": ".", "text": says("a")}]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("LLMKIT_MODEL", "LLMKIT_STORE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def script(folder: Path, lines: list[dict[str, str]] = RIGHT) -> None:
    """Give the judge's model its answers."""
    (folder / "judge.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    (folder / "llmkit.toml").write_text('[models."scripted/judge"]\nfile = "judge.jsonl"\n', encoding="utf-8")


def stored(folder: Path, share: float = 0.75, **more: object) -> str:
    return asyncio.run(run_of(folder, good_share(share), **more))  # type: ignore[arg-type]


def test_an_uncalibrated_judges_rate_stands_beside_that_word(here: Path, cli: Cli) -> None:
    project(here)
    script(here)
    run = stored(here)
    said = cli("judge", "run", "relevance", "latest")

    assert said.code == 0, said.err
    lines = [line.strip() for line in said.out.splitlines()]
    assert lines[0] == f"relevance  run {run} (questions on scripted/first)  UNCALIBRATED  no lock"
    assert lines[1] == "40 judged: pass 30, fail 10"
    assert lines[2].startswith("raw rate        0.75 [0.60, 0.86] n=40  uncalibrated")
    assert lines[3].startswith("no corrected rate: the judge was never measured against people")


def test_a_calibrated_ones_rate_is_corrected_and_says_by_what(here: Path, cli: Cli) -> None:
    script(here)
    day = datetime.now(UTC).date().isoformat()
    locked_project(here, lock={"created": day, "population": "0" * 64, "served": None})
    stored(here)
    said = cli("judge", "run", "relevance", "latest")
    assert "CALIBRATED  lock " in said.out
    assert "corrected rate  0.7" in said.out
    assert "by lang-reiczigel: " in said.out


def test_verdicts_are_written_where_asked_and_never_over_a_file(here: Path, cli: Cli) -> None:
    project(here)
    script(here)
    stored(here)
    said = cli("judge", "run", "relevance", "latest", "-o", "verdicts.jsonl")
    assert said.err.endswith("llmkit: 40 verdicts in verdicts.jsonl\n")
    first = (here / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(first)["verdict"] == "pass"

    again = cli("judge", "run", "relevance", "latest", "-o", "verdicts.jsonl")
    assert (again.code, again.out) == (2, "")
    assert "verdicts.jsonl: the file is there already. Write over it with --force" in again.err
    assert cli("judge", "run", "relevance", "latest", "-o", "verdicts.jsonl", "--force").code == 0


def test_json_is_one_document_of_its_schema(here: Path, cli: Cli) -> None:
    project(here)
    script(here)
    runs = [stored(here, 0.75, model="one"), stored(here, 0.5, model="two")]
    found = cli("judge", "run", "relevance", *runs, "--json").json
    jsonschema.validate(found, judged_runs_schema())
    assert [each["raw"]["value"] for each in found["runs"]] == [0.75, 0.5]
    assert found["runs"][0]["corrected"] is None
    assert found["runs"][0]["against"] is None
    assert (found["runs"][1]["against"]["run"], found["runs"][1]["against"]["difference"]) == (runs[0], -0.25)


def test_items_of_a_file_are_judged(here: Path, cli: Cli) -> None:
    project(here)
    script(here)
    (here / "items.jsonl").write_text('{"id": 1, "input": "?", "answer": "s001 good"}\n', encoding="utf-8")
    said = cli("judge", "run", "relevance", "--items", "items.jsonl")
    assert said.code == 0, said.err
    assert "1 judged: pass 1, fail 0" in said.out


def test_a_pairwise_judge_sets_runs_against_each_other(here: Path, cli: Cli) -> None:
    project(here, kind="pairwise")
    script(here, FIRST)
    runs = [stored(here, share, model=model) for share, model in ((0.75, "one"), (0.5, "two"))]
    said = cli("judge", "run", "relevance", *runs)
    assert said.code == 0, said.err
    assert said.out.startswith("relevance  runs against each other  UNCALIBRATED  no lock")
    assert "scripted/one → scripted/two" in said.out
    assert "no preference shown" in said.out

    found = cli("judge", "run", "relevance", *runs, "--json", "-o", "pairs.jsonl")
    jsonschema.validate(found.json, tournament_schema())
    assert found.json["duels"][0]["flips"] == 40
    assert len((here / "pairs.jsonl").read_text(encoding="utf-8").splitlines()) == 40


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["relevance"], "name runs, or a file with --items: one of the two. The last run is called latest"),
        (["relevance", "latest", "--items", "x.jsonl"], "one of the two"),
        (["relevance", "--items", "x.jsonl"], "no file 'x.jsonl'"),
        (["relevance", "nothing"], "run 'nothing'"),
        (["relevence", "latest"], "Did you mean 'relevance'?"),
    ],
)
def test_what_cannot_be_done_is_one_line(here: Path, cli: Cli, arguments: list[str], said: str) -> None:
    project(here)
    script(here)
    stored(here, n=2)
    found = cli("judge", "run", *arguments)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert found.err.count("\n") == 1


def test_offline_without_what_is_needed_exits_3_and_repeats_no_command(here: Path, cli: Cli) -> None:
    project(here)
    script(here)
    stored(here, n=2)
    said = cli("judge", "run", "relevance", "latest", "--offline")
    assert said.code == 3
    missing = "no answer of scripted/judge is stored for this, and no call may be made"
    assert said.err == f"llmkit: {missing}. Run it once without --offline\n"
    assert cli("judge", "run", "relevance", "latest").code == 0
    assert cli("judge", "run", "relevance", "latest", "--offline").code == 0
