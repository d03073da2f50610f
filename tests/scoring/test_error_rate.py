"""wer, cer: edits over the reference's length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.scoring import CorpusScorer, Item, create
from tests.scoring.ask import corpus, fault, score, value

NAMES = ["wer", "cer"]


def edits(left: list[str] | str, right: list[str] | str) -> int:
    """Levenshtein's distance, straight from its recurrence."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@given(st.text("ab c", max_size=15), st.text("ab c", max_size=15))
@settings(deadline=None)  # the first call imports jiwer
def test_both_are_edit_distances(text: str, reference: str) -> None:
    said, meant = " ".join(text.split()), " ".join(reference.split())
    assert score("wer", text, reference).stats == (edits(meant.split(), said.split()), len(meant.split()))
    assert score("cer", text, reference).stats == (edits(meant, said), len(meant))


def test_known_values() -> None:
    assert value("wer", "i am good", "am i good") == pytest.approx(2 / 3)
    assert value("cer", "werewolf", "were wolf") == pytest.approx(1 / 9)
    assert value("wer", "a b c d", "a") == 3  # a rate has no upper end


def test_counts_are_summed_not_rates() -> None:
    pairs = [("x", ("a",)), ("a b c d e f g h i", ("a b c d e f g h i",))]
    assert corpus("wer", pairs) == pytest.approx(1 / 10)


def test_any_whitespace_parts_words() -> None:
    assert value("wer", "hello\nworld\tagain", "hello world  again") == 0


def test_case_and_punctuation_can_be_ignored() -> None:
    assert value("wer", "Hello, World!", "hello world") == 1
    assert value("wer", "Hello, World!", "hello world", ignore_case=True, ignore_punctuation=True) == 0


def test_the_closest_reference_counts_by_rate() -> None:
    assert score("wer", "a b", "a b c d e", "a x").stats == (1, 2)  # 1 of 2, not 3 of 5
    assert score("wer", "a b c", "z", "a b d").stats == (1, 3)


def test_empty_texts() -> None:
    assert value("wer", "", "a b") == 1
    assert value("wer", "", "") == 0
    assert value("wer", "a b", "") == 2
    assert corpus("wer", [("a b", ("",))]) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_read_as_wrong_is_an_empty_answer(name: str) -> None:
    scorer = create(name)
    item = Item("anything", ("one two three", "one two"))
    assert scorer.wrong(item) == score(name, "", "one two")
    assert scorer.wrong(Item("x")).stats == (0, 0)
    assert scorer.wrong(Item("x", ("",))) == score(name, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_work_is_bounded(name: str) -> None:
    assert fault(name, "a " * 200_000, "b " * 200_000) == "too_long"
    assert fault(name, "a") == "no_reference"


@pytest.mark.parametrize("name", NAMES)
def test_the_corpus_function_is_vectorised(name: str) -> None:
    scorer = create(name)
    assert isinstance(scorer, CorpusScorer)
    assert scorer.corpus_value(np.array([[1.0, 2.0], [3.0, 0.0]])).tolist() == [0.5, 3.0]
    assert (scorer.kind, scorer.higher_is_better) == ("corpus", False)


def test_signature() -> None:
    from importlib.metadata import version

    assert create("cer").signature == (
        "metric:cer|case:mixed|punct:kept|articles:kept|space:collapse|unicode:NFC|unit:character|refs:closest"
        f"|jiwer:{version('jiwer')}|v:1"
    )
