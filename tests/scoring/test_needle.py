"""needle: the values asked for, wherever they stand in the answer; and none that were hidden for others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring import create
from llmkit.types import Score
from tests.scoring.ask import fault, score, value
from tests.timing import processor_time_below

UUID = "b81f97c0-e9ee-4ab0-b809-d06c15b74fa7"


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("7381452", "7381452"),
        ("The magic number is **7381452**.", "7381452"),
        ("It is 7,381,452, as the text says.", "7381452"),
        ("It is 7\u202f381\u202f452.", "7381452"),
        ("(7381452)", "7381452"),
        ("No. 7381452 it is", "7381452"),
        ("Answer:7381452", "7381452"),
        ("the Amber\n  Lantern!", "amber lantern"),
        ("_amber lantern_", "amber lantern"),
        (UUID.upper(), UUID),
        (f"`{UUID}`", UUID),
        (UUID.replace("-", "‑"), UUID),
        ("There are 4 of them.", "4"),
        ("None.", "none"),
        ("They live in Malmö", "Malmö"),
    ],
)
def test_a_value_is_found_whatever_surrounds_it(answer, wanted):
    assert value("needle", answer, wanted) == 1


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("123", "12"),
        ("312", "12"),
        ("12.5", "12"),
        ("3.12", "12"),
        ("12,345", "12"),
        ("-12", "12"),
        ("12-3", "12"),
        ("3-12", "12"),
        ("x12", "12"),
        ("nonesuch", "none"),
        ("amber lanterns", "amber lantern"),
        ("amber", "amber lantern"),
        (UUID[:-1], UUID),
        ("", "12"),
    ],
)
def test_a_part_of_something_else_is_not_it(answer, wanted):
    assert value("needle", answer, wanted) == 0


def test_of_several_values_the_share_that_is_there():
    assert value("needle", "1111111, 2222222 and 3333333", "1111111", "2222222", "4444444", "5555555") == 0.5


def test_all_or_nothing():
    assert value("needle", "1111111", "1111111", "2222222", count="all") == 0
    assert value("needle", "2222222 1111111", "1111111", "2222222", count="all") == 1


ROW = {"distractors": ["2222222", "3333333"]}


def test_naming_every_value_there_is_finds_nothing():
    assert value("needle", "1111111, 2222222, 3333333", "1111111", row=ROW) == 0


def test_a_wrong_value_takes_a_right_one_away():
    assert value("needle", "1111111, 4444444 and 2222222", "1111111", "4444444", row=ROW) == 0.5
    assert value("needle", "1111111, 4444444 and 2222222", "1111111", "4444444", row=ROW, count="all") == 0


def test_wrong_ones_alone_are_0_and_not_less():
    assert value("needle", "2222222 or 3333333", "1111111", row=ROW) == 0


def test_distractors_may_be_ignored():
    assert value("needle", "1111111, 2222222", "1111111", row=ROW, distractors="ignore") == 1


def test_a_distractor_within_a_right_value_is_none():
    assert value("needle", "Anvil Two", "Anvil Two", row={"distractors": ["Anvil"]}) == 1
    assert value("needle", "Anvil Two", "Anvil", row={"distractors": ["Anvil Two"]}) == 0


def test_distractors_in_a_field_of_another_name():
    assert value("needle", "1 or 2", "1", row={"others": [2]}, field="others") == 0
    assert fault("needle", "1", "1", row={"distractors": "2"}) == "bad_row"


def test_the_answer_says_what_was_found_and_what_was_wrong():
    found = score("needle", "1111111 and 2222222", "1111111", row=ROW)
    assert isinstance(found, Score)
    assert found.answer == "1111111; wrong: 2222222"


@pytest.mark.parametrize(("answer", "said"), [("2222222", "wrong: 2222222"), ("none of them", None)])
def test_what_was_not_found_is_not_said(answer, said):
    found = score("needle", answer, "1111111", row=ROW)
    assert isinstance(found, Score)
    assert found.answer == said


def test_no_reference_and_an_empty_one_are_failures():
    assert fault("needle", "12") == "no_reference"
    assert fault("needle", "12", " ") == "bad_reference"


def test_signature():
    assert (
        create("needle").signature == "metric:needle|match:whole|case:folded|refs:all|count:share|distractors:wrong|v:1"
    )
    assert "|field:others|" in create("needle", {"field": "others"}).signature


@given(st.from_regex(r"[1-9]\d{6}", fullmatch=True), st.text(max_size=20), st.text(max_size=20))
def test_a_number_between_blanks_is_always_found(number, before, after):
    assert value("needle", f"{before} :  {number} : {after}", number) == 1


@pytest.mark.parametrize("text", ["7381452" * 150_000, "1111111" * 150_000, "7,381," * 170_000, "- " * 500_000])
def test_a_megabyte_takes_a_moment(text):
    with processor_time_below(2):
        value("needle", text, "7381452", "1111111", row={"distractors": [str(n) for n in range(1_000_000, 1_000_100)]})
