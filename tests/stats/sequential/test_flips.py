"""Paths of swapped arms."""

import itertools

import numpy as np
import pytest

from llmkit.stats.sequential.boundary import equal_looks, spent_levels
from llmkit.stats.sequential.flips import crossed, sign_flips, swapped_totals


def test_a_later_look_continues_the_paths_of_an_earlier_one():
    values = np.random.default_rng(0).normal(size=(60, 2))
    early = swapped_totals(values[:20], (20,), (7,), flips=50)
    late = swapped_totals(values, (20, 60), (7,), flips=50)
    assert late[:, 0] == pytest.approx(early[:, 0])


def test_the_first_path_is_the_one_observed():
    losses = np.array([0.5, -0.25, 0.25, 0.5])
    paths = sign_flips(losses, (2, 4), (1,), flips=99)
    assert paths[0] == pytest.approx([0.5, 2.0])  # in units of the largest loss
    assert np.abs(paths[:, 1]).max() <= 3.0


def test_paths_have_the_distribution_of_all_signs():
    losses = np.array([0.1, 0.2, 0.4, 0.8])
    every = [np.dot(signs, losses) / 0.8 for signs in itertools.product((-1, 1), repeat=4)]
    drawn = sign_flips(losses, (4,), (3,), flips=20_000)[1:, 0]
    shares = [np.isclose(drawn, value).mean() for value in every]
    assert shares == pytest.approx([1 / 16] * 16, abs=3 * np.sqrt(1 / 16 * 15 / 16 / 20_000) + 0.003)


def test_ties_do_not_cross():
    assert crossed(np.zeros((1_000, 3)), (0.01, 0.03, 0.05)) is None


def test_of_exchangeable_paths_alpha_at_most_cross():
    # Each path in turn is the observed one: that is what exactness counts.
    paths = np.cumsum(np.random.default_rng(2).normal(size=(400, 4)), axis=1)
    levels = spent_levels(equal_looks(4), 0.05)
    hits = [crossed(np.roll(paths, -row, axis=0), levels) for row in range(len(paths))]
    for look, level in enumerate(levels):
        share = np.mean([hit is not None and hit <= look for hit in hits])
        assert level - 1 / 400 - 1e-9 <= share <= level


def test_a_clear_loss_crosses():
    losses = np.full(80, 0.1)
    assert crossed(sign_flips(losses, (40, 80), (1,)), spent_levels((0.5, 1.0), 0.05)) == 0


def test_the_seed_decides():
    losses = np.random.default_rng(0).normal(size=30)
    same = [sign_flips(losses, (30,), seed, flips=20).tolist() for seed in ((1, 2), (1, 2), (1, 3))]
    assert same[0] == same[1] != same[2]
