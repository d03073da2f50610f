"""A grid of models, prompts, examples, methods and parameters becomes a list of judges."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmkit.calibration.candidates import candidates, examples_needed, provider_of, read_grid
from llmkit.config import load_settings
from llmkit.errors import DocumentError, UnknownNameError, UsageError
from llmkit.judges.labels import Labelled
from llmkit.judges.subject import Subject
from llmkit.providers.scripted import Scripted
from llmkit.shipped import shipped
from tests.judges.project import judge_of

POOL = [Labelled(Subject(f"s{i}", answer=f"answer {i}"), "pass" if i % 2 else "fail") for i in range(4)]


def grid_in(folder: Path, **said):
    path = folder / "grid.yaml"
    path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in said.items()))
    return read_grid(path)


def found(folder: Path, pool=POOL, kind="pass_fail", settings=None, **said):
    judge = judge_of(folder, kind=kind)
    return candidates(judge, grid_in(folder, **said), pool, settings=settings or load_settings(folder))


def test_without_a_grid_the_judge_is_the_only_candidate(tmp_path):
    judge = judge_of(tmp_path)
    (only,) = candidates(judge, None, POOL, settings=load_settings(tmp_path))
    assert only.judge is judge
    assert (only.name, only.settings) == ("scripted/judge", {})


def test_every_combination_is_a_candidate_after_the_judge_itself(tmp_path):
    listed = found(tmp_path, model=["scripted/x", "scripted/y"], few_shot=[0, 2])
    assert [each.name for each in listed] == [
        "judge · 0 shots",
        "x · 0 shots",
        "x · 2 shots",
        "y · 0 shots",
        "y · 2 shots",
    ]
    assert listed[3].settings == {"model": "scripted/y", "few_shot": 0}
    assert listed[3].judge.model.name == "scripted/y"


def test_only_what_differs_is_named(tmp_path):
    listed = found(tmp_path, method=[{"reason": "after"}, {"reason": "none"}], model=["scripted/judge"])
    assert [each.name for each in listed] == ["reason before", "reason after", "reason none"]


def test_what_equals_the_judge_is_no_second_candidate(tmp_path):
    listed = found(tmp_path, few_shot=[0, 0, 1], method=[{}, {"samples": 1}])
    assert [each.name for each in listed] == ["0 shots", "1 shot"]


def test_all_show_the_first_of_the_same_examples(tmp_path):
    *_, two, three = found(tmp_path, few_shot=[2, 3])
    assert [example.subject.id for example in three.judge.examples] == ["s0", "s1", "s2"]
    assert three.judge.examples[:2] == two.judge.examples


def test_the_few_shot_part_must_hold_the_largest_number(tmp_path):
    judge, grid = judge_of(tmp_path), grid_in(tmp_path, few_shot=[0, 4, 2])
    assert examples_needed(grid, judge) == 4
    assert examples_needed(None, judge) == 0


def test_more_examples_than_there_are_is_an_error_on_its_line(tmp_path):
    with pytest.raises(DocumentError, match=r"grid.yaml:2: 5 examples are wanted, and 4 labelled items may be shown"):
        found(tmp_path, model=["scripted/judge"], few_shot=[5])


def test_parameters_go_over_the_judges_own(tmp_path):
    listed = found(tmp_path, params=[{"temperature": 0.5}, {"temperature": 1.0, "max_tokens": 20}])
    assert [dict(each.judge.model.params) for each in listed[1:]] == [
        {"temperature": 0.5},
        {"temperature": 1.0, "max_tokens": 20},
    ]
    assert listed[1].name == "temperature 0.5 · max_tokens as set elsewhere"


def test_a_prompts_own_parameters_come_with_it_and_the_judges_go_first(tmp_path):
    text = shipped("prompts", "judges/pass_fail.prompty").read_text()
    warm = text.replace("---\n", "---\nmodel: {options: {temperature: 0.9, maxOutputTokens: 7}}\n", 1)
    judge = judge_of(tmp_path, params={"temperature": 0.1})
    (tmp_path / "prompts" / "warm.prompty").write_text(warm)
    grid = grid_in(tmp_path, prompt=["prompts/warm.prompty"])
    _, other = candidates(judge, grid, POOL, settings=load_settings(tmp_path))
    assert dict(other.judge.model.params) == {"temperature": 0.1, "max_tokens": 7}


def test_an_unknown_parameter_is_named_on_its_line_with_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match=r"grid.yaml:1: .*'temprature'.*temperature"):
        found(tmp_path, params=[{"temprature": 0.5}])


def test_an_alias_with_settings_of_its_own_is_another_candidate_of_the_same_model(tmp_path):
    (tmp_path / "llmkit.toml").write_text(
        '[aliases]\nsame = "scripted/judge"\nwarm = "scripted/judge"\n[models.warm]\ntemperature = 0.7\n'
    )
    listed = found(tmp_path, model=["same", "warm"])
    assert [each.judge.model.params.get("temperature") for each in listed] == [
        listed[0].judge.model.params.get("temperature"),
        0.7,
    ]


def test_aliases_are_those_of_the_project(tmp_path):
    (tmp_path / "llmkit.toml").write_text('[aliases]\nsmall = "scripted/tiny"\n')
    judge = judge_of(tmp_path)
    (tmp_path / "llmkit.toml").write_text('[aliases]\nsmall = "scripted/tiny"\n')
    listed = candidates(judge, grid_in(tmp_path, model=["small"]), POOL, settings=load_settings(tmp_path))
    assert listed[1].judge.model.name == "scripted/tiny"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("openai/x@http://evil.example", "may not name a server"),
        ("gpt-4o", "unknown model 'gpt-4o'"),
        ("opnai/x", "openai"),
    ],
)
def test_a_model_that_cannot_be_meant_is_an_error_on_its_line(tmp_path, model, said):
    with pytest.raises(UsageError, match=rf"grid.yaml:1.*{said}"):
        found(tmp_path, model=[model])


def test_prompts_are_named_from_the_grid_on(tmp_path):
    text = shipped("prompts", "judges/pass_fail.prompty").read_text()
    judge_of(tmp_path)
    (tmp_path / "prompts" / "strict.prompty").write_text(text + "\nBe strict.\n")
    listed = found(tmp_path, prompt=["prompts/strict.prompty", "prompts/relevance.prompty"])
    assert [each.name for each in listed] == ["relevance.prompty", "strict.prompty"]


def test_a_prompt_that_is_not_there_is_named_with_the_nearest(tmp_path):
    with pytest.raises(DocumentError, match=r"grid.yaml:1: no prompt file .*relevance\.prompty'\?"):
        found(tmp_path, prompt=["prompts/relevence.prompty"])


@pytest.mark.parametrize("name", ["../outside.prompty", "llmkit.toml", "/etc/x.prompty"])
def test_a_prompt_lies_in_the_project(tmp_path, name):
    with pytest.raises(DocumentError, match=r"grid.yaml:1"):
        found(tmp_path / "project", prompt=[name])


def test_a_prompt_must_show_what_is_judged(tmp_path):
    judge_of(tmp_path)
    (tmp_path / "prompts" / "blind.prompty").write_text("---\nname: blind\n---\nuser:\n{{criterion}}\n")
    with pytest.raises(DocumentError, match="does not show the judge 'answer'"):
        found(tmp_path, prompt=["prompts/blind.prompty"])


def test_a_method_of_another_kind_is_an_error_on_its_line(tmp_path):
    with pytest.raises(DocumentError, match=r"grid.yaml:1: swap is for kind: pairwise"):
        found(tmp_path, method=[{}, {"swap": True}])


@pytest.mark.parametrize("method", [{"logprobs": True, "samples": 3}, {"logprobs": True, "reason": "after"}])
def test_methods_that_contradict_themselves_are_errors(tmp_path, method):
    with pytest.raises(DocumentError, match=r"grid.yaml:1: logprobs goes with"):
        found(tmp_path, method=[method])


def mute():
    """A model that gives no log-probabilities, as that of a judge."""
    model = Scripted("judge", function=str)
    model.capabilities = replace(model.capabilities, logprobs=False)
    return {"scripted/judge": model}


def test_what_a_model_cannot_do_is_told_with_the_line_that_asks_for_it(tmp_path):
    own, tried = found(tmp_path, method=[{"reason": "before"}, {"reason": "none", "logprobs": True}])
    assert provider_of(own, mute()).model == "judge"
    with pytest.raises(UsageError, match=r"grid.yaml:1: scripted/judge gives no log-probabilities.*Leave logprobs out"):
        provider_of(tried, mute())
    _, other = found(tmp_path, few_shot=[0], model=["scripted/judgement"])
    with pytest.raises(UsageError, match=r"grid.yaml:2: unknown scripted model 'judgement'"):
        provider_of(other, {})


def test_what_the_judges_own_model_cannot_do_is_told_with_the_judges_line(tmp_path):
    judge = judge_of(tmp_path, method={"logprobs": True})
    (only,) = candidates(judge, None, POOL, settings=load_settings(tmp_path))
    with pytest.raises(UsageError, match=r"relevance.yaml:6: .* gives no log-probabilities.*method.logprobs: false"):
        provider_of(only, mute())
    with pytest.raises(UsageError, match=r"relevance.yaml:4: unknown scripted model 'judge'"):
        provider_of(only, {})


def test_a_grid_with_nothing_in_it_is_an_error(tmp_path):
    (tmp_path / "grid.yaml").write_text("{}\n")
    with pytest.raises(DocumentError, match="names nothing to try"):
        read_grid(tmp_path / "grid.yaml")


def test_a_misspelt_key_is_named_with_the_nearest(tmp_path):
    with pytest.raises(DocumentError, match=r"grid.yaml:1: .*models.*model"):
        grid_in(tmp_path, models=["scripted/x"])


def test_too_many_candidates_are_an_error(tmp_path):
    with pytest.raises(DocumentError, match="more than 200 candidates"):
        found(tmp_path, model=[f"scripted/m{i}" for i in range(201)])
