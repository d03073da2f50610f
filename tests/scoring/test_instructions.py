"""instructions: prompts and instructions, strictly and loosely."""

import pytest

from llmkit.scoring import Item, create
from llmkit.types import Score
from tests.scoring.ask import fault, score

ROW = {
    "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
    "kwargs": [{}, {"num_words": 3, "relation": "at least"}],
}


def test_a_prompt_counts_where_all_its_instructions_are_followed() -> None:
    assert score("instructions", "one two three", row=ROW) == Score(1.0, answer="2 of 2")
    assert score("instructions", "one, two", row=ROW) == Score(
        0.0, answer="0 of 2; not punctuation:no_comma, length_constraints:number_words"
    )


def test_instructions_are_counted_over_the_whole_run() -> None:
    scorer = create("instructions", {"level": "instruction"})
    one = {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    scores = scorer.score([Item("one, two", row=ROW), Item("one", row=one)])
    sums = [sum(column) for column in zip(*(each.stats for each in scores), strict=True)]
    assert sums == [1.0, 3.0]
    assert float(scorer.corpus_value(sums)) == pytest.approx(1 / 3)


def test_loosely_a_first_line_does_not_count_against_an_answer() -> None:
    text = "Sure, here it is:\none two three"
    row = {**ROW, "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    assert score("instructions", text, row=row).value == 0
    assert score("instructions", text, row=row, mode="loose").value == 1


def test_the_four_figures_have_names_of_their_own() -> None:
    options = [{"level": level, "mode": mode} for level in ("prompt", "instruction") for mode in ("strict", "loose")]
    assert [create("instructions", each).name for each in options] == [
        "prompt_strict", "prompt_loose", "instruction_strict", "instruction_loose",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"instruction_id_list": []},
        {"instruction_id_list": ["punctuation:none"]},
        {"instruction_id_list": ["punctuation:no_comma"], "kwargs": []},
        {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [3]},
        {"instruction_id_list": ["length_constraints:number_words"], "kwargs": [{}]},
    ],
)
def test_a_row_that_says_nothing_that_can_be_checked_is_a_failure(row: dict[str, object]) -> None:
    assert fault("instructions", "text", row=row) == "bad_reference"


def test_a_failure_read_as_wrong_follows_no_instruction() -> None:
    scorer = create("instructions", {"level": "instruction"})
    assert scorer.wrong(Item("", row=ROW)).stats == (0.0, 2.0)
    assert scorer.wrong(Item("", row={})) is None


def test_an_answer_of_a_megabyte_is_too_long() -> None:
    assert fault("instructions", "a " * 500_000, row=ROW) == "too_long"
