"""Intervals of a paired difference."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from llmkit.stats.bootstrap import jackknife
from llmkit.stats.paired_interval import MANY_TIES, paired_corpus_interval, paired_mean_interval
from llmkit.stats.quantiles import t_of
from llmkit.stats.resampling import difference_of
from llmkit.stats.tango import tango_bounds

differences = arrays(np.float64, st.integers(2, 60), elements=st.integers(-8, 8).map(lambda k: k / 8))


def test_without_ties_or_skewness_it_is_the_paired_t_interval():
    half = np.random.default_rng(0).normal(0, 0.2, 20)
    data = 0.1 + np.concatenate([half, -half])
    interval = paired_mean_interval(data)
    expected = stats.t.interval(0.95, 39, data.mean(), stats.sem(data))
    assert (interval.low, interval.high) == pytest.approx(expected)
    assert interval.method == "skew-t"


def test_each_bound_is_where_halls_transform_of_t_is_critical():
    """P. Hall, JRSS B 54, 1992: g(t) = t + a γ t²/√n + a² γ² t³/(3n) + b γ/√n, of a mean a = ⅓ and b = ⅙."""
    data = np.random.default_rng(0).exponential(0.2, 40)
    interval, root, skew = paired_mean_interval(data), math.sqrt(40), stats.skew(data)
    for bound, critical in ((interval.low, t_of(0.95, 39)), (interval.high, -t_of(0.95, 39))):
        t = (data.mean() - bound) / stats.sem(data)
        g = t + skew * t**2 / (3 * root) + skew**2 * t**3 / 27 / 40 + skew / (6 * root)
        assert g == pytest.approx(critical)
    assert interval.high - data.mean() > data.mean() - interval.low


def test_clusters_take_the_wider_side_of_t_and_its_correction():
    data = np.random.default_rng(0).exponential(0.2, 40)
    each, clustered = paired_mean_interval(data), paired_mean_interval(data, np.arange(40))
    low, high = stats.t.interval(0.95, 39, data.mean(), stats.sem(data))
    assert each.low > low
    assert (clustered.low, clustered.high) == pytest.approx((low, each.high))
    assert each.high > high


def test_with_many_ties_of_one_size_it_is_tangos_at_the_counts():
    """Won 4 and lost 9 of 50, each by .5; t's quantile stands in for the normal one, and s² for its estimate."""
    data = np.array([0.5] * 4 + [-0.5] * 9 + [0.0] * 37)
    interval = paired_mean_interval(data)
    low, high = tango_bounds(np.array(4.0), np.array(9.0), 50, t_of(0.95, 49) * math.sqrt(50 / 49))
    assert (interval.low, interval.high) == pytest.approx((low / 2, high / 2))
    assert interval.method == "effective-tango"


def test_some_ties_take_the_wider_side_of_both():
    data = np.array([0.0, *np.linspace(-0.3, 0.3, 20)])
    interval, half = paired_mean_interval(data), t_of(0.95, 20) * stats.sem(data)
    assert interval.method == "tango-or-skew-t"
    assert interval.low <= data.mean() - half + 1e-12
    assert interval.high >= data.mean() + half - 1e-12


def test_from_where_on_ties_are_many():
    assert MANY_TIES == 0.2
    assert paired_mean_interval(np.array([0.0, 0.1, 0.2, 0.3, 0.4])).method == "effective-tango"
    assert paired_mean_interval(np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])).method == "tango-or-skew-t"


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
    once = paired_mean_interval(data, np.arange(5))
    copied = paired_mean_interval(np.repeat(data, 10), np.repeat(np.arange(5), 10))
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high))
    assert copied.method == "cluster-skew-t"


def test_clusters_of_unlike_sizes_count_for_fewer():
    """The jackknife by hand, and t with n²/Σn_c² − 1 degrees of freedom."""
    data, clusters = np.array([0.5, 0.1, 0.3, 0.4, -0.2, 0.6]), np.array([0, 0, 0, 1, 2, 2])
    left_out = [data[clusters != c].mean() for c in range(3)]
    error = math.sqrt(2 * np.var(left_out))
    half = t_of(0.95, 36 / 14 - 1) * error
    interval = paired_mean_interval(data, clusters)
    # One cluster pulls the mean down far more than the others up: t is corrected below.
    assert interval.high == pytest.approx(data.mean() + half)
    assert interval.low < data.mean() - half


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


def ratio(totals):
    return totals[..., 0] / totals[..., 1]


def rows(values):
    return np.stack([values, np.ones(len(values))], axis=1)


@pytest.mark.parametrize("tied", [0, 4, 32], ids=["no ties", "some ties", "many ties"])
@pytest.mark.parametrize("clustered", [False, True])
def test_a_corpus_metric_that_is_a_mean_has_the_means_interval_but_for_skewness(tied, clustered):
    random = np.random.default_rng(3)
    a, half = random.random(40), random.normal(0.1, 0.2, 20 - tied // 2)
    b = a + np.concatenate([np.zeros(tied), half, -half])
    clusters = np.repeat(np.arange(20), 2) if clustered else None
    corpus = paired_corpus_interval(rows(a), rows(b), ratio, clusters)
    mean = paired_mean_interval(b - a, clusters)
    assert (corpus.low, corpus.high) == pytest.approx((mean.low, mean.high))
    assert corpus.method == mean.method.replace("skew-t", "jackknife")


def word_errors(n, touched, seed=5):
    random = np.random.default_rng(seed)
    words, hard = random.integers(3, 30, n), random.beta(1, 4, n)
    first = random.binomial(words, hard)
    second = np.where(random.random(n) < touched, random.binomial(words, hard), first)
    return [np.stack([errors, words], axis=1).astype(float) for errors in (first, second)]


def test_where_no_sample_ties_it_is_the_jackknife():
    random = np.random.default_rng(6)
    words = random.integers(3, 30, 40)
    first = np.stack([random.binomial(words, 0.3), words], axis=1).astype(float)
    second = first + np.stack([random.integers(1, 3, 40), random.integers(0, 3, 40)], axis=1)
    interval = paired_corpus_interval(first, second, ratio)
    plain = jackknife(*difference_of(first, second, ratio))
    assert (interval.low, interval.high) == pytest.approx((plain.low, plain.high))
    assert interval.method == "jackknife"


def test_a_few_changed_samples_of_a_corpus_lean_away_from_zero():
    """Four changed samples of sixty, all for the worse: the jackknife alone is as short above as below."""
    first, _ = word_errors(60, 0)
    second = first.copy()
    second[[3, 17, 30, 44], 0] += 2
    interval, plain = paired_corpus_interval(first, second, ratio), jackknife(*difference_of(first, second, ratio))
    assert interval.method == "effective-tango"
    seen = ratio(second.sum(axis=0)) - ratio(first.sum(axis=0))
    assert interval.high > plain.high
    assert interval.high - seen > 1.3 * (seen - interval.low)


def test_swapping_the_sides_mirrors_a_corpus_interval():
    first, second = word_errors(50, 0.4)
    one, other = paired_corpus_interval(first, second, ratio), paired_corpus_interval(second, first, ratio)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)


def test_a_corpus_interval_needs_two_units_spread_and_a_value_without_each():
    first, second = word_errors(40, 0.5)
    assert paired_corpus_interval(first, first, ratio) is None
    assert paired_corpus_interval(first[:1], second[:1], ratio) is None
    assert paired_corpus_interval(first, second, ratio, np.zeros(40, dtype=int)) is None
    with np.errstate(invalid="ignore"):
        lone = np.array([[1.0, 3.0], [0.0, 0.0]])  # without the first row there is no denominator
        assert paired_corpus_interval(lone, 2 * lone, ratio) is None
