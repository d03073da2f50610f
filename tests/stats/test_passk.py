"""pass@k and pass^k."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.passk import pass_at_k, pass_hat_k

answers = st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


@given(answers)
def test_both_are_the_quotients_of_binomial_coefficients(nck):
    n, c, k = nck
    assert pass_at_k(n, c, k) == pytest.approx(float(1 - Fraction(math.comb(n - c, k), math.comb(n, k))), abs=1e-12)
    assert pass_hat_k(n, c, k) == pytest.approx(float(Fraction(math.comb(c, k), math.comb(n, k))), abs=1e-12)


@given(answers)
def test_one_answer_is_the_share_that_is_right(nck):
    n, c, _ = nck
    assert pass_at_k(n, c, 1) == pytest.approx(c / n)
    assert pass_hat_k(n, c, 1) == pytest.approx(c / n)


def test_samples_come_as_arrays():
    found = pass_at_k(10, np.array([0, 3, 10]), 5)
    assert found.tolist() == pytest.approx([0, 11 / 12, 1])


def test_fewer_answers_than_k_say_nothing():
    for estimate in (pass_at_k, pass_hat_k):
        found = estimate(np.array([4, 5, 4]), np.array([4, 5, 0]), 5)
        assert np.isnan(found).tolist() == [True, False, True]


def test_a_thousand_answers_do_not_overflow():
    assert pass_at_k(5000, 1, 2500) == pytest.approx(0.5)


@pytest.mark.parametrize(("n", "c", "k"), [(5, 6, 1), (5, -1, 1), (5, 2, 0), (5, 1.5, 2), (float("nan"), 1, 1)])
def test_what_cannot_be_is_refused(n, c, k):
    with pytest.raises(ValueError, match="pass@k"):
        pass_at_k(n, c, k)


def test_the_estimate_is_unbiased():
    random, rate, k = np.random.default_rng(3), 0.2, 4
    right = random.binomial(8, rate, 40_000)
    found = pass_at_k(8, right, k)
    assert found.mean() == pytest.approx(1 - (1 - rate) ** k, abs=3 * found.std() / math.sqrt(40_000))
