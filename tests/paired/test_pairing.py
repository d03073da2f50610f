"""Pairs are the same sample in the same epoch; groups are side b's."""

import numpy as np
import pytest

from llmkit.errors import DataError
from llmkit.paired.pairing import pair
from tests.paired.sides import held, row


def test_pairs_are_made_by_sample_and_epoch_whatever_the_order():
    a = held([row("x", 1), row("y", 1, epoch=2), row("y", 1), row("z", 1)])
    b = held([row("y", 0), row("w", 0), row("x", 0), row("y", 0, epoch=2)])
    pairs = pair(a, b)
    assert list(zip(pairs.a, pairs.b, strict=True)) == [(2, 0), (0, 2), (1, 3)]
    assert (pairs.only_a, pairs.only_b) == (1, 1)


def test_epochs_of_one_sample_share_its_number():
    sides = [held([row("x", 1), row("y", 1), row("x", 1, epoch=2)]) for _ in "ab"]
    assert pair(*sides).sample.tolist() == [0, 1, 0]


def test_an_epoch_that_one_side_lacks_is_no_pair():
    pairs = pair(held([row("x", 1)]), held([row("x", 1), row("x", 1, epoch=2)]))
    assert (len(pairs), pairs.only_b) == (1, 1)


def test_a_sample_that_stands_twice_in_an_epoch_is_refused():
    with pytest.raises(DataError, match="here: the sample 'x' stands twice in epoch 1"):
        held([row("x", 1), row("x", 0)])


def test_clusters_and_slices_are_side_bs():
    a = held([row("x", 1, cluster="one", slices={"t": "old"}), row("y", 1, cluster="two")])
    b = held([row("x", 1, cluster="c", slices={"t": "u"}), row("y", 1, cluster="c", slices={"t": "v"})])
    pairs = pair(a, b)
    assert pairs.clusters is not None
    assert len(np.unique(pairs.clusters)) == 1
    assert {value: rows.tolist() for value, rows in pairs.slices["t"].items()} == {
        "u": [True, False],
        "v": [False, True],
    }


def test_samples_without_a_cluster_are_clusters_of_their_own():
    rows = [row("x", 1, cluster="c"), row("y", 1, cluster="c"), row("z", 1), row("w", 1)]
    clusters = pair(held(rows), held(rows)).clusters
    assert clusters is not None
    assert clusters[0] == clusters[1]
    assert len(np.unique(clusters)) == 3


@pytest.mark.parametrize("names", [("a", "b", "c"), (None, None, None)])
def test_clusters_of_one_sample_each_are_none(names):
    rows = [row(f"s{i}", 1, cluster=name) for i, name in enumerate(names)]
    assert pair(held(rows), held(rows)).clusters is None


def test_slices_that_no_pair_is_in_are_left_out():
    b = held([row("x", 1, slices={"t": "u"}), row("y", 1, slices={"t": "v"})])
    assert list(pair(held([row("y", 1)]), b).slices["t"]) == ["v"]
