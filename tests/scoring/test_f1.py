"""f1: bag-of-words overlap, against an implementation of the SQuAD paper's description."""

import re
import string
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring import create
from tests.scoring.ask import fault, value


def described(answer: str, reference: str) -> float:
    """Section 6.1 of the paper: bags of tokens, without punctuation and articles; precision, recall, F1."""

    def tokens(text: str) -> list[str]:
        letters = [c for c in text.lower() if c not in string.punctuation]
        words = re.split(r"\s+", "".join(letters))
        joined = " ".join(words)
        for article in ("a", "an", "the"):
            joined = re.sub(rf"\b{article}\b", " ", joined)
        return joined.split()

    mine, theirs = tokens(answer), tokens(reference)
    if not mine or not theirs:
        return 1.0 if mine == theirs else 0.0
    left, shared = list(theirs), 0
    for word in mine:
        if word in left:
            left.remove(word)
            shared += 1
    if not shared:
        return 0.0
    precision, recall = Fraction(shared, len(mine)), Fraction(shared, len(theirs))
    return float(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("the Eiffel Tower!", "eiffel tower", 1.0),
        ("Eiffel Tower in Paris", "Eiffel Tower", 2 / 3),
        ("Rome", "Paris", 0.0),
        ("to be or not to be", "to be", 2 * 2 / (6 + 2)),
        ("the", "a", 1.0),
        ("", "Paris", 0.0),
        ("", "", 1.0),
    ],
)
def test_known_values(answer: str, reference: str, expected: float) -> None:
    assert value("f1", answer, reference) == pytest.approx(expected)


@given(
    st.text("abthen. \n'", max_size=40) | st.text(max_size=20),
    st.text("abthen. \n'", max_size=40) | st.text(max_size=20),
)
def test_equals_the_description(answer: str, reference: str) -> None:
    assert value("f1", answer, reference) == pytest.approx(described(answer, reference))


def test_the_best_reference_counts() -> None:
    assert value("f1", "Eiffel Tower", "Paris", "Tower") == pytest.approx(2 / 3)


def test_words_can_be_taken_as_they_stand() -> None:
    assert value("f1", "The Tower.", "tower") == 1
    assert value("f1", "The Tower.", "tower", normalize="whitespace") == 0


def test_no_reference_is_a_failure() -> None:
    assert fault("f1", "a") == "no_reference"


def test_it_is_a_mean_with_a_signature() -> None:
    scorer = create("f1")
    assert (scorer.kind, scorer.signature) == ("mean", "metric:f1|norm:squad|tok:space|refs:best|v:1")
