"""Where to cut scores, and what a cut gets right and wrong."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmkit.stats.calibration.thresholds import best_threshold, confusion
from llmkit.stats.confusion import Confusion

rows = st.lists(st.tuples(st.integers(-6, 6), st.integers(0, 1)), min_size=2, max_size=40)


def test_a_score_on_the_threshold_is_a_yes():
    assert confusion([0.4, 0.5, 0.5, 0.6], [1, 1, 0, 0], 0.5) == Confusion(tp=1, fp=2, fn=1, tn=0)


@given(rows)
def test_no_other_cut_is_better(pairs):
    x, y = (np.array(column) for column in zip(*pairs, strict=True))
    assume(0 < y.sum() < len(y))
    best = max(confusion(x, y, cut).balanced_accuracy for cut in [*x, 7])
    found = best_threshold(x, y)
    if found is None:
        assert best == 0.5
    else:
        assert found.confusion == confusion(x, y, found.threshold)
        assert found.confusion.balanced_accuracy == pytest.approx(best)
        assert best > 0.5


def test_the_cut_lies_in_the_middle_of_the_widest_gap_that_is_as_good():
    assert best_threshold([1, 2, 5, 6], [0, 0, 1, 1]).threshold == 3.5
    # Between 1 and 2, and between 4 and 9, the same rates: TPR + TNR = 1.5.
    assert best_threshold([1, 2, 4, 9], [0, 1, 0, 1]).threshold == 6.5


def test_neighbours_in_the_last_bit_are_told_apart():
    low, high = 1.0, math.nextafter(1.0, 2)
    assert best_threshold([low, high], [0, 1]).confusion == Confusion(1, 0, 0, 1)


@pytest.mark.parametrize("x, y", [([1, 2], [1, 1]), ([1, 2], [0, 0]), ([3, 3], [0, 1]), ([1, 2], [1, 0])])
def test_scores_that_tell_nothing_have_no_cut(x, y):
    assert best_threshold(x, y) is None


def test_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        confusion([1, 2], [0, 1], math.nan)
