"""Bets that a total is above 0: they seldom win where it is not, at any time; and win where it is."""

import math

import numpy as np
import pytest

from llmkit.stats.sequential.bets import Bets


def peaks(differences):
    """The largest log wealth of each row of ``differences``, shape (series, items), in the order given."""
    count, total = differences.shape
    bets, sums = Bets(count, total), np.zeros(count)
    for column in differences.T:
        bets.draw(column, sums)
        sums = sums + column
    return bets.peaks


def shuffled(values, times, seed=0):
    random = np.random.default_rng(seed)
    return np.stack([random.permutation(values) for _ in range(times)])


@pytest.mark.parametrize(
    "values",
    [
        [1.0, -1.0] * 20,
        [1.0] * 10 + [-1.0] * 10 + [0.0] * 80,
        [1.0] * 3 + [-0.3] * 10 + [0.0] * 17,
        [0.5, 0.25, -0.75] * 15,
    ],
    ids=["coin", "few differ", "weights", "thirds"],
)
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_a_total_of_zero_is_seldom_taken_for_more_whenever_one_looks(values, alpha):
    found = peaks(shuffled(np.array(values), 3000))
    wrong = float((found >= math.log(1 / alpha)).mean())
    assert wrong <= alpha + 2 * math.sqrt(alpha * (1 - alpha) / 3000)


def test_a_large_total_is_proven_after_a_part_of_the_items():
    found = peaks(shuffled(np.array([1.0] * 45 + [-1.0] * 5 + [0.0] * 50), 200)[:, :40])
    assert (found >= math.log(20)).mean() > 0.8


def test_what_the_items_to_come_cannot_bring_back_is_proven_for_certain():
    assert peaks(np.array([[1.0, 1.0, 1.0, -1.0, -1.0]]))[0] == math.inf  # 3 up, 2 to come


def test_a_lead_that_may_still_be_lost_is_not_certain():
    assert math.isfinite(peaks(np.array([[1.0, 1.0, -1.0, -1.0]]))[0])


def test_series_do_not_know_each_other():
    both = shuffled(np.array([1.0] * 12 + [-1.0] * 3), 5)
    assert peaks(both).tolist() == pytest.approx([float(peaks(row[None])[0]) for row in both])
