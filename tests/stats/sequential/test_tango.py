"""Tango's score."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from llmkit.stats.quantiles import normal_quantile
from llmkit.stats.sequential.tango import least_margin, tango_bound, tango_z

tables = st.integers(1, 500).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n)).filter(lambda t: t[0] + t[1] <= n)
)


@pytest.mark.parametrize("margin", [-0.3, -0.05, 0.02, 0.1, 0.4])
@pytest.mark.parametrize(("losses", "gains", "n"), [(3, 2, 200), (12, 9, 100), (5, 0, 60), (0, 7, 60)])
def test_the_variance_is_that_of_the_constrained_likelihood(losses, gains, n, margin):
    low = max(0.0, -margin)

    def cost(gain):
        loss, same = gain + margin, 1 - 2 * gain - margin
        terms = ((losses, loss), (gains, gain), (n - losses - gains, same))
        return -sum(k * math.log(max(p, 1e-300)) for k, p in terms if k)

    gain = optimize.minimize_scalar(cost, bounds=(low, (1 - margin) / 2), method="bounded", options={"xatol": 1e-12}).x
    expected = (gains - losses + n * margin) / math.sqrt(n * (2 * gain + margin - margin**2))
    assert tango_z(losses, gains, n, margin, w=0) == pytest.approx(expected, abs=1e-3)


@given(tables)
def test_a_larger_margin_is_ruled_out_more_easily(table):
    z = [tango_z(*table, margin) for margin in np.linspace(-0.95, 0.95, 39)]
    assert np.isfinite(z).all()
    assert (np.diff(z) > -1e-9).all()


@given(tables, st.floats(1.0, 3.0))
def test_the_bound_is_where_the_score_meets_its_critical_value(table, z):
    bound = tango_bound(*table, z)
    assert (table[0] - table[1]) / table[2] - 1e-9 <= bound <= 1
    if -0.99 < bound < 0.99:
        assert tango_z(*table, bound) == pytest.approx(z, abs=1e-5)


def test_no_pairs_rule_nothing_out():
    assert tango_bound(0, 0, 0, 1.6) == 1
    assert tango_bound(0, 0, 50, math.inf) == 1
    assert least_margin(0, 1.6) == 1


@pytest.mark.parametrize(("margin", "n"), [(0.02, 149), (0.05, 59), (0.10, 29)])
def test_the_least_margin_is_the_exact_test_of_no_loss(margin, n):
    z = normal_quantile(0.95)
    assert least_margin(n, z) <= margin < least_margin(n - 1, z)
