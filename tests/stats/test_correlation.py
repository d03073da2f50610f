"""Correlation of two paired columns."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.correlation import (
    correlation_p_value,
    fisher_interval,
    kendall_tau_b,
    kendall_tau_c,
    pearson,
    spearman,
    spearman_interval,
)

ALL = [pearson, spearman, kendall_tau_b, kendall_tau_c]
grades = st.lists(st.tuples(st.integers(0, 8), st.integers(-4, 4)), min_size=3, max_size=60)


def columns(rows):
    x, y = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume(np.ptp(x) and np.ptp(y))
    return x, y


@given(grades)
def test_they_are_scipys(rows):
    x, y = columns(rows)
    assert pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert kendall_tau_b(x, y) == pytest.approx(stats.kendalltau(x, y, variant="b").statistic, abs=1e-12)
    assert kendall_tau_c(x, y) == pytest.approx(stats.kendalltau(x, y, variant="c").statistic, abs=1e-12)


@given(grades)
def test_the_p_value_and_the_interval_are_scipys(rows):
    x, y = columns(rows)
    r, reference = pearson(x, y), stats.pearsonr(x, y)
    assume(abs(r) < 1 - 1e-9)
    assert correlation_p_value(r, len(x)) == pytest.approx(reference.pvalue, rel=1e-6)
    if len(x) > 3:
        interval = fisher_interval(r, len(x), 0.9)
        assert (interval.low, interval.high) == pytest.approx(tuple(reference.confidence_interval(0.9)), abs=1e-9)


@given(grades)
def test_they_lie_within_one_and_turn_with_a_column(rows):
    x, y = columns(rows)
    for measure in ALL:
        assert -1 <= measure(x, y) <= 1
        assert measure(x, -y) == pytest.approx(-measure(x, y), abs=1e-12)
        assert measure(y, x) == pytest.approx(measure(x, y), abs=1e-12)


@given(grades)
def test_ranks_do_not_see_how_far_apart_values_are(rows):
    x, y = columns(rows)
    for measure in (spearman, kendall_tau_b, kendall_tau_c):
        assert measure(np.exp(x), y**3) == pytest.approx(measure(x, y), abs=1e-12)


def test_discordant_pairs_of_many_rows_are_counted_without_a_table_of_pairs():
    random = np.random.default_rng(5)
    x = random.normal(size=60_000)
    y = np.round(x + random.normal(size=60_000), 2)
    assert kendall_tau_b(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_no_square_leaves_the_floats(scale):
    x = np.array([1.0, 2, 4]) * scale
    assert pearson(x, [1, 2, 4]) == pytest.approx(1)


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize("x, y", [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [5, 5, 5]), ([], []), ([1], [1])])
def test_a_column_that_does_not_vary_has_no_correlation(measure, x, y):
    assert measure(x, y) is None


def test_rounding_is_no_variation():
    assert pearson([0.1 + 0.2, 0.3, 0.3], [1, 2, 3]) is None


def test_perfect_correlation_has_a_p_value_and_no_interval():
    assert pearson([1, 2, 3, 4], [2, 4, 6, 8]) == pytest.approx(1)
    assert correlation_p_value(1.0, 10) == 0
    assert fisher_interval(-1.0, 10) is None


def test_few_pairs_say_nothing():
    assert correlation_p_value(0.5, 2) is None
    assert fisher_interval(0.5, 3) is None


@pytest.mark.parametrize("measure", ALL)
def test_bad_columns_are_refused(measure):
    with pytest.raises(ValueError, match="one length"):
        measure([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="finite"):
        measure([1, math.nan], [1, 2])


@pytest.mark.parametrize("call", [correlation_p_value, fisher_interval])
@pytest.mark.parametrize("r", [1.1, math.nan])
def test_what_is_no_correlation_is_refused(call, r):
    with pytest.raises(ValueError, match="lies in"):
        call(r, 10)


def test_the_interval_of_spearmans_rho_is_wider_than_fishers() -> None:
    # Bonett and Wright: √((1 + ρ²/2)/(n − 3)) on the scale of artanh.
    found = spearman_interval(0.6, 53)
    assert found is not None
    half = 1.959963984540054 * ((1 + 0.18) / 50) ** 0.5
    assert (found.low, found.high) == pytest.approx(
        (math.tanh(math.atanh(0.6) - half), math.tanh(math.atanh(0.6) + half))
    )
    assert spearman_interval(1.0, 53) is spearman_interval(0.5, 3) is None
