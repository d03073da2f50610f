"""Whether a judge still is what was measured; each thing that is not is named."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from llmkit.config import load_settings
from llmkit.errors import LlmkitError
from llmkit.judgements import Check, Counts, Probe
from llmkit.judges import check as checking
from llmkit.judges.check import check, check_file
from llmkit.judges.load import load_judge
from llmkit.judges.lock import lock_path, write_lock
from llmkit.providers.base import identity
from llmkit.providers.registry import create
from tests.judges.locking import CLEAN, DAY, labelled_project, lock_for, locked_project
from tests.judges.project import project

TODAY = date.fromisoformat(DAY) + timedelta(days=8)


def checked(path: Path, **options: Any) -> Check:
    return check(load_judge(str(path)), **{"today": TODAY, **options})


def stale(path: Path) -> list[str]:
    """What ``judge check`` names, by field."""
    found, _ = check_file(path, today=TODAY)
    assert found.status == "stale"
    return [line.partition(":")[0] for line in found.stale]


def test_a_judge_as_it_was_locked_is_sound(tmp_path: Path) -> None:
    found = checked(locked_project(tmp_path))
    assert (found.status, found.stale, found.age_days, found.sound) == ("calibrated", (), 8.0, True)
    assert found.lock is not None


@pytest.mark.parametrize("status", ["provisional", "refused"])
def test_the_status_is_the_locks(tmp_path: Path, status: str) -> None:
    found = checked(locked_project(tmp_path, lock={"status": status}))
    assert (found.status, found.sound) == (status, False)


def test_a_judge_without_a_lock_is_uncalibrated(tmp_path: Path) -> None:
    found = checked(project(tmp_path))
    assert (found.status, found.lock, found.age_days, found.sound) == ("uncalibrated", None, None, False)


BOUND = {
    "definition": "judges/relevance.yaml",
    "criterion": "judges/guidelines/relevance.md",
    "prompt": "prompts/relevance.prompty",
    "labels": "judges/labels/relevance.jsonl",
    "items": "judges/labels/items.jsonl",
}


@pytest.mark.parametrize("field", BOUND)
def test_one_changed_byte_is_named(tmp_path: Path, field: str) -> None:
    path = locked_project(tmp_path)
    file = tmp_path / BOUND[field]
    file.write_bytes(file.read_bytes() + b"\n")
    assert stale(path) == [field]


@pytest.mark.parametrize("field", BOUND)
def test_a_file_that_is_gone_is_named(tmp_path: Path, field: str) -> None:
    path = locked_project(tmp_path)
    (tmp_path / BOUND[field]).unlink()
    assert stale(path)[0] == field


def test_a_lock_without_its_definition_says_so(tmp_path: Path) -> None:
    path = locked_project(tmp_path)
    path.unlink()
    found, judge = check_file(path, today=TODAY)
    assert judge is None
    assert found.stale == ("definition: relevance.yaml is missing: a lock without its definition",)


def test_a_file_that_a_prompt_includes_is_bound(tmp_path: Path) -> None:
    prompt = "---\nname: p\ntemplate: {format: {kind: jinja2}, parser: {kind: prompty}}\n---\n"
    prompt += "user:\n{% include 'rules.md' %}\n{{ criterion }} {{ answer }}\n"
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "rules.md").write_text("Be strict.", encoding="utf-8")
    path = locked_project(tmp_path, prompt=prompt)
    (tmp_path / "prompts" / "rules.md").write_text("Be kind.", encoding="utf-8")
    found, _ = check_file(path, today=TODAY)
    assert found.stale == ("prompt:../prompts/rules.md: ../prompts/rules.md changed",)


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2}'])
def test_a_lock_that_cannot_be_relied_on_is_named(tmp_path: Path, text: str) -> None:
    path = locked_project(tmp_path)
    lock_path(path).write_text(text, encoding="utf-8")
    assert stale(path) == ["lock"]


def test_a_hand_edited_lock_is_named(tmp_path: Path) -> None:
    path = locked_project(tmp_path, lock={"status": "provisional"})
    text = lock_path(path).read_text("utf-8")
    lock_path(path).write_text(text.replace('"provisional"', '"calibrated"'), encoding="utf-8")
    found, _ = check_file(path, today=TODAY)
    assert (found.status, found.lock) == ("stale", None)
    assert "edited by hand" in found.stale[0]


def test_another_parser_or_form_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = locked_project(tmp_path, lock={"verdict_schema": "0" * 64})
    assert [line.partition(":")[0] for line in checked(path).stale] == ["verdict_schema"]
    monkeypatch.setattr(checking, "PARSER", 9)
    assert checked(path).stale == ("parser: version 1 read the verdicts, and this llmkit has version 9",)


def test_another_model_in_the_definition_is_named_where_the_lock_does_not_hold(tmp_path: Path) -> None:
    from dataclasses import replace

    path = locked_project(tmp_path)
    judge = load_judge(str(path))
    other = replace(judge, model=replace(judge.model, name="scripted/other"))
    assert check(other, today=TODAY).stale == ("model: it is scripted/other now, and scripted/judge was measured",)


def test_what_llmkit_toml_changes_is_named_too(tmp_path: Path) -> None:
    path = locked_project(tmp_path, lock={"definition": "0" * 64})
    assert [line.partition(":")[0] for line in checked(path).stale] == ["definition"]


def test_another_served_model_is_named(tmp_path: Path) -> None:
    path = locked_project(tmp_path)
    assert checked(path, served="judge-2026").stale == ()
    assert checked(path, served="judge-2027").stale == ("served: judge-2027 answers now, and judge-2026 was measured",)


def test_who_never_said_what_served_it_cannot_have_changed(tmp_path: Path) -> None:
    assert checked(locked_project(tmp_path, lock={"served": None}), served="judge-2027").stale == ()


def test_a_measurement_ages(tmp_path: Path) -> None:
    path = locked_project(tmp_path, accept={"max_age_days": 8})
    assert checked(path).stale == ()
    found = checked(path, today=TODAY + timedelta(days=1))
    assert found.stale == ("created: 9 days ago, more than the 8 that it may be old (accept.max_age_days)",)
    assert found.age_days == 9.0


def test_a_day_that_is_yet_to_come_is_named(tmp_path: Path) -> None:
    path = locked_project(tmp_path, lock={"created": "9999-01-01"})
    assert checked(path).stale == ("created: 9999-01-01 is yet to come",)


def test_a_judge_that_cannot_be_loaded_and_has_no_lock_is_an_error(tmp_path: Path) -> None:
    path = project(tmp_path)
    path.write_text("version: 1\n", encoding="utf-8")
    with pytest.raises(LlmkitError, match="missing"):
        check_file(path)


def test_a_definition_that_became_unreadable_is_stale(tmp_path: Path) -> None:
    path = locked_project(tmp_path)
    path.write_text("version: 1\n", encoding="utf-8")
    assert stale(path) == ["definition"]


def test_labels_that_the_lock_does_not_know_are_named(tmp_path: Path) -> None:
    path = locked_project(tmp_path)
    judge = load_judge(str(path))
    files = {role: said for role, said in lock_for(judge).files.items() if role != "items"}
    write_lock(lock_path(path), lock_for(judge, files={**files, "prompt:x.md": "x.md 00"}))
    assert [line.partition(":")[0] for line in checked(path).stale] == ["items", "prompt"]


def scripted(folder: Path, lines: str = '{"match": "x", "text": "y"}', **lock: Any) -> Path:
    """A judge whose model answers by a script, locked with the identity that was measured."""
    (folder / "script.jsonl").write_text(lines, encoding="utf-8")
    path = labelled_project(folder)
    (folder / "llmkit.toml").write_text(
        f'[models."scripted/judge"]\nfile = {json.dumps(str(folder / "script.jsonl"))}\n', encoding="utf-8"
    )
    judge = load_judge(str(path), settings=load_settings(folder))
    known = identity(create(judge.model, display=True))
    write_lock(lock_path(path), lock_for(judge, **{"identity": known, **lock}))
    return path


def checked_in(path: Path) -> tuple[str, ...]:
    return check_file(path, settings=load_settings(path.parent.parent), today=TODAY)[0].stale


def test_other_answers_under_the_same_name_are_named(tmp_path: Path) -> None:
    path = scripted(tmp_path)
    assert checked_in(path) == ()
    (tmp_path / "script.jsonl").write_text('{"regex": ".", "text": "pass"}', encoding="utf-8")
    (said,) = checked_in(path)
    assert said.startswith("script_sha256: it is ") and said.endswith(" was measured")


def test_each_thing_that_decides_the_answers_is_named_as_it_was_and_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {"provider": "scripted", "model": "judge", "engine": "llama.cpp 2", "endpoint": "https://key:x@b.example/v1"}
    monkeypatch.setattr(checking, "identity", lambda _: now)
    then = {**now, "engine": "llama.cpp 1", "endpoint": "https://a.example/v1", "revision": "3"}
    endpoint, engine = checked_in(scripted(tmp_path, identity=then))
    assert engine == "engine: it is llama.cpp 2 now, and llama.cpp 1 was measured"
    assert "b.example" in endpoint and "https://a.example/v1 was measured" in endpoint
    assert "key:x" not in endpoint


def test_what_this_machine_cannot_know_is_not_compared(tmp_path: Path) -> None:
    path = scripted(tmp_path)
    judge = load_judge(str(path), settings=load_settings(tmp_path))
    (tmp_path / "script.jsonl").unlink()
    assert check(judge, today=TODAY).stale == ()


REFUTED: list[dict[str, Any]] = [
    {"test": Counts(("pass", "fail"), ((48, 2), (30, 20)))},
    {"probes": tuple(p for p in CLEAN if p.name != "injection")},
    {"probes": (Probe("injection", 0.44, 100, "+44 points", None, 0.001, 0.02, False, True), *CLEAN[1:])},
    {"probes": (Probe("injection", 0.0, 1, "0 of 1", None, None, 0.02, True), *CLEAN[1:])},
    {"looks": tuple(f"{n:064x}" for n in range(2000))},
]


@pytest.mark.parametrize("changed", REFUTED)
def test_a_status_that_its_own_counts_refute_is_named(tmp_path: Path, changed: dict[str, Any]) -> None:
    (said,) = checked(locked_project(tmp_path, lock=changed)).stale
    assert said.startswith("status: it says calibrated, its counts and probes say ")


@pytest.mark.parametrize("counts", [Counts(("pass",), ((9,),)), Counts(("pass", "fail"), ((48, 2), (-1, 49)))])
def test_counts_that_no_test_gives_are_named(tmp_path: Path, counts: Counts) -> None:
    assert checked(locked_project(tmp_path, lock={"test": counts})).stale == (
        "test: its counts are not those of a test of this judge",
    )
