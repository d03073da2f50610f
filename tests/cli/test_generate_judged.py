"""A judge that checks generated answers, on the command line: its verdicts, its line on the bill, and its endings."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from llmkit.cli.complete import complete_validator
from llmkit.reports.generation_document import generation_schema
from tests.cli.conftest import Cli
from tests.judges.project import project
from tests.judges.seats import says

PROMPT = "---\nname: p\n---\nuser:\nWhere is {{ city }}?\n"
JUDGED = ("--format", "text", "--validator", "judge:relevance", "-m", "scripted/model")


def lines(path: Path, *answers: tuple[str, str]) -> None:
    path.write_text("".join(json.dumps({"match": match, "text": text}) + "\n" for match, text in answers))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose second answer about Bern is better, and a judge that knows; of Ulm it cannot tell."""
    monkeypatch.chdir(tmp_path)
    project(tmp_path)
    lines(tmp_path / "model.jsonl", ("not accepted", "In Switzerland."), ("Bern", "Yes."), ("Ulm", "Perhaps."))
    lines(
        tmp_path / "judge.jsonl", ("Yes.", says("fail", "No place.")), ("In Switz", says("pass")),
        ("Perhaps.", says("cannot_tell", "No map.")),
    )  # fmt: skip
    files = "".join(f"[models.'scripted/{name}']\nfile = '{name}.jsonl'\n" for name in ("model", "judge"))
    (tmp_path / "llmkit.toml").write_text(files)
    (tmp_path / "p.prompty").write_text(PROMPT)
    return tmp_path


def test_an_answer_that_the_judge_fails_is_asked_again(cli: Cli) -> None:
    said = cli("generate", "p.prompty", "-V", "city=Bern", *JUDGED)
    assert said.code == 0 and said.out.strip() == "In Switzerland."
    assert "the judge relevance does not pass it: No place." in said.err
    assert "judge:relevance: $0 paid" in said.err
    assert "note: the judge relevance asks scripted/judge, 1 call an answer (uncalibrated judge)" in said.err


def test_its_calls_have_their_own_sums_in_the_document(cli: Cli) -> None:
    said = cli("generate", "p.prompty", "-V", "city=Bern", *JUDGED, "--json")
    jsonschema.validate(said.json, generation_schema())
    assert said.json["checks"]["judge:relevance"]["calls"] == 2 and said.json["totals"]["calls"] == 2


def test_what_the_judge_cannot_tell_ends_the_generation_unchecked(cli: Cli) -> None:
    said = cli("generate", "p.prompty", "-V", "city=Ulm", *JUDGED)
    assert said.code == 4 and said.out == ""
    assert "not checked" in said.err and "the judge relevance cannot tell: No map." in said.err


def test_a_batch_asks_the_judge_about_each_answer(cli: Cli, here: Path) -> None:
    (here / "rows.jsonl").write_text('{"city": "Bern"}\n{"city": "Ulm"}\n')
    said = cli("generate", "p.prompty", "-i", "rows.jsonl", "-o", "out.jsonl", *JUDGED)
    bern, ulm = (json.loads(line) for line in (here / "out.jsonl").read_text().splitlines())
    assert bern["ok"] and bern["value"] == "In Switzerland."
    assert not ulm["ok"] and ulm["error"]["fault"] == "crash" and "cannot tell" in ulm["error"]["message"]
    assert said.code == 4  # half of the rows broke


def test_answers_that_are_there_already_are_no_work_for_it(cli: Cli, here: Path) -> None:
    (here / "answer.txt").write_text("Yes.")
    said = cli("validate", "answer.txt", "--format", "text", "--validator", "judge:relevance")
    assert said.code == 2 and "llmkit judge run relevance" in said.err


def test_the_shell_offers_the_projects_judges() -> None:
    assert complete_validator("judge:") == ["judge:relevance"]
    assert "judge" not in complete_validator("")


def test_a_dry_run_counts_the_judges_calls_and_does_not_guess_their_price(cli: Cli, here: Path) -> None:
    lone = ("generate", "p.prompty", "-V", "city=Bern", *JUDGED, "-M", "max_tokens=9", "--dry-run", "--json")
    assert cli(*lone).json["asked"][0]["worst_case_usd"] == 0  # neither model is billed
    with (here / "llmkit.toml").open("a") as file:
        file.write("[prices.'scripted/judge']\ninput = 1.0\noutput = 1.0\n")
    (found,) = cli(*lone).json["asked"]
    assert found["worst_case_usd"] is None and "judge:relevance makes up to 2 calls an answer" in found["unknown"]
    assert any("(uncalibrated judge)" in note for note in found["notes"])
    (here / "rows.jsonl").write_text('{"city": "Bern"}\n{"city": "Ulm"}\n')
    said = cli("generate", "p.prompty", "-i", "rows.jsonl", *JUDGED, "-M", "max_tokens=9", "--dry-run", "--json")
    assert said.json["calls"] == 2 * 3 * (1 + 2) and said.json["worst_case_usd"] is None
