"""Intervals of Bradley–Terry strengths."""

import numpy as np
import pytest

from llmkit.stats.bradley_terry import bradley_terry
from llmkit.stats.strength_intervals import strength_intervals


def table_of(first, second, outcomes, k):
    wins = np.zeros((k, k))
    np.add.at(wins, (first, second), outcomes)
    np.add.at(wins, (second, first), 1 - np.asarray(outcomes))
    return wins


def drawn(rng, strengths, samples, *, shared):
    """Each sample compares every pair once; ``shared`` adds a sample's own liking for each model."""
    pairs = [(i, j) for i in range(len(strengths)) for j in range(i + 1, len(strengths))]
    liking = rng.normal(0, shared, (samples, len(strengths)))
    first, second, outcomes, of = [], [], [], []
    for sample in range(samples):
        own = np.asarray(strengths) + liking[sample]
        for i, j in pairs:
            first.append(i), second.append(j), of.append(sample)
            outcomes.append(float(rng.random() < 1 / (1 + np.exp(own[j] - own[i]))))
    return np.array(first), np.array(second), np.array(outcomes), np.array(of)


def test_two_models_have_the_textbook_interval_of_a_log_odds():
    outcomes = np.array([1.0] * 30 + [0.0] * 20)
    first, second = np.zeros(50, int), np.ones(50, int)
    fit = bradley_terry(table_of(first, second, outcomes, 2))
    found = strength_intervals(fit, first, second, outcomes, np.arange(50))
    half = 2.0095752371292397 * np.sqrt(1 / 30 + 1 / 20) / 2 * np.sqrt(50 / 49)  # scipy.stats.t.ppf(.975, 49)
    assert found[0].high - found[0].low == pytest.approx(2 * half, rel=1e-6)
    assert (found[0].low + found[0].high) / 2 == pytest.approx(np.log(1.5) / 2, abs=1e-9)


def test_comparisons_of_one_sample_count_together():
    rng = np.random.default_rng(3)
    first, second, outcomes, of = drawn(rng, (0.0, 0.3, -0.3), 60, shared=0.0)
    twice = [np.concatenate([each, each]) for each in (first, second, outcomes, of)]
    fit = bradley_terry(table_of(*twice[:3], 3))
    once = strength_intervals(bradley_terry(table_of(first, second, outcomes, 3)), first, second, outcomes, of)
    again = strength_intervals(fit, *twice)
    assert [i.low for i in again] == pytest.approx([i.low for i in once])


def test_it_covers_where_samples_have_likings_of_their_own():
    rng, covered, total = np.random.default_rng(7), 0, 0
    first, second, outcomes, of = drawn(rng, (0.4, 0.0, -0.4), 20_000, shared=1.0)
    true = bradley_terry(table_of(first, second, outcomes, 3)).log_strengths  # of the population, likings averaged
    for _ in range(200):
        first, second, outcomes, of = drawn(rng, (0.4, 0.0, -0.4), 60, shared=1.0)
        fit = bradley_terry(table_of(first, second, outcomes, 3))
        for interval, value in zip(strength_intervals(fit, first, second, outcomes, of), true, strict=True):
            covered += interval.low <= value <= interval.high
            total += 1
    assert covered / total > 0.92


def test_one_cluster_tells_nothing():
    fit = bradley_terry([[0, 2], [1, 0]])
    assert strength_intervals(fit, [0, 0, 0], [1, 1, 1], [1, 1, 0], [0, 0, 0]) is None


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="different lengths"):
        strength_intervals(bradley_terry([[0, 2], [1, 0]]), [0, 0], [1, 1], [1, 0], [0])
