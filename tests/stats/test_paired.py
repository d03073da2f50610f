"""The paired t and the signed-rank test."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from llmkit.stats import paired
from llmkit.stats.paired import paired_t, wilcoxon

alternatives = st.sampled_from(["two-sided", "greater", "less"])


@given(arrays(np.float64, st.integers(2, 40), elements=st.integers(-50, 50).map(float)), alternatives)
def test_t_is_scipys(differences, alternative):
    assume(np.ptp(differences) > 0)
    expected = stats.ttest_1samp(differences, 0, alternative=alternative)
    found = paired_t(differences, alternative)
    assert found == pytest.approx((expected.statistic, expected.pvalue), rel=1e-8, abs=1e-14)


def test_t_without_spread():
    assert paired_t(np.zeros(5)) == (0, 1)
    assert paired_t(np.full(5, 0.1)) == (math.inf, 0)
    assert paired_t(np.full(5, -0.1), "greater") == (-math.inf, 1)


def test_t_needs_two_differences():
    with pytest.raises(ValueError, match="two differences, not 1"):
        paired_t(np.array([0.3]))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=50, unique=True), st.randoms(), alternatives)
def test_signed_ranks_without_ties_are_scipys_exact_ones(sizes, random, alternative):
    differences = np.array([size * random.choice((-1, 1)) for size in sizes], dtype=float)
    expected = stats.wilcoxon(differences, method="exact", alternative=alternative)
    assert wilcoxon(differences, alternative) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


@settings(max_examples=30)
@given(arrays(np.float64, st.integers(1, 9), elements=st.integers(-4, 4).map(float)))
def test_ties_are_counted_over_all_sign_patterns(differences):
    assume(differences.any())
    moving = differences[differences != 0]
    ranks = stats.rankdata(np.abs(moving))
    signs = np.array(np.meshgrid(*[[0, 1]] * len(moving))).reshape(len(moving), -1)
    sums, seen = ranks @ signs, ranks[moving > 0].sum()
    upper, lower = (sums >= seen - 1e-9).mean(), (sums <= seen + 1e-9).mean()
    assert wilcoxon(differences).p_value == pytest.approx(min(1, 2 * min(upper, lower)))
    assert wilcoxon(differences, "greater").p_value == pytest.approx(upper)


def test_many_differences_are_normal():
    differences = np.round(np.random.default_rng(0).normal(0.1, 1, 800), 1)
    expected = stats.wilcoxon(differences, method="asymptotic")
    assert wilcoxon(differences) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


def test_counting_and_the_normal_distribution_meet(monkeypatch):
    differences = np.random.default_rng(1).normal(0.15, 1, 200)
    counted = wilcoxon(differences).p_value
    monkeypatch.setattr(paired, "MOST_EXACT", 199)
    assert wilcoxon(differences).p_value == pytest.approx(counted, rel=0.03)


def test_no_difference_is_no_evidence():
    assert wilcoxon(np.zeros(7)) == (0, 1)
