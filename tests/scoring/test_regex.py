"""regex: matching, extracting, and patterns that would never end."""

import pytest

from llmkit.errors import DocumentError
from llmkit.scoring import create
from tests.scoring.ask import fault, score, value


def test_search_and_full() -> None:
    assert value("regex", "call 555-0100 now", pattern=r"\d{3}-\d{4}") == 1
    assert value("regex", "call 555-0100 now", pattern=r"\d{3}-\d{4}", mode="full") == 0
    assert value("regex", "555-0100", pattern=r"\d{3}-\d{4}", mode="full") == 1
    assert value("regex", "", pattern="x") == 0


def test_flags() -> None:
    assert value("regex", "a\nHELLO", pattern="^hello$", ignore_case=True, multiline=True) == 1
    assert value("regex", "a\nHELLO", pattern="^hello$", ignore_case=True) == 0
    assert value("regex", "a\nb", pattern="a.b", dotall=True) == 1


def test_what_is_extracted_is_compared_to_the_references() -> None:
    options = {"pattern": r"<ans>(?P<it>.*?)</ans>", "extract": "it"}
    assert value("regex", "so <ans> 42 </ans>", "41", "42", **options) == 1
    assert value("regex", "so <ans>43</ans>", "42", **options) == 0
    assert score("regex", "so <ans> 4  2 </ans>", "42", **options).answer == "4 2"


def test_the_first_or_the_last_match_is_extracted() -> None:
    assert value("regex", "1 2 3", "1", pattern=r"\d", extract=0) == 1
    assert value("regex", "1 2 3", "3", pattern=r"\d", extract=0, take="last") == 1


def test_case_counts_unless_it_is_folded() -> None:
    options = {"pattern": "answer: (.*)", "extract": 1}
    assert value("regex", "answer: yes", "Yes", **options) == 0
    assert value("regex", "answer: yes", "Yes", **options, fold=True) == 1
    assert "case" not in create("regex", options).signature
    assert "|case:folded|" in create("regex", {**options, "fold": True}).signature


def test_nothing_to_extract_is_unparsable_not_wrong() -> None:
    assert fault("regex", "no tags", "42", pattern="<a>(.*)</a>", extract=1) == "unparsable"
    assert fault("regex", "", "42", pattern="(a)|b", extract=1) == "unparsable"
    assert fault("regex", "b", "42", pattern="(a)|b", extract=1) == "unparsable"


def test_references_are_needed_only_to_compare() -> None:
    assert not create("regex", {"pattern": "a"}).needs_references
    assert create("regex", {"pattern": "a", "extract": 0}).needs_references
    assert fault("regex", "a", pattern="a", extract=0) == "no_reference"


def test_a_pattern_of_exponential_time_meets_its_deadline() -> None:
    assert fault("regex", "a" * 60 + "!", pattern=r"^(a|aa)+$", timeout_s=0.05) == "timeout"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pattern": "("}, "'pattern' of scorer regex cannot be '(': not a regular expression"),
        ({"pattern": "a", "extract": 1}, "there is no group 1"),
        ({"pattern": "(?P<x>a)", "extract": "y"}, "no group named 'y'; it has ['x']"),
        ({"pattern": "a", "fold": True}, "without extract nothing is compared"),
        ({}, "scorer regex needs the option 'pattern'"),
        ({"pattern": "a", "timeout_s": 0}, "'timeout_s' of scorer regex cannot be 0"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused(options: dict, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        create("regex", options)
    assert said in str(caught.value)


def test_the_signature_keeps_its_form_whatever_the_pattern_holds() -> None:
    assert create("regex", {"pattern": "a|b%\n", "extract": 0, "ignore_case": True}).signature == (
        "metric:regex|pattern:a%7Cb%25%0A|mode:search|flags:i|extract:0|take:first|space:collapse|refs:any|deadline:1.0s|v:1"
    )
