"""Configurations of promptfoo as suites."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import DocumentError
from llmkit.importing.promptfoo.asserting import from_text
from llmkit.suites.load import load_suites
from tests.importing.conftest import Made

Make = Callable[..., Made]
ONE = "prompts: ['Capital of {{country}}?']\n"
FRANCE = ONE + "tests:\n- vars: {country: France}\n  assert: [ASSERT]\n"


def rows(it: Made) -> list[dict[str, Any]]:
    (path,) = (name for name in it.found.files if name.endswith(".jsonl"))
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def checks(it: Made) -> list[dict[str, Any]]:
    return list(rows(it)[0]["checks"])


def test_a_configuration_becomes_a_suite_whose_rows_bring_their_checks(made: Make) -> None:
    text = ONE + (
        "description: Capitals\nproviders: [{id: 'openai:chat:gpt-4o', config: {temperature: 0, max_tokens: 9}}]\n"
        "tests:\n- {vars: {country: France}, assert: [{type: contains, value: Paris}]}\n"
        "- {description: hard, vars: {country: Peru}, assert: [{type: not-icontains, value: SORRY}]}\n"
    )
    it = made("capitals.yaml", text)
    assert it.found.whole and it.found.format == "promptfoo"
    assert it.found.next == "llmkit eval out/capitals.yaml"
    assert (it.suite.model, it.suite.params) == ("openai/gpt-4o", {"temperature": 0.0, "max_tokens": 9})
    assert it.messages(1) == [("user", "Capital of Peru?")]
    assert rows(it) == [
        {"id": "1", "country": "France", "checks": [{"contains": "Paris"}]},
        {"id": "2", "description": "hard", "country": "Peru",
         "checks": [{"contains": "SORRY", "ignore_case": True, "not": True}]},
    ]  # fmt: skip
    (scorer,) = it.suite.scorers
    assert scorer.name == "checks"


@pytest.mark.parametrize(
    ("said", "check"),
    [
        ("{type: equals, value: a}", {"equals": "a"}),
        ("{type: equals, value: {a: [1]}}", {"equals_json": {"a": [1]}}),
        ("{type: equals, value: 5}", {"equals": "5"}),
        ("{type: icontains, value: a}", {"contains": "a", "ignore_case": True}),
        ("{type: contains-any, value: [a, b]}", {"contains_any": ["a", "b"]}),
        ("{type: contains-all, value: 'a, b'}", {"contains_all": ["a", "b"]}),
        ("{type: icontains-all, value: [a]}", {"contains_all": ["a"], "ignore_case": True}),
        ("{type: starts-with, value: a}", {"starts_with": "a"}),
        ("{type: not-regex, value: '^a+$'}", {"regex": "^a+$", "not": True}),
        ("{type: is-json}", {"is_json": True}),
        ("{type: is-json, value: {type: object}}", {"is_json": {"type": "object"}}),
        ('{type: contains-json, value: \'{"type": "array"}\'}', {"contains_json": {"type": "array"}}),
        ("{type: equals, value: 'the {{country}}'}", {"equals": "the France"}),
        ("{type: equals, value: 'file://right.txt'}", {"equals": "from a file"}),
        ("{$ref: '#/assertionTemplates/short'}", {"regex": "^.{1,9}$"}),
        ("{type: assert-set, assert: [{type: equals, value: a}]}", {"equals": "a"}),
    ],
)
def test_assertions_that_a_program_can_check_become_checks(made: Make, said: str, check: dict[str, Any]) -> None:
    text = FRANCE.replace("ASSERT", said) + "assertionTemplates: {short: {type: regex, value: '^.{1,9}$'}}\n"
    it = made("capitals.yaml", text, right__txt="from a file\n")
    assert checks(it) == [check]
    assert it.found.whole


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{type: llm-rubric, value: polite}", "a model's verdict is a judge's here"),
        ("{type: similar, value: a, threshold: 0.8}", "a model's verdict is a judge's here"),
        ("{type: javascript, value: output.length < 9}", "it is code"),
        ("{type: python, value: 'file://check.py'}", "it is code"),
        ("{type: equals, value: 'file://check.js'}", "its value is code"),
        ("{type: latency, threshold: 9}", "what an answer takes is no score"),
        ("{type: levenshtein, value: a}", "llmkit has no check of this type"),
        ("{type: regex, value: '(?<=a+)('}", "not a regular expression"),
        ("{type: is-json, value: {type: 7}}", "not a JSON Schema"),
        ("{type: equals, value: 'file://gone.txt'}", "no file"),
        ("{type: equals, value: 'file://../secret.txt'}", "leads out of the project"),
        ("{type: equals, value: '{{unknown}}'}", "'unknown' is not in the row"),
        ("{type: assert-set, threshold: 0.5, assert: []}", "all checks of a row must hold"),
        ("{$ref: '#/assertionTemplates/none'}", "it is no assertion, or refers to none"),
        ("{type: contains}", "it needs a text"),
        ("{type: contains, value: a, transform: output.b}", "it is code that makes another answer"),
    ],
)
def test_others_are_listed_with_their_place(made: Make, said: str, why: str) -> None:
    it = made("capitals.yaml", FRANCE.replace("ASSERT", said + ", {type: contains, value: Paris}"))
    (item,) = it.items("lost")
    assert item.where == "capitals.yaml:3"
    assert why in item.why
    assert checks(it) == [{"contains": "Paris"}]


def test_a_test_of_which_nothing_can_be_checked_is_no_row(made: Make) -> None:
    text = FRANCE.replace("ASSERT", "{type: llm-rubric, value: polite}")
    it = made("capitals.yaml", text + "- {vars: {country: Peru}, assert: [{type: equals, value: Lima}]}\n")
    assert [row["country"] for row in rows(it)] == ["Peru"]
    assert it.whats("lost") == ["assert llm-rubric", "test"]
    with pytest.raises(DocumentError, match="none of its tests has a check"):
        made("capitals.yaml", text)


def test_what_holds_for_all_tests_stands_below_each(made: Make) -> None:
    text = (
        "prompts: ['{{style}} {{country}}']\n"
        "defaultTest: {vars: {style: briefly}, assert: [{type: not-contains, value: sorry}],"
        " options: {prefix: 'Say ', suffix: '!'}}\n"
        "tests:\n- vars: {country: France}\n  assert: [{type: equals, value: Paris}]\n"
        "- vars: {country: Peru, style: long}\n"
    )
    it = made("capitals.yaml", text)
    assert [len(row["checks"]) for row in rows(it)] == [2, 1]
    assert it.messages(0) == [("user", "Say briefly France!")]
    assert it.messages(1) == [("user", "Say long Peru!")]


def test_a_variable_that_a_test_does_not_set_is_empty_as_there(made: Make) -> None:
    text = (
        "prompts: ['{% if hint %}Hint: {{hint}}. {% endif %}{{q}} {{rest}}{{ t | default(\"!\") }}{{description}}']\n"
        "defaultTest: {assert: [{type: contains, value: a}]}\n"
        "tests:\n- vars: {q: One, hint: small}\n- {description: second, vars: {q: Two}}\n"
    )
    it = made("c.yaml", text)
    assert [it.messages(index) for index in (0, 1)] == [[("user", "Hint: small. One !")], [("user", "Two !")]]
    assert [(item.what, item.where) for item in it.items("note")] == [
        ("vars: description", "c.yaml:4"), ("vars: hint", "c.yaml:5"), ("vars: rest", "c.yaml:4")
    ]  # fmt: skip
    assert it.found.whole


@pytest.mark.parametrize(
    ("prompt", "why"),
    [("Say {{x}} {{env.HOME}}", "it uses 'env'"), ("{{_conversation}}", "it uses '_conversation'"),
     ("{{id}}", "variable 'id'"), ("{{ x | dumb }}", "'dumb'")],
)  # fmt: skip
def test_a_prompt_that_no_row_can_fill_is_listed(made: Make, prompt: str, why: str) -> None:
    tests = "tests: [{vars: {x: a}, assert: [{type: equals, value: a}]}]\n"
    it = made("c.yaml", f"prompts:\n- '{{{{x}}}}'\n- '{prompt}'\n{tests}")
    (item,) = it.items("lost")
    assert item.where == "c.yaml:3" and why in item.why
    assert it.messages() == [("user", "a")]
    with pytest.raises(DocumentError, match=f"^d.yaml:2: none of its prompts can be carried over: prompt: .*{why}"):
        made("d.yaml", f"prompts:\n- '{prompt}'\n{tests}")


def test_a_prompt_that_fails_on_a_row_is_listed(made: Make) -> None:
    text = "prompts: ['{{x.length}}']\ntests:\n- {vars: {x: abc}, assert: [{type: equals, value: a}]}\n"
    (item,) = made("c.yaml", text).items("lost")
    assert (item.where, item.what) == ("c.yaml:3", "prompt") and "length" in item.why


@pytest.mark.parametrize("named", ["gen.py", "file://gen.py", "file://gen.py:make", "gone.js", "gen.py:make"])
def test_a_prompt_that_code_makes_is_listed_however_it_is_named(made: Make, named: str) -> None:
    text = f"prompts: ['{named}', 'Say gen.py', two.*]\ntests: [{{assert: [{{type: equals, value: a}}]}}]\n"
    it = made("c.yaml", text, gen__py="raise SystemExit", two__txt="Two")
    (item,) = it.items("lost")
    assert "it is code" in item.why and item.why.startswith(named.removeprefix("file://"))
    assert len(load_suites(it.found.suite)) == 2


def test_a_long_question_is_a_prompt_and_no_file(made: Make) -> None:
    text = f"prompts: ['{'Why? ' * 100}']\ntests: [{{assert: [{{type: equals, value: a}}]}}]\n"
    assert made("c.yaml", text).found.whole


def test_what_names_prompts_models_and_graders_is_noted(made: Make) -> None:
    text = (
        "prompts: [{id: one, label: First, raw: 'Hi {{x}}'}]\nproviders: [{id: openai:a, label: A}]\n"
        "defaultTest: {options: {provider: openai:gpt-4o, rubricPrompt: z}}\n"
        "tests: [{vars: {x: a}, assert: [{type: equals, value: a}]}]\n"
    )
    it = made("c.yaml", text)
    assert it.found.whole
    assert it.whats("note") == [
        "options: provider", "options: rubricPrompt", "provider openai:a: label", "prompt id: one",
        "prompt label: First",
    ]  # fmt: skip


def test_providers_keep_their_lines_behind_one_that_says_more(made: Make) -> None:
    text = FRANCE.replace("ASSERT", "{type: equals, value: a}")
    it = made("c.yaml", text + "providers:\n- {id: openai:a, prompts: [p], env: {}}\n- exec:./x.sh\n- python:prov.py\n")
    assert [item.where for item in it.items("changed")] == ["c.yaml:7", "c.yaml:8"]
    assert [item.where for item in it.items("lost")] == ["c.yaml:6", "c.yaml:6"]


def test_patterns_name_files_of_tests(made: Make) -> None:
    files = {"more1__csv": "country,__expected\nJapan,Tokyo\n", "more2__csv": "country,__expected\nPeru,Lima\n"}
    for tests in ("file://more*.csv", "['file://more?.csv']", "more*.csv"):
        it = made(f"c{len(tests)}.yaml", f"{ONE}tests: {tests}\n", **files)
        assert [row["country"] for row in rows(it)] == ["Japan", "Peru"]
    with pytest.raises(DocumentError, match=r"has a check that can be carried over: tests: no\*.csv: no file is named"):
        made("d.yaml", f"{ONE}tests: no*.csv\n")


def test_lists_of_values_are_multiplied_and_scenarios_are_combined(made: Make) -> None:
    both = (
        "prompts: ['{{a}}{{b}}']\ndefaultTest: {assert: [{type: contains, value: x}]}\n"
        "tests: [{vars: {a: [1, 2], b: [3, 4]}}]\n"
        "scenarios: [{config: [{vars: {a: s}}, {vars: {a: t}}], tests: [{vars: {b: u}}]}]\n"
    )
    it = made("both.yaml", both)
    assert [f"{row['a']}{row['b']}" for row in rows(it)] == ["13", "14", "23", "24", "su", "tu"]


def test_tests_of_tables_are_read_column_by_column(made: Make) -> None:
    table = "country,__expected,__expected2,__description,__threshold\n"
    table += "Japan,icontains:tokyo,not-contains:sorry,jp,\nPeru,Lima,,,\n"
    it = made("capitals.yaml", ONE + "tests: file://more.csv\n", more__csv=table)
    assert [row["checks"] for row in rows(it)] == [
        [{"contains": "tokyo", "ignore_case": True}, {"contains": "sorry", "not": True}],
        [{"equals": "Lima"}],
    ]
    more = "[{vars: {country: Peru}, assert: [{type: equals, value: Lima}]}]"
    assert rows(made("b.yaml", ONE + "tests: [file://more.yaml]\n", more__yaml=more))[0]["country"] == "Peru"


@pytest.mark.parametrize(
    ("text", "assertion"),
    [
        ("Lima", {"type": "equals", "value": "Lima"}),
        ("contains-any: a, b", {"type": "contains-any", "value": "a, b"}),
        ("not-similar(0.8):a", {"type": "not-similar", "value": "a"}),
        ("is-json", {"type": "is-json"}),
        ("fn:output", {"type": "javascript", "value": "output"}),
        ("grade:polite", {"type": "llm-rubric", "value": "polite"}),
        ("note: this", {"type": "equals", "value": "note: this"}),
    ],
)
def test_a_tables_assertion_is_a_type_and_a_value(text: str, assertion: dict[str, str]) -> None:
    assert from_text(text) == assertion


def test_tests_that_code_makes_are_listed(made: Make) -> None:
    text = (
        ONE + "tests: [file://make.py, 'https://x/sheet', {vars: {country: A}, assert: [{type: equals, value: B}]}]\n"
    )
    it = made("capitals.yaml", text)
    assert it.whats("lost") == ["tests: file://make.py", "tests: https://x/sheet"]


def test_several_prompts_are_several_suites_over_the_same_rows(made: Make) -> None:
    chat = json.dumps([{"role": "system", "content": "Be {{how}}"}, {"role": "user", "content": "{{country}}?"}])
    text = (
        "prompts: [file://chat.json, file://two.txt, file://code.py]\n"
        "tests: [{vars: {country: Peru, how: brief}, assert: [{type: equals, value: Lima}]}]\n"
    )
    it = made("c.yaml", text, chat__json=chat, two__txt="A {{country}}\n---\nB {{country}}\n", code__py="x")
    suites = load_suites(it.found.suite)
    assert [suite.name for suite in suites] == ["c-1", "c-2", "c-3"]
    assert [len(suite.render({"country": "Peru", "how": "brief"})) for suite in suites] == [2, 1, 1]
    assert it.whats("lost") == ["prompt"]


@pytest.mark.parametrize(
    ("provider", "model", "todo"),
    [
        ("openai:gpt-4o", "openai/gpt-4o", ""),
        ("openai:responses:gpt-5", "openai/gpt-5", ""),
        ("anthropic:messages:claude-x", "anthropic/claude-x", ""),
        ("echo", "scripted/echo", ""),
        ("ollama:chat:llama3", None, "-m openai/llama3@http://localhost:11434/v1"),
        ("bedrock:x", None, "Name a model with -m provider/model"),
        ("file://mine.py", None, "Name a model with -m provider/model"),
    ],
)
def test_models_have_llmkits_names(made: Make, provider: str, model: str | None, todo: str) -> None:
    text = FRANCE.replace("ASSERT", "{type: equals, value: a}") + f"providers: ['{provider}', openai:other]\n"
    it = made("c.yaml", text)
    assert it.suite.model == (model or "openai/other")
    assert [item.todo for item in it.items("changed")] == ([todo] if todo else [])


def test_what_llmkit_has_nothing_of_is_listed_and_what_matters_not_is_noted(made: Make) -> None:
    more = "redteam: {purpose: x}\nsharing: true\nevaluateOptions: {repeat: 3, maxConcurrency: 2}\n"
    more += "nunjucksFilters: {a: b.js}\n"
    it = made("c.yaml", FRANCE.replace("ASSERT", "{type: equals, value: a}") + more)
    assert it.whats("lost") == ["redteam", "nunjucksFilters"]
    assert it.whats("note") == ["maxConcurrency", "sharing"]
    assert it.suite.epochs == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prompts: [file://gone.txt]\ntests: [{assert: [{type: equals, value: a}]}]\n", "none of its prompts"),
        (
            FRANCE.replace("ASSERT", "{type: equals, value: a}").replace("country: F", "id: 7, country: F"),
            "variable 'id'",
        ),
    ],
)
def test_what_a_suite_cannot_do_without_is_one_line(made: Make, text: str, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        made("c.yaml", text)
    assert words in str(caught.value)
    assert not Path("out").exists()


def test_values_multiplied_without_bound_are_refused(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkit.importing.promptfoo.testing.MOST_ROWS", 8)
    with pytest.raises(DocumentError, match="more than 8 tests"):
        made("c.yaml", f"{ONE}tests: [{{vars: {{country: [1, 2, 3], b: [1, 2, 3]}}}}]\n")


def test_a_test_whose_answers_code_changes_first_is_no_row(made: Make) -> None:
    text = FRANCE.replace("ASSERT", "{type: equals, value: Paris}")
    text += "- {vars: {country: Peru}, options: {transform: output.x}, assert: [{type: equals, value: Lima}]}\n"
    it = made("c.yaml", text + "providers: [{id: openai:a, transform: output.y}]\n")
    assert [row["country"] for row in rows(it)] == ["France"]
    assert it.whats("lost") == ["options: transform", "provider openai:a: transform"]
