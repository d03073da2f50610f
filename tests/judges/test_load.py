"""A judge is found by name or path, reads its own project's files alone, and is asked as its lock measured it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import DocumentError, LlmkitError, UnknownNameError, UsageError
from llmkit.judges.load import find_judges, load_judge
from llmkit.judges.lock import Chosen, file_digest, lock_path, write_lock
from tests.judges.project import GUIDELINE, judge_of, project
from tests.judges.test_lock import lock

PROMPT = "---\nname: p\n{more}---\nsystem:\n{{{{ criterion }}}}\nuser:\n{{{{ answer }}}}\n"


def said(error: LlmkitError) -> str:
    text = str(error)
    assert "\n" not in text
    return text


def locked(path: Path, **changed: Any) -> None:
    fields = {"prompt": "../prompts/relevance.prompty", "params": {}, "method": {}, "model": "scripted/judge"}
    files = {"definition": f"{path.name} {file_digest(path)}"}
    write_lock(lock_path(path), replace(lock(), chosen=Chosen(**{**fields, **changed}), files=files))


def test_a_judge_is_what_its_files_say(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, params={"temperature": 0, "max_tokens": 300}, method={"reason": "none"})
    assert (judge.name, judge.criterion, judge.model.name) == ("relevance", GUIDELINE, "scripted/judge")
    assert judge.model.params == {"temperature": 0, "max_tokens": 300}
    assert judge.method.reason == "none"
    assert judge.scale.labels == ("pass", "fail")
    assert judge.lock is None and not judge.examples


def test_a_name_is_looked_up_from_the_folder_to_the_projects_root(tmp_path: Path) -> None:
    path = project(tmp_path)
    (tmp_path / "suites" / "deep").mkdir(parents=True)
    for folder in ("suites/deep", ".", "judges"):
        assert load_judge("relevance", folder=tmp_path / folder).path.resolve() == path.resolve()


def test_a_nearer_folder_goes_first(tmp_path: Path) -> None:
    project(tmp_path)
    near = project(tmp_path / "suites", guideline="Near.")
    (tmp_path / "suites" / "llmkit.toml").unlink()
    assert load_judge("relevance", folder=tmp_path / "suites").path.resolve() == near.resolve()


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    project(tmp_path)
    with pytest.raises(UnknownNameError) as failed:
        load_judge("relevanse", folder=tmp_path, where="s.yaml:3")
    assert said(failed.value) == "s.yaml:3: unknown judge 'relevanse'. Did you mean 'relevance'?"


def test_a_project_without_judges_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "llmkit.toml").touch()
    with pytest.raises(UnknownNameError, match="llmkit judge new relevance"):
        load_judge("relevance", folder=tmp_path)


def test_a_name_leads_to_no_other_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    project(tmp_path / "in")
    (tmp_path / "out" / "x.yaml").write_text("version: 1")
    with pytest.raises(DocumentError, match="leads out of the project"):
        load_judge("../../out/x.yaml", folder=tmp_path / "in" / "judges", roots=[tmp_path / "in"], where="s.yaml:1")


def test_a_path_of_a_judge_that_is_elsewhere_is_answered_with_the_nearest(tmp_path: Path) -> None:
    path = project(tmp_path)
    with pytest.raises(UnknownNameError) as failed:
        load_judge(str(path.parent / "relevanc.yaml"))
    assert "relevance" in said(failed.value)


def test_the_name_is_the_files(tmp_path: Path) -> None:
    path = project(tmp_path, name="other")
    with pytest.raises(DocumentError) as failed:
        load_judge(str(path))
    assert "called 'other' and its file 'relevance.yaml'" in said(failed.value)
    assert ":2" in str(failed.value.where)


def test_parameters_of_the_definition_go_before_the_prompts_and_those_before_the_projects(tmp_path: Path) -> None:
    options = "model: {options: {temperature: 0.5, topP: 0.9}}\n"
    path = project(tmp_path, params={"temperature": 0}, prompt=PROMPT.format(more=options))
    (tmp_path / "llmkit.toml").write_text('[models."scripted/judge"]\nseed = 7\ntop_p = 0.1\nlog = 5\n')
    model = load_judge(str(path)).model
    assert model.params == {"seed": 7, "top_p": 0.9, "temperature": 0}
    assert model.options == {"log": 5}


def test_what_is_set_for_an_alias_holds_for_a_judge_that_names_it(tmp_path: Path) -> None:
    path = project(tmp_path, model="long")
    (tmp_path / "llmkit.toml").write_text(
        '[aliases]\nlong = "local/m"\n[models."local/m"]\nn_ctx = 512\n[models.long]\nn_ctx = 2048\n'
    )
    model = load_judge(str(path)).model
    assert (model.name, model.alias, model.options) == ("local/m", "long", {"n_ctx": 2048})
    locked(path, model="local/m")
    assert load_judge(str(path)).model.options == {"n_ctx": 2048}


def test_an_alias_names_the_model(tmp_path: Path) -> None:
    path = project(tmp_path, model="cheap")
    (tmp_path / "llmkit.toml").write_text('[aliases]\ncheap = "openai/m@http://127.0.0.1:1/v1"\n')
    model = load_judge(str(path)).model
    assert (model.name, model.options) == ("openai/m", {"base_url": "http://127.0.0.1:1/v1"})


def test_a_judge_names_no_server(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="may not name a server"):
        judge_of(tmp_path, model="openai/m@http://example.org/v1")


def test_an_unknown_provider_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as failed:
        judge_of(tmp_path, model="opnai/m")
    assert "Did you mean 'openai'" in said(failed.value) and "relevance.yaml:" in str(failed.value)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"criterion": "guidelines/relevanse.md"}, "no guideline .*Did you mean 'relevance.md'"),
        ({"prompt": "../prompts/relevanse.prompty"}, "no prompt file .*Did you mean 'relevance.prompty'"),
        ({"criterion": "../../secret.md"}, "leads out of the project"),
        ({"criterion": "guidelines/.env"}, "hidden file"),
        ({"criterion": "../llmkit.toml"}, "is no guideline"),
        ({"prompt": "../llmkit.toml"}, "is no prompt file"),
        ({"guideline": " \n\n"}, "the guideline is empty"),
        ({"prompt": "../../p.prompty"}, "leads out of the project"),
    ],
)
def test_a_file_that_is_not_there_or_not_its_own_is_one_line(
    tmp_path: Path, fields: dict[str, Any], wanted: str
) -> None:
    prompt = fields.pop("prompt", None)
    path = project(tmp_path, **fields)
    if prompt is not None:
        path.write_text(path.read_text().replace("../prompts/relevance.prompty", prompt))
    with pytest.raises(DocumentError, match=wanted) as failed:
        load_judge(str(path))
    said(failed.value)


@pytest.mark.parametrize(
    ("kind", "body", "missing"),
    [
        ("pass_fail", "{{ criterion }} {{ a }}", "answer"),
        ("pass_fail", "{{ answer }}", "criterion"),
        ("pairwise", "{{ criterion }} {{ answer }}", "a"),
        ("pairwise", "{{ criterion }} {{ a }}", "b"),
    ],
)
def test_a_prompt_shows_what_is_judged_and_by_what(tmp_path: Path, kind: str, body: str, missing: str) -> None:
    with pytest.raises(DocumentError, match=f"does not show the judge '{missing}'") as failed:
        judge_of(tmp_path, kind=kind, prompt=f"---\nname: p\n---\nuser:\n{body}\n")
    assert f"{{{{ {missing} }}}}" in said(failed.value)


@pytest.mark.parametrize(
    ("choices", "wanted"),
    [
        ({"good": 1, "Cannot_Tell": 0}, "instead of a verdict"),
        ({"good": 1, "cannot_tell": 0}, "instead of a verdict"),
        ({"good": 1, "Good": 0}, "differ in case alone"),
        ({"good": 1, "ba\nd": 0}, "cannot be told from others"),
        ({"good": 1, ' "': 0}, "cannot be told from others"),
    ],
)
def test_choices_can_be_told_apart(tmp_path: Path, choices: dict[str, float], wanted: str) -> None:
    with pytest.raises(DocumentError, match=wanted) as failed:
        judge_of(tmp_path, kind={"choices": choices})
    said(failed.value)


def test_the_lock_decides_how_the_judge_is_asked(tmp_path: Path) -> None:
    path = project(tmp_path, params={"temperature": 1})
    (tmp_path / "prompts" / "short.prompty").write_text(PROMPT.format(more=""))
    locked(path, model="scripted/other", params={"seed": 3}, prompt="../prompts/short.prompty", method={"samples": 3})
    judge = load_judge(str(path))
    assert (judge.model.name, judge.model.params) == ("scripted/other", {"seed": 3})
    assert judge.prompt.path is not None and judge.prompt.path.name == "short.prompty"
    assert judge.method.samples == 3
    assert judge.lock is not None


def test_without_its_lock_the_file_holds(tmp_path: Path) -> None:
    path = project(tmp_path)
    before = load_judge(str(path))
    locked(path, model="scripted/other", method={"samples": 3})
    judge = load_judge(str(path), locked=False)
    assert judge.lock is None and judge.fingerprint == before.fingerprint


def test_a_locked_model_is_asked_at_the_server_that_the_project_gives_it(tmp_path: Path) -> None:
    path = project(tmp_path, model="cheap")
    (tmp_path / "llmkit.toml").write_text('[aliases]\ncheap = "openai/m@http://127.0.0.1:1/v1"\n')
    locked(path, model="openai/m")
    assert load_judge(str(path)).model.options == {"base_url": "http://127.0.0.1:1/v1"}


def test_locked_examples_come_from_the_labels(tmp_path: Path) -> None:
    path = project(tmp_path, labels={"file": "labels.jsonl"})
    rows = [{"id": str(n), "input": "q", "answer": f"x{n}", "label": "pass" if n % 2 else "fail"} for n in range(6)]
    (path.parent / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    locked(path, few_shot=("3", "2"))
    examples = load_judge(str(path)).examples
    assert [(e.subject.id, e.subject.answer, e.label) for e in examples] == [("3", "x3", "pass"), ("2", "x2", "fail")]


def test_a_locked_example_that_is_gone_is_told(tmp_path: Path) -> None:
    path = project(tmp_path, labels={"file": "labels.jsonl"})
    (path.parent / "labels.jsonl").write_text('{"id": "1", "input": "q", "answer": "x", "label": "pass"}\n')
    locked(path, few_shot=("9",))
    with pytest.raises(DocumentError, match=r"locked example '9' has no label any more.*judge calibrate relevance"):
        load_judge(str(path))


def test_a_lock_that_was_edited_does_not_change_how_the_judge_is_asked(tmp_path: Path) -> None:
    path = project(tmp_path)
    locked(path)
    file = lock_path(path)
    file.write_text(file.read_text().replace("scripted/judge", "scripted/other"))
    with pytest.raises(DocumentError) as failed:
        load_judge(str(path))
    assert "relevance.lock" in said(failed.value) and "llmkit judge calibrate relevance" in said(failed.value)
    assert load_judge(str(path), locked=False).model.name == "scripted/judge"


def test_another_judges_lock_is_refused(tmp_path: Path) -> None:
    path = project(tmp_path)
    write_lock(lock_path(path), lock(judge="other"))
    with pytest.raises(DocumentError, match="the lock of the judge 'other'"):
        load_judge(str(path))


def test_a_locked_prompt_that_is_gone_is_told_of_the_lock(tmp_path: Path) -> None:
    path = project(tmp_path)
    locked(path, prompt="../prompts/gone.prompty")
    with pytest.raises(DocumentError, match=r"relevance\.lock: no prompt file"):
        load_judge(str(path))


def test_all_judges_of_a_project_are_found(tmp_path: Path) -> None:
    path = project(tmp_path)
    (tmp_path / "judges" / "grid.yaml").write_text("few_shot: [0, 4]\n")
    (tmp_path / "judges" / "broken.yaml").write_text("kind: [\n")
    assert find_judges(tmp_path) == [tmp_path / "judges" / "broken.yaml", path]
    assert find_judges(tmp_path / "nowhere") == []


def test_two_judges_that_ask_alike_are_one_definition_wherever_they_lie(tmp_path: Path) -> None:
    one, two = judge_of(tmp_path / "x"), judge_of(tmp_path / "y")
    assert one.fingerprint == two.fingerprint
    assert judge_of(tmp_path / "z", guideline="Other.").fingerprint != one.fingerprint


def test_a_file_that_was_edited_since_is_asked_as_it_says(tmp_path: Path) -> None:
    path = project(tmp_path)
    locked(path, method={"samples": 3}, params={"temperature": 1.0})
    path.write_text(path.read_text("utf-8") + "\n# another word\n", "utf-8")
    judge = load_judge("relevance", folder=tmp_path)
    assert (judge.method.samples, dict(judge.model.params)) == (1, {})
    assert judge.lock is not None  # and `judge check` calls it stale


@pytest.mark.parametrize("named", ["relevance", "judges/relevance.yaml"])
def test_a_lock_without_its_definition_is_told_wherever_the_judge_is_named(tmp_path: Path, named: str) -> None:
    path = project(tmp_path)
    locked(path)
    path.unlink()
    with pytest.raises(DocumentError) as failed:
        load_judge(named, folder=tmp_path, where="s.yaml:3")
    found = said(failed.value)
    assert found.startswith("s.yaml:3: the definition relevance.yaml is missing: ")
    assert "relevance.lock is a lock without its definition. Restore relevance.yaml, as from git" in found
    assert "judge new" not in found
