"""rouge: against the recurrences of the ROUGE paper, and at its edges."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.errors import DocumentError
from llmkit.scoring import create
from tests.scoring.ask import fault, value

SENTENCES = st.lists(st.sampled_from(["the", "cat", "sat", "on", "a", "mat", "dog", "12"]), min_size=1, max_size=12)


def f_measure(shared: int, answer: int, reference: int) -> float:
    return 2 * shared / (answer + reference) if shared else 0.0


def subsequence(left: list[str], right: list[str]) -> int:
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@given(SENTENCES, SENTENCES)
@settings(deadline=None)  # the first call imports NLTK
def test_equals_the_papers_definitions(answer: list[str], reference: list[str]) -> None:
    texts = " ".join(answer), " ".join(reference)
    for order in (1, 2):
        mine = Counter(zip(*(answer[i:] for i in range(order)), strict=False))
        theirs = Counter(zip(*(reference[i:] for i in range(order)), strict=False))
        expected = f_measure((mine & theirs).total(), mine.total(), theirs.total())
        assert value("rouge", *texts, type=f"rouge{order}") == pytest.approx(expected)
    expected = f_measure(subsequence(answer, reference), len(answer), len(reference))
    assert value("rouge", *texts) == pytest.approx(expected)


def test_precision_and_recall() -> None:
    assert value("rouge", "the cat", "the cat sat on", type="rouge1", measure="precision") == 1
    assert value("rouge", "the cat", "the cat sat on", type="rouge1", measure="recall") == 0.5


def test_the_stemmer_is_an_option() -> None:
    assert value("rouge", "running cats", "run cat") == 0
    assert value("rouge", "running cats", "run cat", use_stemmer=True) > 0


def test_lines_are_the_sentences_of_rougelsum() -> None:
    text, reference = "second one\nfirst one", "first one\nsecond one"
    assert value("rouge", text, reference, type="rougeLsum") == 1
    assert value("rouge", text, reference, type="rougeL") < 1


def test_the_best_reference_counts() -> None:
    assert value("rouge", "the cat", "a dog", "the cat") == 1


def test_edges() -> None:
    assert value("rouge", "", "a") == 0
    assert value("rouge", "猫", "cat") == 0
    assert fault("rouge", "猫", "猫") == "bad_reference"
    assert fault("rouge", "a", "") == "bad_reference"
    assert fault("rouge", "a") == "no_reference"


def test_work_is_bounded() -> None:
    assert fault("rouge", "a " * 5_000, "a " * 5_000) == "too_long"
    assert fault("rouge", "a" * 1_000_000, "a", type="rouge1") == "too_long"
    assert value("rouge", "a " * 50_000, "a", type="rouge1", measure="recall") == 1


def test_the_name_is_the_type_unless_one_is_given() -> None:
    assert create("rouge").name == "rougeL"
    assert create("rouge", {"type": "rouge2"}).name == "rouge2"
    assert create("rouge", {"type": "rouge2", "name": "overlap"}).name == "overlap"


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(DocumentError, match="option 'type' of scorer rouge cannot be 'rouge9'"):
        create("rouge", {"type": "rouge9"})


def test_signature() -> None:
    assert create("rouge", {"type": "rouge1", "use_stemmer": True}).signature == (
        "metric:rouge|type:rouge1|measure:fmeasure|stem:yes|tok:rouge-score|refs:best|rouge-score:0.1.2|v:1"
    )
