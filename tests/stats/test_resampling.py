"""Paired bootstrap and approximate randomisation."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.bootstrap import bca
from llmkit.stats.resampling import (
    centred_p_value,
    difference_of,
    paired_replicates,
    randomisation,
    sacrebleu_p_value,
)
from llmkit.stats.signflip import sign_flip


def ratio(totals):
    return totals[..., 0] / totals[..., 1]


def rows(values):
    values = np.asarray(values, dtype=float)
    return np.stack([values, np.ones(len(values))], axis=1)


def systems(n, seed=5, better=0.0):
    random = np.random.default_rng(seed)
    words, hard = random.integers(3, 30, n), random.beta(2, 6, n)
    return [
        np.stack([random.binomial(words, np.clip(hard - shift, 0, 1)), words], axis=1).astype(float)
        for shift in (0.0, better)
    ]


def test_all_systems_are_drawn_the_same_samples():
    data = np.random.default_rng(0).random(50)
    drawn = paired_replicates([rows(data), rows(data + 0.25)], ratio, resamples=200, seed=1)
    assert drawn.shape == (200, 2)
    assert drawn[:, 1] - drawn[:, 0] == pytest.approx(np.full(200, 0.25))


def test_the_interval_of_a_paired_difference_is_scipys():
    first, second = systems(80, better=0.03)
    ours = bca(*difference_of(first, second, ratio), resamples=20_000, seed=1)
    theirs = stats.bootstrap(
        (first[:, 0], second[:, 0], first[:, 1]),
        lambda a, b, w, axis=-1: (b.sum(axis) - a.sum(axis)) / w.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="BCa",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.002)


def test_of_few_samples_all_swaps_are_taken():
    first, second = systems(8, seed=3)
    seen, reached = ratio(second.sum(axis=0)) - ratio(first.sum(axis=0)), 0
    for way in itertools.product([False, True], repeat=8):
        swapped = np.array(way)[:, None]
        a, b = np.where(swapped, second, first), np.where(swapped, first, second)
        reached += abs(ratio(b.sum(axis=0)) - ratio(a.sum(axis=0))) >= abs(seen) - 1e-12
    assert randomisation(first, second, ratio) == pytest.approx(reached / 2**8)


def test_of_a_mean_it_is_the_sign_flip_test():
    random = np.random.default_rng(6)
    a, b = random.random(12), random.random(12)
    for side in ("two-sided", "greater", "less"):
        expected = sign_flip(b - a, alternative=side).p_value
        assert randomisation(rows(a), rows(b), ratio, side) == pytest.approx(expected)


def test_whole_clusters_are_swapped():
    random = np.random.default_rng(7)
    a, b, clusters = random.random(60), random.random(60), np.repeat(np.arange(12), 5)
    expected = sign_flip(b - a, clusters).p_value
    assert randomisation(rows(a), rows(b), ratio, clusters=clusters) == pytest.approx(expected)


def test_equal_systems_are_no_evidence():
    data = rows(np.random.default_rng(1).random(30))
    assert randomisation(data, data, ratio) == 1.0


def test_the_two_bootstrap_p_values_by_hand():
    drawn = np.array([-1.0, 1.0, 2.0, 3.0, 5.0])
    # Centred: |drawn − 2| is 3, 1, 0, 1, 3; twice it reaches 2. Sizes less their mean 2.4: only 5 − 2.4 exceeds 2.
    assert centred_p_value(drawn, 2.0) == pytest.approx(3 / 6)
    assert sacrebleu_p_value(drawn, 2.0) == pytest.approx(2 / 6)


def test_sacrebleus_p_value_is_sacrebleus():
    from sacrebleu.significance import _compute_p_value

    drawn = np.random.default_rng(2).normal(0.4, 0.3, 999)
    sizes = np.abs(drawn)
    assert sacrebleu_p_value(drawn, 0.4) == _compute_p_value(sizes - sizes.mean(), 0.4)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_order_of_samples_changes_nothing(random):
    first, second = systems(40)
    order = list(range(40))
    random.shuffle(order)
    once = randomisation(first, second, ratio, resamples=300)
    assert randomisation(first[order], second[order], ratio, resamples=300) == once
    drawn = paired_replicates([first, second], ratio, resamples=50)
    assert (paired_replicates([first[order], second[order]], ratio, resamples=50) == drawn).all()


@pytest.mark.parametrize("clusters", [None, np.repeat(np.arange(40), 3)], ids=["samples", "clusters"])
@pytest.mark.parametrize("seed", range(3))
def test_which_side_is_a_changes_no_p_value(clusters, seed):
    first, second = systems(120, seed=seed, better=0.02)
    one, other = (
        randomisation(*sides, ratio, resamples=500, seed=seed, clusters=clusters)
        for sides in ((first, second), (second, first))
    )
    assert one == other


def test_seeds_matter():
    first, second = systems(40, better=0.02)
    one, same, other = (randomisation(first, second, ratio, resamples=400, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("clustered", [False, True])
def test_the_level_is_kept(clustered):
    found, runs = 0, 300
    for run in range(runs):
        first, second = systems(40, seed=run)
        clusters = np.repeat(np.arange(20), 2) if clustered else None
        found += randomisation(first, second, ratio, resamples=199, seed=run, clusters=clusters) <= 0.05
    assert found / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_a_metric_without_a_value_is_refused():
    first, second = np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 3.0]])
    with np.errstate(invalid="ignore"), pytest.raises(ArithmeticError, match="no value"):
        randomisation(first, second, ratio)


def test_another_alternative_is_refused():
    with pytest.raises(ValueError, match="alternative"):
        randomisation(*systems(5), ratio, "both")


def peak_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_resamples_times_samples():
    """10,000 samples: 300 resamples of them at once would be 24 MB an array; 10,000 resamples, 800."""
    first, second = systems(10_000)
    data = second[:, 0] - first[:, 0]
    for call in (
        lambda: paired_replicates([first, second], ratio, resamples=1_000),
        lambda: randomisation(first, second, ratio, resamples=1_000),
        lambda: sign_flip(data, resamples=1_000),
    ):
        assert peak_of(call) < 60e6
