"""``llmkit prompt show``: what a prompt file sends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import SUITE, Cli

PROMPT = """\
---
name: capital
model:
  id: openai/gpt-4o-mini
  options: {maxOutputTokens: 8}
inputs:
  - {name: country, kind: string}
---
system:
Answer with one word.
user:
Capital of {{country}}?
"""


@pytest.fixture(autouse=True)
def prompt(project: Path) -> Path:
    """The suite of the project, with its question in a file."""
    path = project / "capital.prompty"
    path.write_text(PROMPT)
    inline = 'messages: [{role: user, content: "Capital of {{country}}?"}]'
    assert inline in SUITE
    text = SUITE.replace(inline, "prompt: capital.prompty").replace("model: scripted/oracle\n", "")
    (project / "capitals.yaml").write_text(text)
    return path


def test_the_exact_messages_of_a_row_its_tokens_and_price_are_shown(cli: Cli) -> None:
    said = cli("prompt", "show", "capital.prompty", "--suite", "capitals.yaml", "--row", "3")
    assert said.code == 0
    assert said.out.startswith("system\nAnswer with one word.\n\nuser\nCapital of Japan?\n")
    assert "tokens of prompt for openai/gpt-4o-mini" in said.out
    assert "price: $0.00" in said.out or "price: <$0.0001" in said.out
    assert "max_tokens = 8" in said.out
    assert "row rows.jsonl:3" in said.out
    assert said.err == ""


def test_as_json(cli: Cli) -> None:
    said = cli("prompt", "show", "capital.prompty", "--suite", "capitals.yaml", "--json").json
    assert [m["role"] for m in said["messages"]] == ["system", "user"]
    assert said["messages"][1]["content"] == "Capital of France?"
    assert said["params"] == {"max_tokens": 8}
    assert 0 < said["input_usd"] < said["worst_case_usd"]


def test_a_model_on_the_command_line_is_priced_in_place_of_the_prompts(cli: Cli) -> None:
    command = ("prompt", "show", "capital.prompty", "--suite", "capitals.yaml", "--json")
    dear, cheap = (cli(*command, "-m", model).json for model in ("openai/gpt-4o", "openai/gpt-4o-mini"))
    assert dear["model"] == "openai/gpt-4o"
    assert dear["worst_case_usd"] > cheap["worst_case_usd"]


def test_other_rows_can_be_read(cli: Cli, project: Path) -> None:
    (project / "other.jsonl").write_text(
        '{"id": "ke", "country": "Kenya", "capital": "Nairobi", "continent": "Africa"}\n'
    )
    said = cli("prompt", "show", "capital.prompty", "--suite", "capitals.yaml", "--data", "other.jsonl")
    assert "Capital of Kenya?" in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("capital.prompty",), "the prompt needs country"),
        (("capital.prompty", "--suite", "capitals.yaml", "--row", "5"), "has no row 5"),
        (("capital.prompty", "--suite", "capitls.yaml"), "Did you mean 'capitals.yaml'?"),
        (("capitl.prompty",), "capitl.prompty"),
        (("rows.jsonl",), "rows.jsonl"),
    ],
)
def test_what_cannot_be_shown_is_one_line(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    said = cli("prompt", "show", *arguments)
    assert said.code == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
