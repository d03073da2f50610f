"""Boundaries, and what they do under a drift."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.sequential.boundary import (
    INFLATION,
    boundary,
    equal_looks,
    inflation,
    operating_characteristics,
    spent_levels,
)
from llmkit.stats.sequential.spending import GATE, hwang_shih_decani, obrien_fleming, pocock

EIGHT = equal_looks(8)


def test_the_gate_has_the_boundary_that_was_designed():
    levels = spent_levels(EIGHT, 0.05)
    z = (2.8447, 2.7049, 2.5579, 2.4121, 2.2672, 2.1216, 1.9741, 1.8232)
    assert levels == pytest.approx((0.00222, 0.00508, 0.00874, 0.01345, 0.01949, 0.02725, 0.03721, 0.05), abs=1e-5)
    assert boundary(EIGHT, levels) == pytest.approx(z, abs=1e-4)


def test_one_look_is_the_fixed_test():
    assert boundary((1.0,), (0.05,)) == pytest.approx((1.6448536,), abs=1e-7)


@pytest.mark.parametrize("spending", [GATE, obrien_fleming, pocock, hwang_shih_decani(0.0), hwang_shih_decani(3.0)])
def test_spending_rises_from_nothing_to_alpha_and_stays(spending):
    spent = [spending(t, 0.05) for t in np.linspace(0, 1.2, 25)]
    assert spent[0] == pytest.approx(0, abs=1e-9)
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(0.05)


def test_the_paths_cross_as_often_as_the_multivariate_normal_says():
    fractions = (0.2, 0.5, 1.0)
    z = boundary(fractions, spent_levels(fractions, 0.05))
    covariance = [[min(s, t) / np.sqrt(s * t) for t in fractions] for s in fractions]
    for drift in (0.0, 2.0):
        inside = stats.multivariate_normal(cov=covariance).cdf(np.array(z) - drift * np.sqrt(fractions))
        power = operating_characteristics(fractions, z, drift).power
        assert power == pytest.approx(1 - inside, abs=2e-5)


def test_under_no_drift_each_look_spends_what_it_may():
    levels = spent_levels(EIGHT, 0.05)
    found = operating_characteristics(EIGHT, boundary(EIGHT, levels), 0.0)
    assert np.cumsum(found.crossing) == pytest.approx(levels, abs=1e-6)
    assert found.expected == pytest.approx(1 - sum((1 - t) * c for t, c in zip(EIGHT, found.crossing, strict=True)))


def test_the_inflation_is_the_constant_that_plans_use():
    assert inflation(EIGHT) == pytest.approx(INFLATION, abs=1e-4)
    assert inflation((1.0,)) == pytest.approx(1.0, abs=1e-3)


def test_a_look_depends_on_no_later_one():
    levels = spent_levels(EIGHT, 0.05)
    assert boundary(EIGHT[:5], levels[:5]) == boundary(EIGHT, levels)[:5]


def test_a_look_with_neither_information_nor_error_changes_nothing():
    levels = spent_levels((0.5, 1.0), 0.05)
    once = boundary((0.5, 1.0), levels)
    assert boundary((0.5, 0.5, 1.0), (levels[0], *levels)) == pytest.approx((once[0], *once), abs=1e-9)


def test_information_without_error_left_cannot_cross():
    assert boundary((0.5, 1.0), (0.05, 0.05))[1] == np.inf


def test_error_without_information_lowers_the_boundary():
    first, second = boundary((0.5, 0.5), (0.02, 0.05))
    assert second < first
    # Both looks see one value, so that together they are one test at 5 %.
    assert second == pytest.approx(stats.norm.isf(0.05), abs=0.02)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.05, 1.0), min_size=1, max_size=5, unique=True).map(sorted), st.floats(0.001, 0.2))
def test_no_look_is_easier_than_the_test_that_spends_all_at_once(fractions, alpha):
    levels = spent_levels(fractions, alpha)
    for z, level, before in zip(boundary(fractions, levels), levels, (0.0, *levels), strict=False):
        assert stats.norm.isf(level) - 1e-6 <= z <= stats.norm.isf(level - before) + 1e-6
