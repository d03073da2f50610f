"""What drafting came to: rates of counts, and counts of a part of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.speculation import Speculation

counts = st.builds(
    lambda drafts, drafted, accepted, places: Speculation(drafts, drafted, accepted, tuple(places)),
    st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.lists(st.integers(0, 10**6), max_size=6),
)  # fmt: skip


def test_rate_and_length():
    found = Speculation(drafts=100, drafted=400, accepted=180)
    assert found.acceptance_rate == pytest.approx(0.45)
    assert found.accepted_length == pytest.approx(2.8)


def test_where_nothing_was_drafted_both_are_unknown():
    assert (Speculation(0, 0, 0).acceptance_rate, Speculation(0, 0, 0).accepted_length) == (None, None)


@given(counts, counts)
def test_what_is_counted_after_is_the_sum_without_what_was_before(before, after):
    total = before.plus(after)
    found = total.since(before)
    places = after.by_position + (0,) * (len(before.by_position) - len(after.by_position))
    assert found == Speculation(after.drafts, after.drafted, after.accepted, places)


def test_an_engine_that_was_started_anew_counts_from_nothing():
    assert Speculation(5, 20, 9).since(Speculation(100, 400, 180)) == Speculation(5, 20, 9)
