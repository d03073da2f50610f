"""Intervals of a mean, and of a proportion in clusters."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from llmkit.stats.mean import clustered_se, design_effect, mean_interval, proportion_interval
from llmkit.stats.proportion import wilson

values = arrays(np.float64, st.integers(2, 40), elements=st.floats(-100, 100, width=32))


@given(values)
def test_unclustered_interval_is_students(data):
    interval = mean_interval(data)
    if np.ptp(data) < 1e-6:
        return
    low, high = stats.t.interval(0.95, len(data) - 1, data.mean(), stats.sem(data))
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-7, abs=1e-7)
    assert interval.method == "t"


@given(values)
def test_clusters_of_one_change_nothing(data):
    alone = np.arange(len(data))
    plain, clustered = mean_interval(data), mean_interval(data, alone)
    if plain is None:
        assert clustered is None
    else:
        assert (plain.low, plain.high) == pytest.approx((clustered.low, clustered.high))


def test_cluster_interval_by_hand():
    # Clusters (1, 1), (0, 0), (1, 0): mean .5, residual sums 1, −1, 0; SE² = 2/36 · 3/2; t with 2 degrees = 4.30265.
    data, clusters = np.array([1, 1, 0, 0, 1, 0.0]), np.array([7, 7, 3, 3, 5, 5])
    half = 4.30265 * math.sqrt(2 / 36 * 3 / 2)
    interval = mean_interval(data, clusters)
    assert (interval.low, interval.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-5)
    assert interval.method == "cluster-t"


def test_repeating_every_row_adds_no_certainty():
    data = np.array([0.2, 0.9, 0.4, 0.7, 0.1])
    once = mean_interval(data)
    copied = mean_interval(np.repeat(data, 10), np.repeat(np.arange(5), 10))
    assert (once.low, once.high) == pytest.approx((copied.low, copied.high))


def test_no_interval_without_spread_or_with_one_cluster():
    assert mean_interval(np.array([3.0])) is None
    assert mean_interval(np.array([3.0, 3.0, 3.0])) is None
    assert mean_interval(np.array([1.0, 2.0]), np.array([4, 4])) is None


def test_rounding_is_not_spread():
    assert mean_interval(np.full(49, 0.1)) is None


def test_a_bounded_mean_stays_in_its_bounds_and_says_so():
    data = np.array([1.0, 1.0, 1.0, 0.2])
    interval = mean_interval(data, bounds=(0.0, 1.0))
    assert (interval.high, interval.method) == (1.0, "t-clipped")
    assert interval.low == pytest.approx(mean_interval(data).low)
    assert mean_interval(np.array([0.4, 0.5, 0.6]), bounds=(0, 1)).method == "t"


def test_a_bounded_mean_without_spread_is_as_sure_as_a_coin():
    flat = mean_interval(np.ones(20), bounds=(0.0, 1.0))
    coin = wilson(20, 20)
    assert (flat.low, flat.high, flat.method) == (coin.low, coin.high, "wilson")
    wide = mean_interval(np.full(20, 100.0), bounds=(0.0, 100.0))
    assert (wide.low, wide.high) == pytest.approx((100 * coin.low, 100))
    assert mean_interval(np.ones(6), np.array([0, 0, 1, 1, 2, 2]), bounds=(0, 1)).low == wilson(3, 3).low


def test_standard_error_needs_values_and_correction_needs_clusters():
    with pytest.raises(ValueError, match="no values"):
        clustered_se(np.array([]))
    with pytest.raises(ValueError, match="two clusters"):
        clustered_se(np.array([1.0, 2.0]), np.array([1, 1]), corrected=True)


def test_design_effect_of_identical_members_is_the_clusters_size():
    data = np.repeat([1.0, 0.0, 1.0, 1.0], 5)
    assert design_effect(data, np.repeat(np.arange(4), 5)) == pytest.approx(5)
    assert math.isnan(design_effect(np.ones(4), np.array([0, 0, 1, 1])))


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_proportion_in_clusters_of_one_is_wilsons(kn):
    k, n = kn
    data = np.array([1.0] * k + [0.0] * (n - k))
    interval = proportion_interval(data, np.arange(n), rows=n)
    assert (interval.low, interval.high) == pytest.approx((wilson(k, n).low, wilson(k, n).high))


def test_identical_members_count_as_one():
    outcome = np.array([1, 1, 1, 0, 1, 0, 1, 1, 0, 1.0])
    clustered = proportion_interval(np.repeat(outcome, 8), np.repeat(np.arange(10), 8), rows=80)
    single = wilson(7, 10)
    # Korn and Graubard's t quotient (79 against 9 degrees) widens it beyond the ten outcomes' own interval.
    assert clustered.low < single.low < single.high < clustered.high
    assert clustered.high - clustered.low < 1.3 * (single.high - single.low)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_without_variation_the_clusters_are_the_trials(outcome):
    interval = proportion_interval(np.full(50, outcome), np.repeat(np.arange(5), 10), rows=50)
    expected = wilson(5 * outcome, 5)
    assert (interval.low, interval.high) == (expected.low, expected.high)
    assert interval.method == "cluster-wilson"


def test_one_cluster_is_one_trial():
    interval = proportion_interval(np.array([1.0, 0, 1, 1]), np.zeros(4, dtype=int), rows=4)
    assert interval.low == pytest.approx(wilson(0.75, 1).low)


def coverage(draw, truth, runs):
    covered = 0
    for _ in range(runs):
        interval = draw()
        covered += interval.low <= truth <= interval.high
    return covered / runs


def at_least(nominal, runs):
    """Three Monte-Carlo standard errors below what is promised."""
    return nominal - 3 * math.sqrt(nominal * (1 - nominal) / runs)


RUNS = 1_000


def test_unclustered_mean_covers_what_it_promises():
    random = np.random.default_rng(11)
    seen = coverage(lambda: mean_interval(random.normal(3, 2, 12)), 3, RUNS)
    assert abs(seen - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / RUNS)


def test_clustered_mean_covers_what_it_promises():
    random = np.random.default_rng(12)
    clusters = np.repeat(np.arange(15), 6)

    def draw():
        return mean_interval(random.normal(0, 1, 15)[clusters] + random.normal(0, 1, 90), clusters)

    seen = coverage(draw, 0, RUNS)
    assert abs(seen - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / RUNS)


@pytest.mark.parametrize(
    ("p", "count", "size", "rho"),
    [(0.5, 30, 5, 0.2), (0.8, 10, 10, 0.2), (0.95, 20, 20, 0.5), (0.95, 100, 4, 0.3), (0.98, 30, 5, 0.2)],
)
def test_clustered_proportion_covers_what_it_promises_up_to_the_edge(p, count, size, rho):
    random = np.random.default_rng(13)
    clusters = np.repeat(np.arange(count), size)
    a, b = p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho

    def draw():
        rates = random.beta(a, b, count)[clusters]
        return proportion_interval((random.random(len(clusters)) < rates).astype(float), clusters, rows=len(clusters))

    assert coverage(draw, p, RUNS) >= at_least(0.95, RUNS)


def test_ignoring_the_clusters_would_not_cover():
    """The test above can fail: Wilson's interval over the same rows does."""
    random = np.random.default_rng(13)
    clusters = np.repeat(np.arange(30), 5)

    def draw():
        hits = (random.random(150) < random.beta(0.8, 0.2, 30)[clusters]).sum()
        return wilson(int(hits), 150)

    assert coverage(draw, 0.8, RUNS) < at_least(0.95, RUNS)
