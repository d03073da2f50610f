"""Intervals of a proportion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.proportion import (
    binomial_tail,
    clopper_pearson,
    jeffreys,
    lower_bound,
    newcombe,
    unseen,
    upper_bound,
    wilson,
)

counts = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_exact_and_score_intervals_agree_with_scipy(kn, confidence):
    k, n = kn
    test = stats.binomtest(k, n)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        theirs = test.proportion_ci(confidence, method=method)
        interval = ours(k, n, confidence)
        assert (interval.low, interval.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from([0.6, 0.95]))
def test_one_sided_bounds_are_those_of_the_exact_test(k, n, confidence):
    k = min(k, n)
    low = 0.0 if k == 0 else stats.beta.ppf(1 - confidence, k, n - k + 1)
    high = 1.0 if k == n else stats.beta.ppf(confidence, k + 1, n - k)
    assert (lower_bound(k, n, confidence), upper_bound(k, n, confidence)) == pytest.approx((low, high))


@given(counts)
def test_wilson_contains_the_estimate_and_stays_within_bounds(kn):
    k, n = kn
    interval = wilson(k, n)
    assert 0 <= interval.low <= k / n <= interval.high <= 1
    assert interval.high > interval.low


@given(counts)
def test_more_confidence_is_wider(kn):
    for method in (wilson, clopper_pearson, jeffreys):
        narrow, wide = method(*kn, 0.8), method(*kn, 0.99)
        assert wide.low <= narrow.low <= narrow.high <= wide.high


@given(counts)
def test_right_and_wrong_mirror_each_other(kn):
    k, n = kn
    right, wrong = wilson(k, n), wilson(n - k, n)
    assert (right.low, right.high) == pytest.approx((1 - wrong.high, 1 - wrong.low), abs=1e-12)


def test_effective_counts_may_be_fractional():
    between = wilson(4.5, 9.5)
    assert wilson(4, 9).high - wilson(4, 9).low > between.high - between.low > 0


def test_all_right_does_not_mean_certain():
    # 60 of 60: z² = 3.8415, so the lower bound is 60/(60 + 3.8415).
    assert wilson(60, 60).low == pytest.approx(60 / 63.8415, abs=1e-5)
    assert wilson(60, 60).high == 1.0
    assert wilson(0, 60).low == 0.0


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5), (1, -3), (float("nan"), 3)])
@pytest.mark.parametrize("method", [wilson, clopper_pearson, jeffreys, lambda k, n: binomial_tail(k, n, 0.5)])
def test_impossible_counts_are_refused(method, k, n):
    with pytest.raises(ValueError, match="0 ≤ k ≤ n"):
        method(k, n)


def test_newcombe_is_antisymmetric():
    there, back = newcombe(56, 70, 48, 80), newcombe(48, 80, 56, 70)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    # Newcombe 1998, Table II, method 10.
    assert (there.low, there.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("k", "n", "p"), [(0, 5, 0.3), (5, 5, 0.3), (17, 20, 0.7), (450, 1000, 0.5)])
def test_binomial_tail_agrees_with_scipy(k, n, p):
    assert binomial_tail(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), rel=1e-9)


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (60, 0.9), (200, 0.97)])
def test_wilson_covers_on_average_what_it_promises(n, p):
    """Exact coverage, summed over all outcomes, averaged over nearby rates (it oscillates with p)."""
    rates = np.clip(np.linspace(p - 0.02, p + 0.02, 41), 0, 0.999)
    bounds = [wilson(k, n) for k in range(n + 1)]
    low, high = np.array([b.low for b in bounds]), np.array([b.high for b in bounds])
    covered = [(stats.binom.pmf(np.arange(n + 1), n, q) * ((low <= q) & (q <= high))).sum() for q in rates]
    assert 0.93 <= np.mean(covered) <= 0.975


@pytest.mark.parametrize(("n", "confidence"), [(1, 0.95), (20, 0.95), (100, 0.95), (59, 0.8), (5_000, 0.99)])
def test_what_none_of_n_does_is_bounded_by_the_exact_one_sided_interval(n, confidence):
    found = stats.binomtest(0, n, alternative="less").proportion_ci(confidence, method="exact")
    assert unseen(n, confidence) == pytest.approx(found.high)
