"""The score interval of a difference between paired proportions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from llmkit.stats.proportion import wilson
from llmkit.stats.quantiles import z_of
from llmkit.stats.sequential.tango import tango_z
from llmkit.stats.tango import tango, tango_bounds

pairs = st.integers(1, 400).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda won: st.tuples(st.just(won), st.integers(0, n - won), st.just(n)))
)


def test_the_figure_of_another_implementation():
    """R's PropCIs 0.3-0, ``scoreci.mp(25, 28, 618, conf.level = 0.90)``: −.0148, .0247."""
    interval = tango(28, 25, 618, 0.90)
    assert (round(interval.low, 4), round(interval.high, 4)) == (-0.0148, 0.0247)
    assert interval.method == "tango"


@pytest.mark.parametrize(("won", "lost", "n"), [(40, 20, 160), (3, 13, 400), (2, 2, 30), (7, 0, 50)])
def test_the_bounds_are_where_the_score_of_the_constrained_likelihood_is_critical(won, lost, n):
    """Without the closed form: the nuisance rate is found by maximising the multinomial likelihood."""
    interval = tango(won, lost, n)
    for bound in (interval.low, interval.high):

        def unlikely(rate, bound=bound):
            cells = np.array([rate + bound, rate, 1 - 2 * rate - bound])
            counts = np.array([won, lost, n - won - lost])
            return -float((counts * np.log(np.maximum(cells, 1e-300))).sum())

        ends = max(0.0, -bound) + 1e-12, (1 - bound) / 2 - 1e-12
        rate = optimize.minimize_scalar(unlikely, bounds=ends, method="bounded", options={"xatol": 1e-13}).x
        score = (won - lost - n * bound) / np.sqrt(n * (2 * rate + bound - bound**2))
        assert abs(score) == pytest.approx(z_of(0.95), abs=2e-4)


@given(pairs)
def test_it_holds_what_was_seen_and_stays_in_range(given_pairs):
    won, lost, n = given_pairs
    interval = tango(won, lost, n)
    assert -1 <= interval.low <= (won - lost) / n <= interval.high <= 1


@given(pairs)
def test_swapping_the_sides_mirrors_it(given_pairs):
    won, lost, n = given_pairs
    one, other = tango(won, lost, n), tango(lost, won, n)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


@given(pairs)
def test_more_confidence_is_wider(given_pairs):
    narrow, wide = (tango(*given_pairs, confidence) for confidence in (0.8, 0.99))
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@given(pairs)
def test_the_gates_score_is_critical_at_its_bounds(given_pairs):
    """The gate has a score of its own, with a quarter of a loss added; without it, both are one."""
    won, lost, n = given_pairs
    interval = tango(won, lost, n)
    for bound in (interval.low, interval.high):
        if -1 + 1e-6 < bound < 1 - 1e-6:
            assert abs(tango_z(lost, won, n, -bound, w=0)) == pytest.approx(z_of(0.95), rel=1e-5)


def test_equal_answers_are_not_proof_of_equality():
    z2 = z_of(0.95) ** 2
    for n in (1, 20, 1000):
        assert tango(0, 0, n).high == pytest.approx(z2 / (n + z2), rel=1e-9)


def test_all_won_or_all_lost():
    assert tango(30, 0, 30).high == 1
    assert tango(0, 30, 30).low == -1
    # The likeliest way to a smaller difference is that the rest is lost: a coin, so Wilson's bound from −1 to 1.
    assert tango(30, 0, 30).low == pytest.approx(2 * wilson(30, 30).low - 1, abs=1e-9)


def test_arrays_give_what_single_counts_give():
    won, lost = np.array([0.0, 5, 12]), np.array([0.0, 9, 1])
    low, high = tango_bounds(won, lost, 40, z_of(0.95))
    singles = [tango(w, s, 40) for w, s in zip(won, lost, strict=True)]
    assert low.tolist() == pytest.approx([one.low for one in singles])
    assert high.tolist() == pytest.approx([one.high for one in singles])


@pytest.mark.parametrize("counts", [(0, 0, 0), (-1, 0, 5), (3, 3, 5)])
def test_counts_that_cannot_be_are_refused(counts):
    with pytest.raises(ValueError, match="won"):
        tango(*counts)
