"""exact_match: what two texts may differ in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring import create
from tests.scoring.ask import fault, value

LENIENT = {"ignore_case": True, "ignore_punctuation": True, "ignore_articles": True}


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("Paris", "Paris"),
        ("  Paris\n", "Paris"),
        ("New  \t York", "New York"),
        ("cafe\u0301", "café"),  # NFD and NFC look the same
        ("Paris\u00a0", "Paris"),
    ],
)
def test_what_nobody_sees_is_forgiven(text: str, reference: str) -> None:
    assert value("exact_match", text, reference) == 1


@pytest.mark.parametrize("text", ["paris", "Paris.", "the Paris", "Pari s", "Ｐaris", "", "Paris\x00"])
def test_what_is_seen_counts(text: str) -> None:
    assert value("exact_match", text, "Paris") == 0


@pytest.mark.parametrize(
    ("option", "text", "reference"),
    [
        ({"ignore_case": True}, "STRASSE", "straße"),
        ({"ignore_punctuation": True}, "«It’s», 5$!", "Its 5"),
        ({"ignore_articles": True}, "The cat and a dog", "cat and dog"),
        ({"unicode": "NFKC"}, "Ｐaris ½", "Paris 1⁄2"),
        (LENIENT, "The answer: PARIS!", "answer paris"),
    ],
)
def test_each_option_forgives_one_thing(option: dict, text: str, reference: str) -> None:
    assert value("exact_match", text, reference, **option) == 1
    assert value("exact_match", text, reference) == 0


def test_whitespace_can_be_made_to_count() -> None:
    assert value("exact_match", "a  b", "a b", whitespace="strip") == 0
    assert value("exact_match", " a b ", "a b", whitespace="strip") == 1
    assert value("exact_match", "a b ", "a b", whitespace="keep") == 0
    assert value("exact_match", "cafe\u0301", "café", unicode="none") == 0


def test_articles_are_words_not_letters() -> None:
    assert value("exact_match", "another theory", "nor ory", ignore_articles=True) == 0


def test_any_reference_will_do() -> None:
    assert value("exact_match", "b", "a", "b") == 1


def test_prefix_and_suffix() -> None:
    assert value("exact_match", "Paris, of course", "Paris", match="prefix") == 1
    assert value("exact_match", "It is Paris", "Paris", match="prefix") == 0
    assert value("exact_match", "It is  Paris ", "Paris", match="suffix") == 1


def test_an_empty_answer_is_wrong_unless_it_is_the_reference() -> None:
    assert value("exact_match", "", "a") == 0
    assert value("exact_match", " ", "") == 1


def test_no_reference_is_a_failure() -> None:
    assert fault("exact_match", "a") == "no_reference"


def test_the_signature_spells_the_normalisation_out() -> None:
    assert create("exact_match").signature == (
        "metric:exact_match|match:full|case:mixed|punct:kept|articles:kept|space:collapse|unicode:NFC|refs:any|v:1"
    )
    assert create("exact_match", LENIENT).signature == (
        "metric:exact_match|match:full|case:folded|punct:dropped|articles:dropped|space:collapse|unicode:NFC|refs:any|v:1"
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1)), st.text(" \t\n", min_size=1))
def test_the_amount_of_whitespace_never_matters(words: list[str], space: str) -> None:
    one, other = " ".join(words), space + space.join(words) + space
    assert value("exact_match", one, other) == value("exact_match", other, one) == 1


@given(st.text(), st.text())
def test_it_does_not_matter_which_text_is_the_reference(one: str, other: str) -> None:
    assert value("exact_match", one, other, **LENIENT) == value("exact_match", other, one, **LENIENT)
