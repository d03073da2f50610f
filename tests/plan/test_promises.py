"""What a plan promises, held against simulation: seeded, within three standard errors where nothing else is said."""

import math

import numpy as np
import pytest

from llmkit.plan.noise import _exceeds
from llmkit.plan.reach import visible
from llmkit.plans import Spread
from llmkit.stats.mcnemar import mcnemar_exact
from llmkit.stats.quantiles import t_tail

RUNS = 2000
ERROR = 3 * math.sqrt(0.8 * 0.2 / RUNS)


def spread(kind, value):
    return Spread(kind, value, None, 1.0, 100, "here", seen=value)


def discordant(psi, drop, n, seed):
    """Draw losses and gains of so many trials of n pairs."""
    psi = max(psi, drop)
    losses, gains = (psi + drop) / 2, (psi - drop) / 2
    drawn = np.random.default_rng(seed).multinomial(n, [losses, gains, 1 - psi], size=RUNS)
    return drawn[:, 0], drawn[:, 1]


@pytest.mark.parametrize(("psi", "n"), [(0.02, 200), (0.1, 200), (0.2, 500), (0.5, 1000)])
def test_the_difference_that_compare_sees_is_seen_four_times_of_five(psi, n):
    effect = visible(spread("binary", psi), n, 1, 0.8)
    losses, gains = discordant(psi, effect, n, 1)
    found = np.mean([mcnemar_exact(int(b), int(c)) <= 0.05 for b, c in zip(losses, gains, strict=True)])
    assert 0.8 - ERROR <= found <= 0.92  # discrete: near zero discordance it cannot be met closely


def test_a_graded_difference_is_seen_four_times_of_five():
    effect = visible(spread("graded", 0.04), 200, 1, 0.8)
    d = np.random.default_rng(2).normal(effect, 0.2, size=(RUNS, 200))
    t = d.mean(axis=1) / (d.std(axis=1, ddof=1) / math.sqrt(200))
    found = np.mean([2 * t_tail(abs(each), 199) <= 0.05 for each in t])
    assert abs(found - 0.8) <= ERROR + 0.005


@pytest.mark.parametrize(("psi", "n", "tolerance"), [(0.1, 400, 0.02), (0.3, 200, 0.05), (0.2, 1000, 0.01)])
def test_a_fixed_tolerance_fails_equal_prompts_as_often_as_is_said(psi, n, tolerance):
    losses, gains = discordant(psi, 0.0, n, 3)
    drop = (losses - gains) / n
    said = _exceeds(tolerance, math.sqrt(psi / n))
    # A drop of just the tolerance fails with one rule and passes with another: the normal lies between the two.
    assert np.mean(drop > tolerance + 1e-9) - 0.02 <= said <= np.mean(drop >= tolerance - 1e-9) + 0.02


@pytest.mark.parametrize(("psi", "n"), [(0.1, 400), (0.3, 200), (0.05, 1000)])
def test_equal_prompts_stay_within_the_noise_floor_95_times_of_100(psi, n):
    losses, gains = discordant(psi, 0.0, n, 4)
    within = np.mean(np.abs(losses - gains) / n <= 1.959964 * math.sqrt(psi / n))
    assert abs(within - 0.95) <= 3 * math.sqrt(0.05 * 0.95 / RUNS) + 0.01
