"""The empirical likelihood's score."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import optimize

from llmkit.stats.sequential.likelihood import el_bound, el_scores, el_z
from llmkit.stats.sequential.tango import tango_z

differences = arrays.arrays(np.float64, st.integers(2, 60), elements=st.floats(-1, 1).map(lambda x: round(x, 3)))


@settings(max_examples=50, deadline=None)
@given(differences, st.floats(0.01, 0.6))
def test_the_weights_are_the_likeliest_at_the_margin(d, margin):
    x = np.append(d + margin, margin - 1)
    w = np.append(np.ones(len(d)), 0.25)
    surplus = d.sum() - 0.25 + len(d) * margin
    if surplus <= 1e-6:
        return
    top = (1 - 1e-12) / (1 - margin)
    tilt = optimize.brentq(lambda t: (w * x / (1 + t * x)).sum(), 0, top, xtol=1e-15)
    p = w / (1 + tilt * x)
    p /= p.sum()
    assert (p * x).sum() == pytest.approx(0, abs=1e-6)
    assert el_z(d, margin) == pytest.approx(surplus / math.sqrt(len(d) * (p * x**2).sum()), rel=1e-5)


@pytest.mark.parametrize(("losses", "gains", "n"), [(3, 2, 200), (12, 9, 100), (0, 0, 60)])
def test_for_scores_of_0_and_1_it_is_tango_but_for_a_quarter_of_a_pair(losses, gains, n):
    d = np.concatenate([np.full(losses, -1.0), np.ones(gains), np.zeros(n - losses - gains)])
    assert el_z(d, 0.1) == pytest.approx(tango_z(losses, gains, n, 0.1), rel=0.02)


@settings(max_examples=50, deadline=None)
@given(differences, st.floats(1.0, 3.0))
def test_the_bound_is_where_the_score_meets_its_critical_value(d, z):
    bound = el_bound(d, z)
    assert -d.mean() - 1e-6 <= bound <= 1
    if bound < 0.99:
        assert el_z(d, bound + 1e-5) >= z - 1e-6


def test_rows_are_scored_one_by_one():
    d = np.random.default_rng(1).uniform(-1, 1, (50, 30))
    assert el_scores(d, 0.2) == pytest.approx([el_z(row, 0.2) for row in d], rel=1e-9)


def test_a_mean_below_the_margin_scores_below_0():
    assert el_z(np.full(20, -0.5), 0.2) < 0
    assert el_z(np.array([]), 0.2) == -math.inf
    assert el_bound(np.array([]), 1.6) == 1
