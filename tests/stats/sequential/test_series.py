"""Units: what may be counted as independent."""

import numpy as np
import pytest

from llmkit.stats.sequential.series import Series, unit_span, units

SAMPLE = np.array([7, 7, 3, 3, 9, 9])
SCORES = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])


def test_epochs_are_averaged_in_the_order_in_which_samples_appear():
    base, head = units(SCORES, 1 - SCORES, SAMPLE)
    assert base.tolist() == [0.5, 1.0, 0.5]
    assert head.tolist() == [0.5, 0.0, 0.5]


def test_clusters_keep_the_mean_over_samples_whatever_their_sizes():
    random = np.random.default_rng(0)
    cluster = np.repeat(np.arange(20), random.integers(1, 9, 20))
    values = random.random(len(cluster))
    base, head = units(values, values**2, np.arange(len(cluster)), cluster)
    assert base.shape == (20,)
    assert base.mean() == pytest.approx(values.mean())
    assert (head - base).mean() == pytest.approx((values**2 - values).mean())


def test_a_cluster_is_the_total_of_its_samples_over_the_mean_size():
    base, _ = units(np.ones(4), np.ones(4), np.arange(4), np.array([5, 5, 5, 2]))
    assert base.tolist() == [1.5, 0.5]
    assert unit_span(np.arange(4), np.array([5, 5, 5, 2])) == (9 + 1) / 2 / 2**2
    assert unit_span(np.arange(4)) == 1.0


def test_rows_of_sums_are_averaged_column_by_column():
    rows = np.array([[1.0, 10.0], [3.0, 10.0], [5.0, 20.0]])
    base, _ = units(rows, rows, np.array([0, 0, 1]), np.array([4, 4, 4]))
    assert base.tolist() == [[3.5, 15.0]]


def test_no_rows_are_no_units():
    nothing = np.array([])
    base, head = units(nothing, nothing, np.array([], dtype=np.int64), np.array([], dtype=np.int64))
    assert base.shape == head.shape == (0,)


@pytest.mark.parametrize(
    ("head", "counts", "says"),
    [
        (np.zeros(3), (2,), "one shape"),
        (np.zeros(2), (2, 1), "never fall"),
        (np.zeros(2), (1,), "end at the 2 pairs"),
        (np.array([0.0, np.nan]), (2,), "a value on both sides"),
    ],
)
def test_what_is_no_series_is_refused(head, counts, says):
    with pytest.raises(ValueError, match=says):
        Series(np.zeros(2), head, 2, counts)
