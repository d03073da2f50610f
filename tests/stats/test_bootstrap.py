"""BCa and jackknife intervals of functions of sums."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from llmkit.stats.bootstrap import bca, jackknife, percentile, replicates, resampled_totals, unit_totals


def mean(totals):
    return totals[..., 0] / totals[..., 1]


def rows(values):
    return np.stack([values, np.ones(len(values))], axis=1)


def ratio_rows(n, seed=5):
    random = np.random.default_rng(seed)
    words = random.integers(3, 30, n)
    return np.stack([random.binomial(words, 0.2), words], axis=1).astype(float)


samples = arrays(np.float64, st.integers(5, 30), elements=st.integers(0, 50).map(float))


def test_bca_of_a_ratio_agrees_with_scipy():
    data = ratio_rows(80)
    ours = bca(data, mean, resamples=20_000, seed=1)
    theirs = stats.bootstrap(
        (data[:, 0], data[:, 1]),
        lambda e, w, axis=-1: e.sum(axis) / w.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="BCa",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.002)
    assert ours.method == "bca"


def test_bca_leans_towards_the_long_tail():
    skewed = np.random.default_rng(0).lognormal(0, 1, 60)
    interval = bca(rows(skewed), mean, seed=3)
    low, high = percentile(replicates(rows(skewed), mean, resamples=2000, seed=3))
    assert interval.low > low
    assert interval.high > high


def test_same_seed_same_interval_and_another_seed_another():
    data = ratio_rows(40)
    assert bca(data, mean, seed=4) == bca(data, mean, seed=4)
    assert bca(data, mean, seed=4) != bca(data, mean, seed=5)


@settings(max_examples=30)
@given(samples, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    assert bca(rows(values), mean, resamples=200) == bca(rows(values[order]), mean, resamples=200)


@settings(max_examples=30)
@given(samples)
def test_more_confidence_is_wider(values):
    narrow, wide = (bca(rows(values), mean, confidence=c, resamples=300) for c in (0.8, 0.99))
    if narrow is None:
        assert wide is None
    else:
        assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_clusters_are_what_is_resampled():
    data = ratio_rows(20)
    copied, clusters = np.repeat(data, 5, axis=0), np.repeat(np.arange(20), 5)
    once, naive, honest = bca(data, mean), bca(copied, mean), bca(copied, mean, clusters=clusters)
    assert (honest.low, honest.high) == pytest.approx((once.low, once.high))
    assert naive.high - naive.low < 0.6 * (honest.high - honest.low)


def test_units_are_cluster_sums_in_canonical_order():
    data = np.array([[1.0, 10], [2, 20], [4, 5]])
    assert unit_totals(data, np.array([3, 9, 3])).tolist() == [[5, 15], [2, 20]]


@pytest.mark.parametrize(
    "data",
    [np.empty((0, 2)), rows(np.array([2.0])), rows(np.full(9, 0.1))],
    ids=["no rows", "one row", "all equal"],
)
def test_no_interval_where_rows_show_no_spread(data):
    assert bca(data, mean) is None
    assert jackknife(data, mean) is None


def test_no_interval_where_a_resample_has_no_value():
    sparse = np.array([[1.0, 3.0], [0.0, 0.0], [0.0, 0.0], [2.0, 5.0]])
    with np.errstate(invalid="ignore"):
        assert bca(sparse, mean) is None


def test_no_interval_where_the_estimate_lies_outside_all_resamples():
    distinct = np.random.default_rng(1).normal(size=(40, 1))
    total = distinct.sum()

    def not_the_sample(sums):
        return np.abs(sums[..., 0] - total)

    assert bca(distinct, not_the_sample) is None


def test_jackknife_of_a_mean_is_the_t_interval():
    values = np.random.default_rng(2).normal(size=50)
    low, high = stats.t.interval(0.95, 49, values.mean(), stats.sem(values))
    interval = jackknife(rows(values), mean)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-9)
    assert interval.method == "jackknife"


def test_jackknife_and_bca_agree_where_rows_are_many():
    data = ratio_rows(5_000)
    fast, slow = jackknife(data, mean), bca(data, mean)
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=2e-4)


def test_leaving_out_goes_through_all_rows_when_they_come_in_parts(monkeypatch):
    data = ratio_rows(101)
    whole = jackknife(data, mean)
    monkeypatch.setattr("llmkit.stats.bootstrap._ROWS", 10)
    assert jackknife(data, mean) == whole


def test_resampling_in_chunks_draws_the_same_samples(monkeypatch):
    data = ratio_rows(33)
    whole = replicates(data, mean, resamples=100, seed=7)
    monkeypatch.setattr("llmkit.stats.bootstrap._DRAWS", 200)
    assert replicates(data, mean, resamples=100, seed=7) == pytest.approx(whole, rel=1e-12)


def test_what_stands_side_by_side_is_drawn_together():
    data = ratio_rows(30)
    both = resampled_totals(np.hstack([data, 3 * data]), resamples=50, seed=2)
    assert both[:, 2:] == pytest.approx(3 * both[:, :2])
    assert both[:, :2] == pytest.approx(resampled_totals(data, resamples=50, seed=2))


def test_bca_covers_a_skewed_ratio():
    random, covered, runs = np.random.default_rng(9), 0, 400
    for run in range(runs):
        words = random.integers(3, 30, 60)
        interval = bca(np.stack([random.binomial(words, 0.1), words], axis=1), mean, resamples=400, seed=run)
        covered += interval.low <= 0.1 <= interval.high
    # BCa's error is O(1/n): two points are granted on top of three Monte-Carlo standard errors.
    assert covered / runs >= 0.95 - 0.02 - 3 * math.sqrt(0.95 * 0.05 / runs)
