"""Precision, recall and F1 of pairs of texts, against the paper's equations in plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.scoring.contextual import matching
from llmkit.scoring.contextual.matching import Pair, match


def a_text(random: np.random.Generator, tokens: int) -> tuple[np.ndarray, np.ndarray]:
    vectors = random.normal(size=(tokens, 5)) + 1.0
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), random.uniform(0, 2, tokens)


def a_pair(random: np.random.Generator, mine: int, theirs: int) -> Pair:
    (answer, answer_weights), (reference, reference_weights) = a_text(random, mine), a_text(random, theirs)
    return Pair(answer, reference, answer_weights, reference_weights)


def by_hand(pair: Pair) -> tuple[float, float, float]:
    """Equations 1 to 3 with the weights of section 3."""

    def mean(ones: np.ndarray, others: np.ndarray, weights: np.ndarray) -> float:
        best = [max(sum(a * b for a, b in zip(one, other, strict=True)) for other in others) for one in ones.tolist()]
        return sum(w * max(b, 0) for w, b in zip(weights, best, strict=True)) / sum(weights)

    precision = mean(pair.answer, pair.reference, pair.answer_weights)
    recall = mean(pair.reference, pair.answer, pair.reference_weights)
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


SIZES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6)


@given(SIZES, st.integers(0, 99))
@settings(max_examples=30)
def test_equals_the_papers_equations_whatever_pairs_are_computed_together(
    sizes: list[tuple[int, int]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    pairs = [a_pair(random, *size) for size in sizes]
    assert match(pairs) == pytest.approx(np.array([by_hand(pair) for pair in pairs]), abs=2e-6)


def test_pairs_beyond_what_is_held_at_once_are_computed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    pairs = [a_pair(random, *size) for size in ((3, 4), (9, 1), (2, 2), (5, 8))]
    together = match(pairs)
    monkeypatch.setattr(matching, "_CELLS", 1)
    assert match(pairs) == pytest.approx(together, abs=1e-6)


def test_a_token_without_weight_counts_for_nothing_but_may_be_matched() -> None:
    east, north = np.array([[1, 0]], np.float32), np.array([[0, 1]], np.float32)
    both = np.concatenate([east, north])
    # The reference's first token is silent: no recall is asked of it, and the answer's token finds it all the same.
    figures = match([Pair(east, both, np.array([1.0]), np.array([0.0, 1.0]))])
    assert figures.tolist() == [[1.0, 0.0, 0.0]]


def test_what_has_no_token_or_no_weight_scores_nothing() -> None:
    some, none = np.array([[1, 0]], np.float32), np.zeros((0, 1), np.float32)
    figures = match([Pair(none, some, np.zeros(0), np.ones(1)), Pair(some, some, np.zeros(1), np.ones(1))])
    assert figures.tolist() == [[0, 0, 0], [0, 1, 0]]


def test_a_token_that_is_like_none_counts_nothing_and_not_less() -> None:
    one, other = np.array([[1, 0]], np.float32), np.array([[-1, 0]], np.float32)
    assert match([Pair(one, other, np.ones(1), np.ones(1))]).tolist() == [[0, 0, 0]]


def test_no_pairs_have_no_figures() -> None:
    assert match([]).shape == (0, 3)
