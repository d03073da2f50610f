"""How often the intervals of a corrected rate hold the true one, simulated; and where they must not be used."""

import itertools

import numpy as np
import pytest

from llmkit.stats.correction import lang_reiczigel_bounds, post_stratified_bounds
from llmkit.stats.proportion import wilson
from llmkit.stats.quantiles import z_of
from tests.simulations import every

RUNS = 20_000
PROMISED = 0.94
Z = z_of(0.95)

RATES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
JUDGES = ((0.7, 0.7), (0.75, 0.98), (0.9, 0.8), (0.8, 0.9), (0.95, 0.95), (0.98, 0.98))
LABELS = (30, 100, 300, 500)
VERDICTS = (100, 5000)


def labels(rng, judge, positives, total):
    """The four cells of RUNS judges that label ``total`` items each."""
    tpr, tnr = judge
    tp, tn = rng.binomial(positives, tpr), rng.binomial(total - positives, tnr)
    return tp, positives - tp, total - positives - tn, tn


def passed(rng, judge, rate, n):
    tpr, tnr = judge
    return rng.binomial(n, rate * tpr + (1 - rate) * (1 - tnr), RUNS)


def coverage(bounds, rate):
    low, high = bounds
    printed = ~np.isnan(low)
    return float(((low <= rate) & (rate <= high))[printed].mean())


def settings(least=0, *, rates=RATES):
    """Return the combinations in which ``least`` random labels of each class are expected, numbered to seed them."""
    grid = itertools.product(rates, JUDGES, LABELS, VERDICTS)
    found = [(seed, *row) for seed, row in enumerate(grid) if row[2] * min(row[0], 1 - row[0]) >= least]
    return every(found, 7)  # which meets every rate, judge and number


def test_lang_reiczigel_covers_with_as_many_labels_of_each_class_whatever_the_runs_rate():
    """Enriched labels: their share of passing items has nothing to do with the run's."""
    for seed, rate, judge, m, n in settings():
        rng = np.random.default_rng(seed)
        bounds = lang_reiczigel_bounds(*labels(rng, judge, np.full(RUNS, m // 2), m), passed(rng, judge, rate, n), n, Z)
        assert coverage(bounds, rate) >= PROMISED, (rate, judge, m, n)


@pytest.mark.parametrize("shift", [0.0, -0.2, -0.1])
def test_lang_reiczigel_covers_with_random_labels_of_a_run_with_another_rate(shift):
    for seed, labelled, judge, m, n in settings(least=20):
        rng, rate = np.random.default_rng(1000 + seed), labelled + shift
        cells = labels(rng, judge, rng.binomial(m, labelled, RUNS), m)
        bounds = lang_reiczigel_bounds(*cells, passed(rng, judge, rate, n), n, Z)
        assert coverage(bounds, rate) >= PROMISED, (labelled, judge, m, n)


def test_post_stratified_covers_with_random_labels_of_the_same_population():
    for seed, rate, judge, m, n in settings():
        rng = np.random.default_rng(2000 + seed)
        cells = labels(rng, judge, rng.binomial(m, rate, RUNS), m)
        bounds = post_stratified_bounds(*cells, passed(rng, judge, rate, n), n, Z)
        assert coverage(bounds, rate) >= PROMISED, (rate, judge, m, n)


@pytest.mark.parametrize(("m", "most"), [(100, 0.7), (300, 0.25)])
def test_post_stratified_is_wrong_on_a_run_with_another_rate(m, most):
    """Why it is kept to the labels' own population: labels at .8, a run at .7."""
    rng, judge = np.random.default_rng(3000), (0.9, 0.8)
    cells, k = labels(rng, judge, rng.binomial(m, 0.8, RUNS), m), passed(rng, judge, 0.7, 5000)
    assert coverage(post_stratified_bounds(*cells, k, 5000, Z), 0.7) < most
    assert coverage(lang_reiczigel_bounds(*cells, k, 5000, Z), 0.7) > PROMISED


def test_lang_reiczigel_is_wrong_where_a_class_has_a_handful_of_labels_and_the_run_has_many_of_it():
    """Two failing items of a hundred, on average, cannot say how often a judge at .98 errs on a run of 22 %."""
    rng, judge = np.random.default_rng(4000), (0.98, 0.98)
    cells = labels(rng, judge, rng.binomial(100, 0.98, RUNS), 100)
    assert coverage(lang_reiczigel_bounds(*cells, passed(rng, judge, 0.78, 5000), 5000, Z), 0.78) < 0.75


@pytest.mark.parametrize(("n", "most"), [(500, 0.5), (5000, 0.01)])
def test_a_raw_rate_with_its_own_interval_is_wrong(n, most):
    """What the correction is for: a true rate of .8, TPR .9, TNR .8."""
    k = passed(np.random.default_rng(5000), (0.9, 0.8), 0.8, n)[:2000]
    raw = [wilson(int(count), n) for count in k]
    assert np.mean([interval.low <= 0.8 <= interval.high for interval in raw]) < most
