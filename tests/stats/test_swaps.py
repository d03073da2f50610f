"""Random and exhaustive swaps of pairs."""

import itertools

import numpy as np
import pytest

from llmkit.stats.swaps import ENUMERATED, Swaps


def test_few_pairs_are_swapped_in_all_ways():
    rows = np.array([[1.0, 10], [2, 20], [4, 40]])
    totals = Swaps(3, resamples=5, seed=0).totals(rows)
    expected = [
        rows[list(way)].sum(axis=0).tolist() for size in range(4) for way in itertools.combinations(range(3), size)
    ]
    assert sorted(totals.tolist()) == sorted(expected)


def test_no_pair_is_swapped_in_one_way():
    swaps = Swaps(0, resamples=5, seed=0)
    assert (swaps.exact, swaps.times) == (True, 1)
    assert swaps.totals(np.empty((0, 2))).tolist() == [[0, 0]]


def test_from_where_on_swaps_are_drawn():
    assert Swaps(ENUMERATED, resamples=5, seed=0).times == 2**16
    assert Swaps(ENUMERATED + 1, resamples=5, seed=0).times == 5


@pytest.mark.parametrize("count", [17, 63, 64, 65, 200])
def test_each_pair_is_swapped_half_of_the_time_and_by_itself(count):
    drawn = Swaps(count, resamples=4_000, seed=1).totals(np.eye(count))
    assert set(np.unique(drawn)) == {0, 1}
    assert np.abs(drawn.mean(axis=0) - 0.5).max() < 5 * np.sqrt(0.25 / 4_000)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(count)).max() < 6 / np.sqrt(4_000)


def test_the_size_of_the_parts_changes_no_bit(monkeypatch):
    whole = Swaps(100, resamples=300, seed=3).totals(np.eye(100))
    monkeypatch.setattr("llmkit.stats.swaps._CELLS", 900)
    assert (Swaps(100, resamples=300, seed=3).totals(np.eye(100)) == whole).all()


def test_seeds_matter():
    one, same, other = (Swaps(30, resamples=50, seed=seed).totals(np.eye(30)) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


def test_a_drawn_p_value_counts_what_was_seen():
    assert Swaps(3, resamples=9, seed=0).p_value(2) == 2 / 8
    assert Swaps(30, resamples=9, seed=0).p_value(0) == 1 / 10
