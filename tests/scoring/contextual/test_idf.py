"""Weights by rarity among the references."""

from collections.abc import Sequence
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring.contextual.idf import Idf, learn

TEXTS = st.lists(st.text("abc d", max_size=8), max_size=20)


class Letters:
    """A tokenizer whose tokens are letters, between two special tokens."""

    limit, added, silent = 6, 2, frozenset({1, 2})

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [[1, *map(ord, text), 2] for text in texts]

    def cut(self, text: str, ids: list[int]) -> list[int]:
        return [*ids[:5], 2]


def test_a_weight_is_the_logarithm_of_how_few_references_hold_the_token() -> None:
    idf = learn(["ab", "aab", "c"], Letters())
    weights = idf.weights([1, ord("a"), ord("c"), ord("x"), 2])
    # Three references: all hold the special tokens, two hold an a, one a c, none an x.
    assert weights.tolist() == pytest.approx([0.0, log(4 / 3), log(4 / 2), log(4 / 1), 0.0])


@given(TEXTS)
def test_equals_counting_by_hand(texts: list[str]) -> None:
    cleaned = [text.strip()[:4] for text in texts]
    for letter in "abcx":
        holding = sum(letter in text for text in cleaned)
        expected = log((len(texts) + 1) / (holding + 1))
        assert learn(texts, Letters()).weights([ord(letter)])[0] == pytest.approx(expected)


def test_a_reference_that_is_too_long_counts_with_what_the_model_takes_of_it() -> None:
    idf = learn(["abcdx"], Letters())
    assert idf.counts == {1: 1, 2: 1, **{ord(letter): 1 for letter in "abcd"}}


def test_a_reference_that_stands_twice_counts_twice() -> None:
    idf = learn(["a", "a", "b"], Letters())
    assert (idf.documents, idf.counts[ord("a")]) == (3, 2)


@given(TEXTS, st.randoms(use_true_random=False))
def test_the_order_of_the_references_does_not_matter(texts: list[str], random: object) -> None:
    mixed = list(texts)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert learn(mixed, Letters()) == learn(texts, Letters())


@given(TEXTS, TEXTS)
def test_other_references_have_another_digest(one: list[str], other: list[str]) -> None:
    same = learn(one, Letters()).digest == learn(other, Letters()).digest
    assert same == (sorted(one) == sorted(other))


def test_more_references_than_a_chunk_are_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkit.scoring.contextual.idf._CHUNK", 3)
    assert learn(iter(["a"] * 10), Letters()).counts[ord("a")] == 10


def test_of_no_reference_every_weight_is_nothing() -> None:
    idf = learn([], Letters())
    assert (idf.documents, idf.weights([5]).tolist()) == (0, [0.0])
    assert isinstance(idf, Idf)
