"""How many of n must be right to show a rate, how often they are, and how many items it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.acceptance import chance, least_right, trials_needed
from llmkit.stats.proportion import lower_bound


@pytest.mark.parametrize(("n", "right"), [(13, None), (14, 14), (24, 23), (50, 45), (100, 87), (10, None), (0, None)])
def test_eighty_per_cent_is_shown_by(n: int, right: int | None) -> None:
    assert least_right(n, 0.8) == right


@given(st.integers(1, 300), st.sampled_from([0.5, 0.75, 0.8, 0.95]), st.sampled_from([0.9, 0.95, 0.99]))
def test_one_fewer_does_not_show_it(n: int, bound: float, confidence: float) -> None:
    right = least_right(n, bound, confidence)
    if right is None:
        assert lower_bound(n, n, confidence) < bound
    else:
        assert lower_bound(right, n, confidence) >= bound > lower_bound(right - 1, n, confidence)


def test_fifty_test_labels_certify_a_good_judge_as_often_as_was_simulated() -> None:
    # A judge that is right 95 times of 100 on both classes, held against .80 and .80.
    assert chance(25, 0.8, 0.95) ** 2 == pytest.approx(0.41, abs=0.005)
    assert chance(40, 0.8, 0.95) * chance(10, 0.8, 0.95) == 0
    assert chance(50, 0.8, 0.95) ** 2 == pytest.approx(0.93, abs=0.005)


@pytest.mark.parametrize(("bound", "rate", "power"), [(0.8, 0.95, 0.8), (0.8, 0.9, 0.9), (0.75, 0.8, 0.8)])
def test_what_is_needed_is_the_first_number_that_does(bound: float, rate: float, power: float) -> None:
    needed = trials_needed(bound, rate, power=power)
    assert needed is not None
    first = next(n for n in range(1, 2 * needed) if chance(n, bound, rate) >= power)
    assert needed == first


def test_a_near_miss_takes_thousands_and_no_number_shows_what_is_not_so() -> None:
    assert (trials_needed(0.8, 0.81) or 0) > 5_000
    assert trials_needed(0.8, 0.8) is None
    assert trials_needed(0.8, 0.8005) is None
    assert trials_needed(0.8, 1.0) == 14
