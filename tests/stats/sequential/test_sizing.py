"""Planned units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.sequential.power import powered_n, real_power
from llmkit.stats.sequential.sizing import (
    discordance_limit,
    discordance_seen,
    fixed_n,
    independent_discordance,
    metric_power,
    planned_n,
    planned_n_graded,
    resolvable_margin,
    variance_limit,
)

margins = st.floats(0.01, 0.3)


@given(margins, st.floats(0.0, 1.0))
def test_one_look_needs_fewer_units_and_clusters_more(margin, discordance):
    sizes = planned_n(margin, discordance)
    assert fixed_n(margin, discordance).n <= sizes.n == max(sizes.n_fail, sizes.n_pass)
    assert planned_n(margin, discordance, deff=2.0).n >= 2 * sizes.n - 1
    assert planned_n(margin, discordance, share=0.25).n_fail >= sizes.n_fail


@given(margins)
def test_where_nothing_differs_the_units_are_those_that_rule_the_margin_out(margin):
    least = np.log(0.05) / np.log1p(-margin)
    assert planned_n(margin, 0.0).n_pass >= least
    assert planned_n_graded(margin, 0.0).n_pass >= least


@settings(max_examples=50)
@given(st.integers(60, 5_000), st.floats(0.01, 0.5))
def test_the_resolvable_margin_is_the_smallest_that_the_units_can_decide(n, discordance):
    margin = resolvable_margin(n, discordance=discordance)
    assert planned_n(margin + 1e-5, discordance).n <= n
    assert planned_n(margin - 1e-4, discordance).n > n or margin < 1e-3


def test_the_resolvable_margin_follows_from_one_kind_of_spread():
    assert resolvable_margin(300, variance=0.05) < resolvable_margin(300, variance=0.2)
    for wrong in ({}, {"variance": 0.1, "discordance": 0.1}):
        with pytest.raises(ValueError, match="give one"):
            resolvable_margin(300, **wrong)


@pytest.mark.parametrize(("margin", "spread"), [(0.0, 0.1), (1.0, 0.1), (0.1, -0.1), (0.1, 1.1)])
def test_what_is_no_margin_or_spread_is_refused(margin, spread):
    for plan in (planned_n, planned_n_graded):
        with pytest.raises(ValueError, match="lies in"):
            plan(margin, spread)


def test_the_limit_of_the_discordance_is_one_sided():
    assert discordance_limit(3, 200) == pytest.approx(stats.beta.ppf(0.8, 4, 197))
    assert discordance_limit(0, 100) == pytest.approx(1 - 0.2 ** (1 / 100))
    assert discordance_limit(5, 5) == 1
    with pytest.raises(ValueError, match="cannot differ"):
        discordance_limit(6, 5)


def test_the_limit_of_the_variance_holds_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = [variance_limit(random.choice([-0.5, 0, 0, 0.25], 200)) >= 0.0742 for _ in range(1_000)]
    assert np.var([-0.5, 0, 0, 0.25]) == pytest.approx(0.0742, abs=1e-4)
    assert np.mean(held) == pytest.approx(0.8, abs=0.05)
    with pytest.raises(ValueError, match="two differences"):
        variance_limit(np.zeros(1))


def test_small_helpers():
    assert metric_power(1) == pytest.approx(0.82)
    assert metric_power(4) == pytest.approx(0.955)
    assert discordance_seen(0, 0, 98) == 0.01
    assert independent_discordance(0.9) == pytest.approx(0.18)


@pytest.mark.parametrize(("margin", "discordance"), [(0.02, 0.0048), (0.1, 0.025), (0.05, 0.1)])
def test_the_plan_is_made_larger_until_its_real_power_is_there(margin, discordance):
    found = powered_n(margin, discordance)
    planned = planned_n(margin, discordance).n
    assert planned <= found.n <= 1.4 * planned
    assert found.pass_at_no_change >= 0.8
    assert found.fail_at_2m >= 0.9


def test_the_staircase_is_why():
    assert real_power(0.02, 0.0048, planned_n(0.02, 0.0048).n).pass_at_no_change < 0.75


def test_what_cannot_be_mended_is_told():
    found = powered_n(0.1, 0.025, target=0.9999, runs=500)
    assert found.pass_at_no_change < 0.9999
