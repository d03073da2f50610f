"""Samples that a proportion's interval needs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.stats.precision import wald_half, wald_n, wilson_half, wilson_n


@given(st.floats(0.01, 0.99), st.floats(0.001, 0.5))
def test_wald_goes_both_ways(p, half):
    assert wald_half(p, wald_n(p, half)) == pytest.approx(half)


@settings(max_examples=60)
@given(st.floats(0, 1), st.floats(0.015, 0.4))
def test_wilsons_n_is_the_least(p, half):
    n = next(n for n in range(1, 10_000) if wilson_half(p, n) <= half)
    assert wilson_n(p, half) == n


def test_the_usual_poll():
    """± 3 points at .5: 1,068 by the normal interval; Wilson's is narrower there by its z² in the denominator."""
    assert wald_n(0.5, 0.03) == pytest.approx(1067.07, abs=0.01)
    assert wilson_n(0.5, 0.03) == 1064


def test_a_width_that_no_data_set_reaches():
    with pytest.raises(ValueError, match="more than 10,000,000 samples"):
        wilson_n(0.5, 1e-5)


@pytest.mark.parametrize("call", [lambda: wald_n(1.2, 0.1), lambda: wilson_n(0.5, 0), lambda: wilson_half(0.5, 0)])
def test_what_cannot_be_planned_is_refused(call):
    with pytest.raises(ValueError, match="proportion"):
        call()
