"""Student's t around a mean that is not 0."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.noncentral import noncentral_t_tail


@given(st.floats(-6, 14), st.floats(2, 5000), st.floats(0.01, 8))
def test_the_tail_is_scipys(t, df, shift):
    assert noncentral_t_tail(t, df, shift) == pytest.approx(stats.nct.sf(t, df, shift), abs=1e-8)


def test_around_zero_it_is_students():
    assert noncentral_t_tail(1.7, 9, 0) == pytest.approx(stats.t.sf(1.7, 9), abs=1e-10)


def test_no_degrees_of_freedom_are_refused():
    with pytest.raises(ValueError, match="degrees of freedom"):
        noncentral_t_tail(1, 0, 1)
