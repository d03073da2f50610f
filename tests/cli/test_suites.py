"""``llmkit suites``, and variants, examples and mapped fields on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmkit.suites import builtin_suites
from tests.cli.conftest import Cli

SUITE = """\
version: 1
name: add
data: add.jsonl
map: {target: answer}
messages: [{role: user, content: "{% for e in examples %}{{ e.q }}={{ e.answer }} {% endfor %}{{ q }}"}]
few_shot: {count: 0}
scorers: [exact_match]
variants: {shown: {few_shot: {count: 1}, description: With an example.}}
"""


@pytest.fixture
def suite(project: Path) -> Path:
    (project / "add.yaml").write_text(SUITE)
    (project / "add.jsonl").write_text("".join(json.dumps({"q": f"{n}+1", "answer": n + 1}) + "\n" for n in range(3)))
    return project / "add.yaml"


def test_the_list_names_each_built_in_suite(cli: Cli) -> None:
    said = cli("suites")
    assert (said.code, said.err) == (0, "")
    assert {line.split()[0] for line in said.out.splitlines() if line[2:3].strip()} >= set(builtin_suites())


def test_the_list_as_json(cli: Cli) -> None:
    found = cli("suites", "--json").json["suites"]
    assert [each["name"] for each in found] == list(builtin_suites())


def test_one_suite_and_one_variant(cli: Cli, suite: Path) -> None:
    assert cli("suites", "add.yaml", "--json").json["suite"]["variants"] == [
        {"name": "add.yaml:shown", "description": "With an example."}
    ]
    assert cli("suites", "add.yaml:shown").out.startswith("add.yaml:shown\n  With an example.\n")


def test_a_suite_of_likelihoods_shows_what_it_compares(cli: Cli) -> None:
    found = cli("suites", "winogrande:likelihood", "--json").json
    rest = "{{ sentence.split('_')[1] | trim }}"
    assert found["compares"] == {
        "choices": [rest, rest], "prefix": ["{{ option1 }}", "{{ option2 }}"], "template": "none",
    }  # fmt: skip
    assert found["params"] == {}
    shown = cli("suites", "hellaswag:likelihood").out
    assert "compares       the field endings\n" in shown
    assert "template       none: " in shown and "max_tokens" not in shown


def test_the_prompt_as_a_row_sends_it(cli: Cli, suite: Path) -> None:
    shown = cli("suites", "add.yaml", "--data", "add.jsonl", "--few-shot", "2").out
    assert "  1+1=2 2+1=3 0+1\n" in shown


def test_an_unknown_suite_or_variant_is_one_line(cli: Cli, suite: Path) -> None:
    said = cli("suites", "mmlo")
    assert (said.code, said.err.strip()) == (2, "llmkit: unknown suite 'mmlo'. Did you mean 'mmlu' or 'mmlu_pro'?")
    assert "unknown variant 'show'. Did you mean 'shown'?" in cli("suites", "add.yaml:show").err


def test_options_of_one_suite_need_one(cli: Cli) -> None:
    said = cli("suites", "--few-shot", "2")
    assert said.code == 2
    assert "Name it: llmkit suites NAME" in said.err


def test_a_variant_runs_under_its_own_name(cli: Cli, suite: Path) -> None:
    (run,) = cli("eval", "add.yaml:shown", "-m", "scripted/echo", "--json").json["runs"]
    assert run["suite"] == "add:shown"


def test_examples_are_asked_for_on_the_command_line(cli: Cli, suite: Path) -> None:
    found = cli("eval", "add.yaml", "-m", "scripted/echo", "--few-shot", "1", "--sample", "1", "-y")
    assert "1+1=2 0+1" in found.err + found.out


def test_another_number_of_examples_is_another_run(cli: Cli, suite: Path) -> None:
    digests = {
        cli("eval", "add.yaml", "-m", "scripted/echo", "--few-shot", str(count), "--json").json["runs"][0]["digest"]
        for count in (0, 1, 2)
    }
    assert len(digests) == 3


def test_fields_that_are_called_otherwise_are_mapped(cli: Cli, suite: Path, project: Path) -> None:
    (project / "mine.jsonl").write_text('{"text": "7+1", "answer": "7+1"}\n')
    said = cli("eval", "add.yaml", "-m", "scripted/echo", "--data", "mine.jsonl")
    assert said.code == 2
    assert "--map q=FIELD" in said.err
    (run,) = cli("eval", "add.yaml", "-m", "scripted/echo", "--data", "mine.jsonl", "--map", "q=text", "--json").json[
        "runs"
    ]
    assert run["metrics"]["exact_match"]["value"] == 1.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--map", "q"), "--map: 'q' maps nothing. Write NAME=FIELD: subject=topic"),
        (("--map", "q="), "--map: 'q=' maps nothing"),
        (("--map", "q=a", "--map", "q=b"), "--map: 'q' is mapped twice"),
        (("--few-shot", "101"), "less than or equal to 100"),
        (("--few-shot-data", "add.jsonl"), "--few-shot-data: the suite 'add' asks for no examples. Add --few-shot N"),
        (("--few-shot", "1", "--few-shot-data", "ad.jsonl"), "--few-shot-data: no file 'ad.jsonl'. Did you mean"),
        (("--few-shot", "5"), "the prompt shows 5 examples, and add.jsonl has 2 besides the row itself"),
    ],
)
def test_a_mistake_is_one_line(cli: Cli, suite: Path, words: tuple[str, ...], message: str) -> None:
    said = cli("eval", "add.yaml", "-m", "scripted/echo", *words)
    assert said.code in (2, 4)
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_a_plan_takes_them_too(cli: Cli, suite: Path) -> None:
    said = cli("plan", "add.yaml:shown", "-m", "scripted/echo", "--few-shot", "2", "--map", "extra=q", "--json")
    assert said.code == 0
    assert said.json["plans"][0]["suite"] == "add:shown"


def test_a_variants_answers_are_a_baseline_for_it(cli: Cli, suite: Path) -> None:
    suite.write_text(SUITE + "gate: {exact_match: {max_drop: 0.5}}\n")
    cli("eval", "add.yaml:shown", "-m", "scripted/echo", "--json")
    saved = cli("baseline", "save")
    assert "add-shown.baseline.jsonl; next: llmkit gate add.yaml:shown --baseline add-shown.baseline.jsonl" in saved.err
    said = cli("gate", "add.yaml:shown", "-m", "scripted/echo", "--baseline", "add-shown.baseline.jsonl")
    assert said.code == 0, said.err
    other = cli(
        "gate", "add.yaml:shown", "-m", "scripted/echo", "--baseline", "add-shown.baseline.jsonl", "--few-shot", "2"
    )
    assert "not the prompt that the baseline was recorded with" in other.out
