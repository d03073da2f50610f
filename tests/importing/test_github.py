"""GitHub's prompt files as suites."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from llmkit.errors import DocumentError
from tests.importing.conftest import Made

Make = Callable[..., Made]
FILE = """\
name: Summarise
description: Short ones
model: openai/gpt-4o-mini
modelParameters: {temperature: 0.2, maxTokens: 50, topP: 0.9}
messages:
  - {role: system, content: "Keep {% this %} and {{ these"}
  - {role: user, content: "Sum up {{input}}, {{ input }}"}
testData:
  - {input: "Cats are {{small}}.", expected: Cats}
  - {input: Dogs, expected: Dogs}
evaluators:
  - {name: Starts well, string: {startsWith: 'Summary -'}}
  - {name: has it, string: {contains: 'cats', equals: ''}}
"""


def test_a_prompt_file_becomes_a_suite_with_its_rows_and_checks(made: Make) -> None:
    it = made("s.prompt.yml", FILE)
    assert it.found.whole and it.found.format == "github"
    assert it.suite.model == "openai/gpt-4o-mini"
    assert it.suite.params == {"temperature": 0.2, "max_tokens": 50, "top_p": 0.9}
    assert it.messages() == [
        ("system", "Keep {% this %} and {{ these"),
        ("user", "Sum up Cats are {{small}}., Cats are {{small}}."),
    ]
    assert [sample.references for sample in it.samples] == [("Cats",), ("Dogs",)]
    assert [scorer.name for scorer in it.suite.scorers] == ["Starts-well", "has-it"]


def test_evaluators_compare_as_githubs_own_do(made: Make) -> None:
    from llmkit.scoring import Item
    from llmkit.types import Score

    starts, has = made("s.prompt.yml", FILE).suite.scorers
    assert starts.score([Item("  summary - x"), Item("A Summary - x")]) == [Score(1.0), Score(0.0)]
    assert has.score([Item("CATS"), Item("dogs")]) == [Score(1.0), Score(0.0)]
    exact = FILE.replace("{contains: 'cats', equals: ''}", "{equals: 'Cats', contains: x}")
    it = made("e.prompt.yml", exact.replace("name: Summarise", "name: Exact"))
    assert it.suite.scorers[1].score([Item(" Cats\n"), Item("cats")]) == [Score(1.0), Score(0.0)]
    assert it.whats("note") == ["evaluator has it: contains"]


@pytest.mark.parametrize(
    ("evaluator", "what"),
    [
        ("{name: like, uses: github/similarity}", "evaluator like: github/similarity"),
        ("{name: asked, llm: {modelId: a, prompt: b, choices: []}}", "evaluator asked: llm"),
        ("{name: none, string: {}}", "evaluator none"),
        ("seven", "evaluator"),
    ],
)
def test_other_evaluators_are_listed(made: Make, evaluator: str, what: str) -> None:
    it = made("s.prompt.yml", f"{FILE}  - {evaluator}\n")
    (item,) = it.items("lost")
    assert (item.what, item.where) == (what, "s.prompt.yml:14")
    assert not it.found.whole


def test_a_variable_that_a_row_lacks_stays_text_as_there(made: Make) -> None:
    text = FILE.replace("Sum up {{input}}", "Sum up {{ persona }}: {{missing}} {{input}}")
    it = made("s.prompt.yml", text.replace("{input: Dogs,", "{input: Dogs, persona: Ada,"))
    asked = [it.messages(index)[1][1] for index in (0, 1)]
    assert [text.split(" {{missing}}")[0] for text in asked] == ["Sum up {{ persona }}:", "Sum up Ada:"]
    assert all("{{missing}}" in text for text in asked)
    assert [(item.what, item.where, item.why[:13]) for item in it.items("changed")] == [
        ("variable persona", "s.prompt.yml:7", "1 of 2 rows d"), ("variable missing", "s.prompt.yml:7", "no row has it")
    ]  # fmt: skip


def test_parameters_that_github_does_not_read_are_named_as_llmkit_has_them(made: Make) -> None:
    it = made(
        "s.prompt.yml", FILE.replace("{temperature: 0.2", "{stop: [X], frequencyPenalty: 1, beams: 2, temperature: 0.2")
    )
    assert it.whats("lost") == [f"modelParameters: {key}" for key in ("stop", "frequencyPenalty", "beams")]
    stop, penalty, beams = it.items("lost")
    assert 'params: {stop: ["X"]}' in stop.todo and "params: {frequency_penalty: 1}" in penalty.todo
    assert "no parameter of llmkit" in beams.why


@pytest.mark.parametrize("model", ["meta/llama-3", "some-model"])
def test_a_model_that_github_alone_served_is_left_to_the_user(made: Make, model: str) -> None:
    it = made("s.prompt.yml", FILE.replace("openai/gpt-4o-mini", model))
    assert it.whats("changed") == [f"model: {model}"]
    assert it.suite.model is None
    assert it.found.next.endswith("-m MODEL")


def test_a_schema_becomes_the_form_that_is_asked_for_once(made: Make) -> None:
    schema = {"name": "x", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
    it = made("s.prompt.yml", f"{FILE}responseFormat: json_schema\njsonSchema: '{json.dumps(schema)}'\n")
    assert it.found.whole
    assert it.suite.form is not None
    assert (it.suite.form.strategy, it.suite.form.policy.max_attempts) == ("native", 1)
    assert json.loads(Path("out/Summarise.schema.json").read_text("utf-8")) == schema["schema"]
    it = made("j.prompt.yml", f"{FILE}responseFormat: json_object\n".replace("Summarise", "J"))
    assert it.whats("changed") == ["responseFormat: json_object"]
    assert [scorer.name for scorer in it.suite.scorers][-1] == "json_valid"


def test_without_rows_the_user_gives_them(made: Make) -> None:
    text = FILE.replace("testData:", "testdata:")
    it = made("s.prompt.yml", text)
    assert it.whats("lost") == ["testData", "testdata"]
    assert it.found.next == "llmkit eval out/Summarise.yaml --data FILE"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("messages:", "mesages:"), "messages are missing"),
        (("role: system", "role: tool"), "s.prompt.yml:6: a message is"),
        (("evaluators:", "evaluator:"), "none of its evaluators can be carried over"),
        (("name: Summarise", "jsonSchema: '{'\nresponseFormat: json_schema"), "jsonSchema is not JSON"),
    ],
)
def test_what_a_suite_cannot_do_without_is_one_line(made: Make, change: tuple[str, str], words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        made("s.prompt.yml", FILE.replace(*change))
    assert words in str(caught.value)
