"""The exact walk of losses."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.sequential.boundary import equal_looks, spent_levels
from llmkit.stats.sequential.signs import coin, critical_losses, critical_losses_many, losses_and_pairs

increments = st.lists(st.integers(0, 4), min_size=1, max_size=4)  # all sequences of signs are enumerated


def ever_crossing(pairs, critical):
    """Enumerate all sign sequences; share of those that cross."""
    flips = np.array(list(itertools.product((0, 1), repeat=pairs[-1]))).reshape(2 ** pairs[-1], pairs[-1])
    crossed = [flips[:, :n].sum(axis=1) >= c for n, c in zip(pairs, critical, strict=True)]
    return float(np.any(crossed, axis=0).mean())


@settings(max_examples=40, deadline=None)
@given(increments, st.floats(0.01, 0.3))
def test_fair_coins_cross_with_alpha_at_most(steps, alpha):
    pairs = np.cumsum(steps).tolist()
    levels = spent_levels(equal_looks(len(pairs)), alpha)
    critical = critical_losses(pairs, levels)
    for look in range(len(pairs)):
        assert ever_crossing(pairs[: look + 1], critical[: look + 1]) <= levels[look] + 1e-12


@settings(max_examples=40, deadline=None)
@given(increments, st.floats(0.01, 0.3))
def test_one_loss_less_would_spend_too_much(steps, alpha):
    pairs = np.cumsum(steps).tolist()
    levels = spent_levels(equal_looks(len(pairs)), alpha)
    critical = critical_losses(pairs, levels)
    eager = (*critical[:-1], critical[-1] - 1)
    assert ever_crossing(pairs, eager) > levels[-1]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), min_size=8, max_size=8), min_size=1, max_size=5))
def test_many_walks_at_once_are_the_walks_one_by_one(steps):
    pairs, levels = np.cumsum(steps, axis=1), spent_levels(equal_looks(8), 0.05)
    one_by_one = [critical_losses(row, levels) for row in pairs.tolist()]
    # Where a walk has lost all its paths but a few, no losses can be seen that tell the two apart.
    reachable = np.minimum(np.array(one_by_one), pairs + 1)
    assert np.minimum(critical_losses_many(pairs, levels), pairs + 1).tolist() == reachable.tolist()


def test_without_gains_five_losses_are_the_least_that_prove_anything():
    levels = spent_levels(equal_looks(8), 0.05)
    first = [critical_losses([n], [levels[-1]])[0] for n in range(8)]
    assert first == [1, 2, 3, 4, 5, 5, 6, 7]


def test_a_coin_is_binomial():
    for n in (0, 1, 7, 2_000):
        assert coin(n) == pytest.approx(stats.binom.pmf(np.arange(n + 1), n, 0.5), rel=1e-9, abs=1e-300)


def test_losses_and_pairs_are_counted_up_to_each_look():
    d = np.array([-1, 0, 1, -1, -1, 0])
    assert losses_and_pairs(d, (0, 3, 6)) == ((0, 1, 3), (0, 2, 4))
