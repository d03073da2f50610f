"""What llmkit chooses covers: a smaller copy of benchmarks/judge_coverage.py. Tolerances are three standard errors."""

import itertools
import math

import numpy as np
import pytest

from llmkit.stats.correction import corrected_rate_bounds
from tests.simulations import runs

RUNS = runs(1_000, 300)
PROMISED = 0.94
JUDGES = ((0.7, 0.98), (0.75, 0.75), (0.9, 0.8), (0.98, 0.98))
SIZES = ((30, 100), (50, 5000), (100, 500), (500, 1000))


def drawn(judge, m, n, rate, yes, random):
    tpr, tnr = judge
    tp, tn = random.binomial(yes, tpr), random.binomial(m - yes, tnr)
    passed = random.binomial(n, rate * tpr + (1 - rate) * (1 - tnr), RUNS)
    return (tp, yes - tp, m - yes - tn, tn), passed


def seen(bounds, rate):
    """Share of the intervals printed that hold ``rate``; and how many were printed."""
    low, high = bounds
    printed = ~np.isnan(low)
    return float(((low <= rate) & (rate <= high))[printed].mean()), int(printed.sum())


def enough(share, runs):
    return share >= PROMISED - 3 * math.sqrt(PROMISED * (1 - PROMISED) / runs)


@pytest.mark.parametrize("rate", [0.5, 0.8, 0.98])
def test_on_the_labelled_population_it_covers_and_always_prints(rate):
    for judge, (m, n) in itertools.product(JUDGES, SIZES):
        random = np.random.default_rng([1, m, n])
        cells, passed = drawn(judge, m, n, rate, random.binomial(m, rate, RUNS), random)
        share, printed = seen(corrected_rate_bounds(cells, passed, n, same_population=True, random=True), rate)
        assert printed == RUNS
        assert enough(share, printed), (judge, m, n)


@pytest.mark.parametrize(("labelled", "shift"), [(0.5, 0.2), (0.8, -0.2), (0.98, -0.2)])
def test_on_another_run_it_covers_wherever_it_prints(labelled, shift):
    rate = labelled + shift
    for judge, (m, n) in itertools.product(JUDGES, SIZES):
        random = np.random.default_rng([2, m, n])
        cells, passed = drawn(judge, m, n, rate, random.binomial(m, labelled, RUNS), random)
        share, printed = seen(corrected_rate_bounds(cells, passed, n, same_population=False, random=True), rate)
        if printed >= 100:
            assert enough(share, printed), (judge, m, n)


@pytest.mark.parametrize("rate", [0.5, 0.8, 0.98])
def test_labels_balanced_by_class_cover_any_run_and_print_from_fifty(rate):
    for judge, (m, n) in itertools.product(JUDGES, SIZES):
        random = np.random.default_rng([3, m, n])
        cells, passed = drawn(judge, m, n, rate, np.full(RUNS, m // 2), random)
        share, printed = seen(corrected_rate_bounds(cells, passed, n, same_population=False, random=False), rate)
        assert enough(share, printed), (judge, m, n)
        if m >= 50 and min(judge) >= 0.75:
            assert printed >= 0.998 * RUNS
