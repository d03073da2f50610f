"""Planned units of a relative rise: the rules themselves, simulated at the n that is planned."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.sequential.measures import QuantileRise, RatioOfMeans, Series
from llmkit.stats.sequential.rises import planned_n_quantile, planned_n_ratio, quantile_floor, ratio_floor
from llmkit.stats.sequential.simulation import simulate_trials
from llmkit.stats.sequential.trial import Trial
from tests.simulations import ALL, every

CONSTANT, WIDE = 0.0, 1.0


def amounts(own, noise, rise=0.0):
    """Lognormal amounts; each of head's is base's but for noise and the rise."""

    def draw(random, n):
        base = random.lognormal(0, own, n)
        return base, (1 + rise) * base * random.lognormal(-(noise**2) / 2, noise, n)

    return draw


def planned(margin, own, noise, **more):
    shape = math.exp(own**2)
    return planned_n_ratio(margin, (math.exp(noise**2) - 1) * shape, shape - 1, **more)


def passes(measure, n):
    trial, counts = Trial([measure], n_max=n), ()
    while (count := trial.next_count()) is not None:
        counts = (*counts, count)
        said = trial.look({measure.name: Series(np.ones(count), np.ones(count), count, counts)})
    return said == "pass"


@pytest.mark.parametrize("own", [CONSTANT, WIDE])
@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2, 0.4, 0.6] if ALL else [0.0, 0.4])
def test_a_cost_that_did_not_change_passes_at_its_planned_n(own, noise):
    n = planned(0.2, own, noise).n
    assert simulate_trials(RatioOfMeans("cost", 0.2), amounts(own, noise), n, runs=200).passed >= 0.8


@pytest.mark.parametrize("noise", [0.1, 0.4, 0.6] if ALL else [0.4])
def test_a_cost_that_rose_by_twice_the_margin_fails_at_its_planned_n(noise):
    n = planned(0.2, CONSTANT, noise).n
    assert simulate_trials(RatioOfMeans("cost", 0.2), amounts(CONSTANT, noise, 0.4), n, runs=50).failed >= 0.8


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.2] if ALL else [0.2])
def test_equal_costs_pass_from_the_floor_on_and_not_before(margin):
    floor = ratio_floor(margin)
    assert passes(RatioOfMeans("cost", margin), floor)
    assert not passes(RatioOfMeans("cost", margin), floor - 1)
    assert planned_n_ratio(margin, 0.0).n_pass >= floor


@pytest.mark.parametrize(
    ("quantile", "spread", "margin"), every([(0.95, 0.2, 0.25), (0.5, 0.5, 0.25), (0.95, 0.5, 0.25)], 3)
)
def test_a_latency_that_did_not_change_passes_at_its_planned_n(quantile, spread, margin):
    step = min(quantile, 1 - quantile) / 2
    z = np.quantile(np.random.default_rng(0).normal(size=1_000_000), [quantile - step, quantile + step])
    variance = 2 * quantile * (1 - quantile) * (spread * (z[1] - z[0]) / (2 * step)) ** 2
    n = planned_n_quantile(margin, variance, quantile).n
    measure = QuantileRise("latency", margin, quantile)

    def draw(random, n):
        return tuple(np.exp(spread * random.normal(size=(2, n))))

    assert simulate_trials(measure, draw, n, runs=200).passed >= 0.76


def test_a_percentile_has_no_bound_below_its_floor():
    assert quantile_floor(0.95) == 66  # .95⁶⁶ = .034, the last look's level
    assert not passes(QuantileRise("latency_p95", 0.25), 65)
    assert passes(QuantileRise("latency_p95", 0.25), 66)


@given(st.floats(0.01, 5), st.floats(0, 5), st.floats(0, 5))
def test_more_spread_and_a_smaller_share_of_alpha_never_need_fewer(margin, variance, more):
    for plan in (planned_n_ratio, lambda m, v, **k: planned_n_quantile(m, v, 0.95, **k)):
        sizes = plan(margin, variance)
        assert sizes.n == max(sizes.n_fail, sizes.n_pass)
        assert plan(margin, variance + more).n >= sizes.n
        assert plan(margin, variance, share=0.25).n_fail >= sizes.n_fail
        assert plan(2 * margin, variance).n <= sizes.n


@pytest.mark.parametrize(("margin", "variance"), [(0.0, 0.1), (0.1, -0.1)])
def test_what_is_no_margin_or_variance_is_refused(margin, variance):
    with pytest.raises(ValueError, match=r"margin|variance"):
        planned_n_ratio(margin, variance)
    with pytest.raises(ValueError, match=r"margin|variance"):
        planned_n_quantile(margin, variance, 0.95)
