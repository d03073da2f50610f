"""The list and the page fit into 80 columns, lose nothing, and obey nothing that a file says."""

import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console

from llmkit.catalogue import SuiteCard, SuiteEntry, VariantCard
from llmkit.reports.catalogue import card_document, catalogue_document, print_catalogue, print_suite
from llmkit.types import Message

LONG = "Questions of exams in many subjects, " * 4
ENTRY = SuiteEntry("mmlu", "exact", 14042, "MIT", LONG, (VariantCard("mmlu:cot", "Thought through."),))
BARE = SuiteEntry("mine.yaml", None, None, None, "")
CARD = SuiteCard(
    ENTRY, "suites/mmlu.yaml", source="A paper", data="hf:cais/mmlu/all/test", revision="c" * 40,
    prompt_source="ours", normalisation="the letter", prompt="builtin:mmlu", template="user:\n{{ question }}",
    few_shot="5, from hf:cais/mmlu/all/dev", scorers={"choice": "metric:choice|v:1"}, pass_k=(1, 10), epochs=2,
    params={"temperature": 0.0}, slices=("subject",), commands=("llmkit eval mmlu -m provider/model",),
)  # fmt: skip


def shown(draw, what, width=80, terminal=True):
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, no_color=True, highlight=False)
    draw(what, console)
    text = console.file.getvalue()
    for style in ("\x1b[1m", "\x1b[2m", "\x1b[0m"):
        text = text.replace(style, "")
    return text


def test_the_list_fits_into_80_columns():
    text = shown(print_catalogue, [ENTRY, BARE])
    assert max(map(cell_len, text.splitlines())) <= 80
    head, first, *_ = text.splitlines()
    assert head.split() == ["suite", "class", "rows", "licence", "variants"]
    assert first.split() == ["mmlu", "exact", "14,042", "MIT", ":cot"]
    assert " ".join(LONG.split()) in " ".join(text.split())


def test_what_a_suite_does_not_say_is_a_dash():
    line = next(line for line in shown(print_catalogue, [BARE]).splitlines() if "mine.yaml" in line)
    assert line.split() == ["mine.yaml", "–", "–", "–"]


def test_a_pipe_gets_whole_lines():
    assert f"      {LONG}\n" in shown(print_catalogue, [ENTRY], terminal=False)


def test_the_page_has_all_that_the_card_has():
    text = " ".join(shown(print_suite, CARD).split())
    for said in (
        "rows 14,042", "licence MIT", "source A paper", "data hf:cais/mmlu/all/test", f"revision {'c' * 40}",
        "prompt builtin:mmlu: ours", "examples 5, from hf:cais/mmlu/all/dev", "normalisation the letter",
        "params temperature=0.0", "epochs 2", "pass@k 1, 10", "slices subject", "file suites/mmlu.yaml",
        "mmlu:cot Thought through.", "choice metric:choice|v:1", "Prompt, as a template user: {{ question }}",
        "Next llmkit eval mmlu -m provider/model",
    ):  # fmt: skip
        assert said in text


def test_the_page_fits_into_80_columns():
    assert max(map(cell_len, shown(print_suite, CARD).splitlines())) <= 80


def test_a_hub_that_is_not_pinned_says_so():
    card = SuiteCard(BARE, "mine.yaml", data="hf:a/b/test", prompt="messages")
    assert "revision       not pinned" in shown(print_suite, card)
    assert "revision" not in shown(print_suite, SuiteCard(BARE, "mine.yaml", data="rows.jsonl"))


def test_rendered_messages_stand_in_place_of_the_template():
    card = SuiteCard(BARE, "m.yaml", template="user:\n{{ q }}", messages=(Message("user", "1+1?"),), row="r.jsonl:1")
    text = shown(print_suite, card)
    assert "Prompt, as r.jsonl:1 sends it\n  user:\n  1+1?\n" in text
    assert "{{ q }}" not in text


@pytest.mark.parametrize("said", ["a\x1b[31mred", "a\nb", "\u202eevil"])
def test_nothing_that_a_file_says_is_obeyed(said):
    entry = SuiteEntry("x", "exact", 1, said, said, (VariantCard("x:v", said),))
    card = SuiteCard(entry, "x.yaml", source=said, template=said, scorers={"m": said}, commands=(said,))
    text = shown(print_catalogue, [entry]) + shown(print_suite, card)
    assert "\x1b[31m" not in text and "\u202e" not in text


def test_the_documents_are_plain_and_say_null_for_what_is_not_known():
    found = json.loads(json.dumps(catalogue_document([ENTRY, BARE])))["suites"]
    assert found[0]["class"] == "exact" and found[0]["variants"][0]["name"] == "mmlu:cot"
    assert (found[1]["class"], found[1]["rows"], found[1]["licence"]) == (None, None, None)
    one = json.loads(json.dumps(card_document(CARD)))
    assert one["suite"] == found[0]
    assert one["prompt"]["template"] == "user:\n{{ question }}"
    assert (one["pass_k"], one["revision"]) == ([1, 10], "c" * 40)
