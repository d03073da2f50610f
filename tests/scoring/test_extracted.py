"""extracted: what a pattern finds, less what is left out of account, is a reference."""

import pytest

from llmkit.errors import DocumentError
from llmkit.scoring import create
from tests.scoring.ask import fault, score, value

NUMBER = {"pattern": r"#### (-?[0-9.,]+)"}


def test_what_the_pattern_finds_is_compared() -> None:
    assert value("extracted", "so\n#### 42", "42", **NUMBER) == 1
    assert value("extracted", "so\n#### 43", "42", "43", **NUMBER) == 1
    assert value("extracted", "so\n#### 44", "42", **NUMBER) == 0
    assert score("extracted", "#### 42", "42", **NUMBER).answer == "42"


def test_an_answer_in_which_it_finds_nothing_is_unparsable() -> None:
    assert fault("extracted", "forty-two", "42", **NUMBER) == "unparsable"
    assert fault("extracted", "1", "1", pattern=r"\d", take=3) == "unparsable"


def test_the_first_group_that_holds_something_counts_unless_one_is_named() -> None:
    two = r"(-?[$0-9.,]{2,})|(-?[0-9]+)"
    assert value("extracted", "is 7", "7", pattern=two) == 1
    assert value("extracted", "x=7 y=8", "8", pattern=r"x=(\d) y=(?P<y>\d)", group="y") == 1
    assert value("extracted", "ab", "ab", pattern="a(b)", group=0) == 1


@pytest.mark.parametrize(("take", "right"), [("first", "1"), ("last", "3"), (1, "2"), (-2, "2")])
def test_one_match_of_several_is_taken(take: str | int, right: str) -> None:
    assert value("extracted", "1 2 3", right, pattern=r"\d", take=take) == 1


def test_what_is_left_out_of_account_goes_from_answer_and_references() -> None:
    assert value("extracted", "#### 1,234.", "$1234", **NUMBER, remove=[",", r"\$", r"\.$"]) == 1
    assert value("extracted", "Yes, sir", "yes sir", remove=[","], ignore_case=True) == 1


def test_blanks_at_the_ends_of_an_extract_go_unless_they_count() -> None:
    options = {"pattern": "is(.*)", "whitespace": "keep"}
    assert value("extracted", "is a ", "a", **options) == 1
    assert value("extracted", "is a ", "a", **options, strip=False) == 0


def test_a_pattern_that_would_never_end_is_a_failure_of_that_answer() -> None:
    assert fault("extracted", "a" * 5000 + "!", "a", pattern="(a|a?)+$", timeout_s=0.05) == "timeout"
    assert fault("extracted", "a" * 5000 + "!", "a", remove=["(a|a?)+$"], timeout_s=0.05) == "timeout"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pattern": "("}, "not a regular expression"),
        ({"remove": ["["]}, "not a regular expression"),
        ({"pattern": "a", "group": 1}, "the pattern has no group 1"),
        ({"group": 1}, "there is no pattern"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        create("extracted", options)


def test_every_option_is_in_the_signature() -> None:
    base = create("extracted", NUMBER).signature
    others: list[dict[str, object]] = [
        {"take": "last"}, {"group": 1}, {"strip": False}, {"remove": [","]}, {"ignore_case": True}, {"timeout_s": 2}
    ]  # fmt: skip
    signatures = {create("extracted", {**NUMBER, **other}).signature for other in others}
    assert len(signatures | {base}) == len(others) + 1
