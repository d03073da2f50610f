"""The interval of a mean paired difference."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from llmkit.stats.paired_mean import MANY_TIES, paired_mean_interval
from llmkit.stats.quantiles import t_of
from llmkit.stats.tango import tango_bounds

differences = arrays(np.float64, st.integers(2, 60), elements=st.integers(-8, 8).map(lambda k: k / 8))


def test_without_ties_it_is_the_paired_t_interval():
    data = np.random.default_rng(0).normal(0.1, 0.2, 40)
    interval = paired_mean_interval(data)
    expected = stats.t.interval(0.95, 39, data.mean(), stats.sem(data))
    assert (interval.low, interval.high) == pytest.approx(expected)
    assert interval.method == "t"


def test_with_many_ties_of_one_size_it_is_tangos_at_the_counts():
    """Won 4 and lost 9 of 50, each by .5; t's quantile stands in for the normal one, and s² for its estimate."""
    data = np.array([0.5] * 4 + [-0.5] * 9 + [0.0] * 37)
    interval = paired_mean_interval(data)
    low, high = tango_bounds(np.array(4.0), np.array(9.0), 50, t_of(0.95, 49) * math.sqrt(50 / 49))
    assert (interval.low, interval.high) == pytest.approx((low / 2, high / 2))
    assert interval.method == "effective-tango"


def test_some_ties_take_the_wider_side_of_both():
    data = np.array([0.0, *np.linspace(-0.1, 0.4, 19)])
    interval, half = paired_mean_interval(data), t_of(0.95, 19) * stats.sem(data)
    assert interval.method == "tango-or-t"
    assert interval.low <= data.mean() - half + 1e-12
    assert interval.high >= data.mean() + half - 1e-12


def test_from_where_on_ties_are_many():
    assert MANY_TIES == 0.2
    assert paired_mean_interval(np.array([0.0, 0.1, 0.2, 0.3, 0.4])).method == "effective-tango"
    assert paired_mean_interval(np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])).method == "tango-or-t"


def test_equal_answers_are_not_proof_of_equality():
    assert paired_mean_interval(np.zeros(40)) is None
    once, often = paired_mean_interval(np.zeros(40), largest=1), paired_mean_interval(np.zeros(40), largest=100)
    assert -once.low == once.high == pytest.approx(1.96**2 / (40 + 1.96**2), abs=1e-4)
    assert often.high == pytest.approx(100 * once.high)
    clustered = paired_mean_interval(np.zeros(40), np.repeat(np.arange(8), 5), largest=1)
    assert clustered.high == pytest.approx(1.96**2 / (8 + 1.96**2), abs=1e-4)
    assert clustered.method == "cluster-tango"


def test_a_constant_shift_has_an_interval_only_within_bounds():
    assert paired_mean_interval(np.full(30, 0.1)) is None
    interval = paired_mean_interval(np.full(30, 0.1), largest=1)
    assert interval.low < 0.1 < interval.high


def test_one_unit_has_no_interval():
    assert paired_mean_interval(np.array([0.4]), largest=1) is None
    assert paired_mean_interval(np.array([0.4, 0.1]), np.array([3, 3]), largest=1) is None


def test_members_that_agree_add_no_certainty():
    data = np.array([0.2, 0.9, -0.4, 0.7, 0.1])
    once = paired_mean_interval(data)
    copied = paired_mean_interval(np.repeat(data, 10), np.repeat(np.arange(5), 10))
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high))
    assert copied.method == "cluster-t"


def test_clusters_of_unlike_sizes_count_for_fewer():
    """The jackknife by hand, and t with n²/Σn_c² − 1 degrees of freedom."""
    data, clusters = np.array([0.5, 0.1, 0.3, 0.4, -0.2, 0.6]), np.array([0, 0, 0, 1, 2, 2])
    left_out = [data[clusters != c].mean() for c in range(3)]
    error = math.sqrt(2 * np.var(left_out))
    half = t_of(0.95, 36 / 14 - 1) * error
    interval = paired_mean_interval(data, clusters)
    centre = (interval.low + interval.high) / 2
    # The centre is the mean over samples.
    assert (centre, interval.high - centre) == pytest.approx((data.mean(), half))


@settings(max_examples=60)
@given(differences, st.booleans())
def test_it_holds_the_mean_and_stays_in_range(data, clustered):
    clusters = np.arange(len(data)) // 2 if clustered else None
    interval = paired_mean_interval(data, clusters, largest=1)
    if interval is not None:
        assert -1 <= interval.low <= data.mean() + 1e-12
        assert data.mean() - 1e-12 <= interval.high <= 1


@settings(max_examples=60)
@given(differences)
def test_swapping_the_sides_mirrors_it(data):
    one, other = paired_mean_interval(data, largest=1), paired_mean_interval(-data, largest=1)
    if one is not None:
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


@settings(max_examples=40)
@given(differences, st.floats(0.01, 100))
def test_the_unit_scales_it(data, unit):
    one, scaled = paired_mean_interval(data), paired_mean_interval(unit * data)
    if one is None:
        assert scaled is None
    else:
        assert (scaled.low, scaled.high) == pytest.approx((unit * one.low, unit * one.high), abs=1e-9 * unit)
        assert scaled.method == one.method
