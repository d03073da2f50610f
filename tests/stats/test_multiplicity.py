"""P-values of several tests at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.multiplicity import benjamini_hochberg, holm

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_holm_by_hand():
    # Sorted: .01·4, .02·3, .03·2, .04·1, and no later one may be smaller than an earlier one.
    assert holm([0.04, 0.01, 0.03, 0.02]).tolist() == pytest.approx([0.06, 0.04, 0.06, 0.06])


@given(p_values)
def test_holm_is_the_step_down_procedure(values):
    """A test is rejected at alpha when it and all smaller ones pass their own step's level."""
    adjusted, order = holm(values), np.argsort(values, kind="stable")
    for alpha in (0.01, 0.05, 0.3):
        rejected = set()
        for step, index in enumerate(order):
            if values[index] * (len(values) - step) > alpha:
                break
            rejected.add(int(index))
        assert {i for i, p in enumerate(adjusted) if p <= alpha} == rejected


@given(p_values)
def test_benjamini_and_hochberg_are_scipys(values):
    assert benjamini_hochberg(values) == pytest.approx(stats.false_discovery_control(values))


@given(p_values)
def test_adjusted_values_lie_between_the_value_and_bonferronis(values):
    for adjusted in (holm(values), benjamini_hochberg(values)):
        assert (adjusted >= np.array(values) - 1e-15).all()
        assert (adjusted <= np.minimum(1, np.array(values) * len(values)) + 1e-15).all()
    assert (benjamini_hochberg(values) <= holm(values) + 1e-15).all()


def test_holm_keeps_the_level_of_the_family():
    random, runs = np.random.default_rng(0), 4_000
    wrong = sum((holm(random.random(8)) <= 0.05).any() for _ in range(runs))
    assert wrong / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_no_test_and_what_is_no_p_value(adjust):
    assert adjust([]).tolist() == []
    for bad in ([-0.1], [1.1], [float("nan")], [[0.1]]):
        with pytest.raises(ValueError, match="p-values"):
            adjust(bad)
