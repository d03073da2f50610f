"""``llmkit judge check``: in CI, with no calls; exit 4 names what is not as it was locked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from llmkit.judges.lock import lock_path
from llmkit.reports.judge_check import checks_schema
from tests.cli.conftest import Cli
from tests.judges.locking import locked_project
from tests.judges.project import project as judge_project


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLMKIT_STORE", raising=False)
    return tmp_path


def _day() -> str:
    return datetime.now(UTC).date().isoformat()


def today(folder: Path, **lock: object) -> Path:
    return locked_project(folder, lock={"created": _day(), **lock})


def test_a_judge_as_it_was_locked_exits_0(here: Path, cli: Cli) -> None:
    today(here)
    said = cli("judge", "check", "relevance")
    assert said.code == 0
    assert said.out.startswith("CALIBRATED  relevance  lock ")
    assert said.out.rstrip().endswith("made today")


@pytest.mark.parametrize(("status", "code"), [("provisional", 3), ("refused", 1)])
def test_the_locks_status_is_the_exit_code(here: Path, cli: Cli, status: str, code: int) -> None:
    today(here, status=status)
    said = cli("judge", "check", "relevance")
    assert (said.code, said.out.split()[0]) == (code, status.upper())


def test_an_uncalibrated_judge_exits_3(here: Path, cli: Cli) -> None:
    judge_project(here)
    said = cli("judge", "check", "relevance")
    assert (said.code, said.out) == (3, "UNCALIBRATED  relevance  no lock\n")


def test_one_changed_byte_exits_4_and_is_named(here: Path, cli: Cli) -> None:
    today(here)
    guideline = here / "judges" / "guidelines" / "relevance.md"
    guideline.write_text(guideline.read_text() + "!")
    said = cli("judge", "check", "relevance")
    assert said.code == 4
    assert "STALE  relevance" in said.out
    assert "  criterion: guidelines/relevance.md changed\n" in said.out


def test_a_hand_edited_lock_exits_4(here: Path, cli: Cli) -> None:
    path = today(here, status="refused")
    lock_path(path).write_text(lock_path(path).read_text().replace('"refused"', '"calibrated"'))
    said = cli("judge", "check", "relevance")
    assert said.code == 4
    assert "edited by hand" in said.out


def test_a_lock_without_its_definition_exits_4(here: Path, cli: Cli) -> None:
    today(here).unlink()
    for arguments in (["relevance"], []):
        said = cli("judge", "check", *arguments)
        assert said.code == 4
        assert "a lock without its definition" in said.out


def test_without_a_name_all_are_checked_and_the_worst_counts(here: Path, cli: Cli) -> None:
    path = today(here, status="provisional")
    other = path.with_name("tone.yaml")
    other.write_text(path.read_text().replace('"relevance"', '"tone"'))
    said = cli("judge", "check", "--json")
    assert said.code == 3
    assert [(found["judge"], found["status"]) for found in said.json["checks"]] == [
        ("relevance", "provisional"), ("tone", "uncalibrated"),
    ]  # fmt: skip
    lock_path(other).write_text("{}")
    said = cli("judge", "check", "--json")
    assert (said.code, [found["status"] for found in said.json["checks"]]) == (4, ["provisional", "stale"])


def test_a_judge_without_a_lock_is_listed_and_counts_where_a_suite_names_it(here: Path, cli: Cli) -> None:
    judge_project(here)
    said = cli("judge", "check")
    assert (said.code, said.out, said.err) == (0, "UNCALIBRATED  relevance  no lock\n", "")
    assert cli("judge", "check", "--json").json["sound"] is True
    (here / "suites").mkdir()
    (here / "suites" / "replies.yaml").write_text("scorers:\n- exact_match\n- judge: relevance\n")
    said = cli("judge", "check")
    assert (said.code, said.out) == (3, "UNCALIBRATED  relevance  no lock\n")
    assert said.err.startswith("llmkit: suites/replies.yaml:3: the judge 'relevance' has no lock. Measure it: ")
    assert cli("judge", "check", "--json").json["sound"] is False


def test_where_no_judge_is_none_is_sound(here: Path, cli: Cli) -> None:
    said = cli("judge", "check")
    assert (said.code, said.err) == (2, "llmkit: there are no judges here. Make one: llmkit judge new NAME\n")


def test_an_unknown_judge_gets_the_nearest(here: Path, cli: Cli) -> None:
    today(here)
    said = cli("judge", "check", "relevanse")
    assert said.code == 2
    assert "Did you mean 'relevance'?" in said.err


def test_the_document_fits_its_schema(here: Path, cli: Cli) -> None:
    today(here)
    found = cli("judge", "check", "--json").json
    jsonschema.validate(found, checks_schema())
    assert (found["sound"], found["paid"]) == (True, None)


def test_anchors_are_asked_again_and_drift_exits_4(here: Path, cli: Cli) -> None:
    anchors = {f"i{at}": "fail" if at % 2 else "pass" for at in range(20)}
    text = json.dumps('{"reason": "r", "verdict": "pass"}')
    (here / "llmkit.toml").write_text(f'[models."scripted/constant"]\ntext = {text}\n')
    lock = {"created": _day(), "anchors": anchors, "served": None}
    locked_project(here, n=20, model="scripted/constant", lock=lock)
    assert cli("judge", "check").code == 0
    said = cli("judge", "check", "--rerun-anchors", "--json")
    assert said.code == 4
    (found,) = said.json["checks"]
    assert found["stale"][0].startswith("anchors: 10 of 20 verdicts changed; right 10 times, 20 when it was locked")
    assert said.json["paid"]["calls"] == 20


def test_options_of_calls_are_refused_where_none_is_made(here: Path, cli: Cli) -> None:
    today(here)
    said = cli("judge", "check", "--max-cost", "1")
    assert said.code == 2
    assert "--rerun-anchors" in said.err


def test_what_was_found_is_not_lost_where_anchors_cannot_be_asked(here: Path, cli: Cli) -> None:
    (here / "llmkit.toml").write_text('[models."scripted/constant"]\nfaults_at = {1 = "auth"}\n')
    lock = {"created": _day(), "anchors": {"i0": "pass"}, "served": None}
    path = locked_project(here, model="scripted/constant", lock=lock)
    alone = cli("judge", "check", "--rerun-anchors")
    assert alone.code == 4
    assert alone.out == ""
    stale = path.with_name("tone.yaml")
    stale.write_text(path.read_text().replace('"relevance"', '"tone"'))
    lock_path(stale).write_text("{}")
    both = cli("judge", "check", "--rerun-anchors")
    assert both.code == 4
    assert "STALE  tone" in both.out
    assert both.err
