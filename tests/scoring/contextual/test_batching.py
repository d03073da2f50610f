"""Batches of texts of like length."""

from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring.contextual.batching import batches

LENGTHS = st.lists(st.integers(1, 600), max_size=60)


@given(LENGTHS, st.integers(1, 2000))
def test_every_text_is_in_one_batch(lengths: list[int], budget: int) -> None:
    assert sorted(at for batch in batches(lengths, budget) for at in batch) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 2000))
def test_a_padded_batch_stays_within_the_budget_unless_it_is_one_text(lengths: list[int], budget: int) -> None:
    for batch in batches(lengths, budget):
        assert len(batch) == 1 or len(batch) * max(lengths[at] for at in batch) <= budget


@given(LENGTHS, st.integers(1, 2000))
def test_no_batch_has_a_text_shorter_than_one_of_an_earlier_batch(lengths: list[int], budget: int) -> None:
    sizes = [lengths[at] for batch in batches(lengths, budget) for at in batch]
    assert sizes == sorted(sizes)


def test_texts_of_like_length_go_together() -> None:
    assert list(batches([50, 3, 4, 49], 100)) == [[1, 2], [3, 0]]
