"""``llmkit judge list`` and ``show``: what judges there are, and one in full."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from llmkit.judges.lock import lock_path
from llmkit.reports.judge_card import cards_schema
from tests.cli.conftest import Cli
from tests.judges.locking import labelled_project, locked_project


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_list_says_what_each_may_be_called(here: Path, cli: Cli) -> None:
    path = locked_project(here, accept={"max_age_days": 1e6})
    path.with_name("tone.yaml").write_text(path.read_text().replace('"relevance"', '"tone"'))
    said = cli("judge", "list")
    assert said.code == 0
    head, first, second = said.out.splitlines()
    assert head.split() == ["judge", "status", "kind", "model", "labels", "lock"]
    assert first.split()[:4] == ["relevance", "calibrated", "pass_fail", "scripted/judge"]
    assert "pass 4, fail 4" in first
    assert second.split()[:2] == ["tone", "uncalibrated"]


def test_the_list_as_a_document_fits_its_schema(here: Path, cli: Cli) -> None:
    locked_project(here, accept={"max_age_days": 1e6})
    found = cli("judge", "list", "--json").json
    jsonschema.validate(found, cards_schema())
    (card,) = found["judges"]
    assert card["test"]["tpr"]["value"] == 0.96
    assert card["probes"][0]["name"] == "injection"


def test_a_judge_that_cannot_be_loaded_is_told_and_the_others_are_listed(here: Path, cli: Cli) -> None:
    path = labelled_project(here)
    path.with_name("broken.yaml").write_text("version: 1\nkind: pass_fail\n")
    said = cli("judge", "list")
    assert said.code == 4
    assert "relevance" in said.out
    assert "broken.yaml:1: the field 'name' is missing" in said.err


def test_a_stale_judge_is_listed_as_its_file_says(here: Path, cli: Cli) -> None:
    path = locked_project(here)
    lock_path(path).write_text("{}")
    said = cli("judge", "list")
    assert said.code == 0
    assert said.out.splitlines()[1].split()[:2] == ["relevance", "stale"]


def test_a_lock_without_its_definition_is_told_of(here: Path, cli: Cli) -> None:
    locked_project(here).unlink()
    for command, code in (("list", 4), ("show relevance", 2)):
        said = cli("judge", *command.split())
        assert said.code == code
        assert "relevance.yaml is missing: judges/relevance.lock is a lock without its definition" in said.err


def test_no_judges_are_no_error(here: Path, cli: Cli) -> None:
    said = cli("judge", "list")
    assert (said.code, said.out) == (0, "")
    assert "llmkit judge new NAME" in said.err


def test_a_judge_is_shown_with_all_that_was_measured(here: Path, cli: Cli) -> None:
    locked_project(here, accept={"max_age_days": 1e6})
    said = cli("judge", "show", "relevance")
    assert said.code == 0
    for part in (
        "CALIBRATED  relevance  lock ",
        "TPR 0.96 on 50 passing items: at least 0.87 with 95 % confidence",
        "guidelines/relevance.md",
        "samples 1",
        "TPR, of what people pass, passed",
        "0.96 [0.87, 0.99]",
        "injection: 0 of 100 verdicts move",
        "labelled items  pass 4, fail 4",
    ):
        assert part in said.out


def test_an_uncalibrated_judge_is_shown_without_figures(here: Path, cli: Cli) -> None:
    labelled_project(here)
    said = cli("judge", "show", "relevance")
    assert said.out.startswith("UNCALIBRATED  relevance")
    assert "TPR" not in said.out
    assert cli("judge", "show", "relevance", "--json").json["test"] is None


def test_what_would_be_asked_about_an_item_is_shown_alone(here: Path, cli: Cli) -> None:
    locked_project(here)
    said = cli("judge", "show", "relevance", "--item", "i3")
    assert said.code == 0
    assert "answer 3" in said.out
    assert "answer 2" not in said.out
    assert "CALIBRATED" not in said.out
    found = cli("judge", "show", "relevance", "--item", "i3", "--json").json
    assert any("answer 3" in message["content"] for message in found["messages"])


def test_an_unknown_item_gets_the_nearest(here: Path, cli: Cli) -> None:
    locked_project(here)
    said = cli("judge", "show", "relevance", "--item", "j3")
    assert said.code == 2
    assert "unknown item 'j3'" in said.err
