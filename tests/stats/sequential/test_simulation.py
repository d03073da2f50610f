"""The gate's promises, a smaller copy of benchmarks/gate_simulation.py: tolerances are three standard errors."""

import math

import numpy as np
import pytest

from llmkit.stats.sequential.measures import CorpusDifference, Difference, QuantileRise, RatioOfMeans, units
from llmkit.stats.sequential.power import RUNS, simulate
from llmkit.stats.sequential.rises import planned_n_ratio
from llmkit.stats.sequential.simulation import simulate_trials
from llmkit.stats.sequential.sizing import fixed_n, planned_n, planned_n_graded
from tests.simulations import ALL, every
from tests.simulations import runs as trials

ALPHA = 0.05


def at_most(share, limit, runs):
    return share <= limit + 3 * math.sqrt(limit * (1 - limit) / runs)


def at_least(share, limit, runs):
    return share >= limit - 3 * math.sqrt(limit * (1 - limit) / runs)


@pytest.mark.parametrize("n", [50, 200, 2_000] if ALL else [50, 200])
@pytest.mark.parametrize("discordance", [0.01, 0.1, 0.4])
def test_binary_a_a_fails_in_5_percent_at_most(n, discordance):
    outcomes = simulate(0.05, discordance / 2, discordance / 2, n)
    assert at_most(outcomes.ever_failed.mean(), ALPHA, RUNS)


@pytest.mark.parametrize(
    ("margin", "discordance"),
    every([(0.02, 0.005), (0.02, 0.1), (0.05, 0.2), (0.05, 0.02), (0.1, 0.3), (0.1, 0.02)], 2),
)
def test_binary_at_the_planned_n(margin, discordance):
    n = planned_n(margin, discordance).n
    spread = max(discordance, 2 * margin)
    same = simulate(margin, discordance / 2, discordance / 2, n)
    limit = simulate(margin, (spread + margin) / 2, (spread - margin) / 2, n)
    worse = simulate(margin, (spread + 2 * margin) / 2, (spread - 2 * margin) / 2, n)
    assert at_least(same.passed.mean(), 0.72, RUNS)
    assert at_most(limit.ever_passed.mean(), ALPHA, RUNS)
    assert at_least(worse.failed.mean(), 0.9, RUNS)


@pytest.mark.parametrize(("margin", "discordance"), [(0.02, 0.02), (0.05, 0.1), (0.1, 0.3)])
def test_a_drop_of_three_margins_takes_half_of_the_fixed_samples(margin, discordance):
    spread = max(discordance, 3 * margin)
    worse = simulate(margin, (spread + 3 * margin) / 2, (spread - 3 * margin) / 2, planned_n(margin, discordance).n)
    assert worse.n.mean() <= fixed_n(margin, discordance).n / 2


def graded(drop, answers=4):
    """Means over epochs; the drop is samples that collapse."""

    def draw(random, n):
        p = random.beta(2, 1, n)
        collapsed = np.where(random.random(n) < drop * 1.5, 0, p)
        return random.binomial(answers, p) / answers, random.binomial(answers, collapsed) / answers

    return draw


def clustered(drop):
    """Clusters of unequal size that flip and collapse together."""

    def draw(random, n):
        cluster = np.repeat(np.arange(n), 1 + random.geometric(0.25, n))
        base = (random.random(len(cluster)) < 0.6).astype(float)
        flipped = (random.random(n) < 0.1)[cluster]
        head = np.where(flipped, (random.random(n) < 0.6)[cluster], base)
        head = np.where((random.random(n) < drop / 0.6)[cluster], 0.0, head)
        return units(base, head, np.arange(len(cluster)), cluster)

    return draw


SPAN = 1.5  # 1 + the squared variation of the sizes


@pytest.mark.parametrize(("draw", "span"), [(graded, 1.0), (clustered, SPAN)])
@pytest.mark.parametrize("n", [50, 300])
def test_graded_and_clustered_data_err_in_5_percent_at_most(draw, span, n):
    measure, runs = Difference("x", 0.1), trials(400, 150)
    assert at_most(simulate_trials(measure, draw(0.0), n, runs=runs, ask="fail", span=span).failed, ALPHA, runs)
    assert at_most(simulate_trials(measure, draw(0.1), n, runs=runs, ask="pass", span=span).passed, ALPHA, runs)


def test_graded_data_have_the_power_that_was_planned():
    base, head = graded(0.0)(np.random.default_rng(0), 100_000)
    n, runs = planned_n_graded(0.1, float((head - base).var())).n, trials(300, 120)
    measure = Difference("x", 0.1)
    assert at_least(simulate_trials(measure, graded(0.0), n, runs=runs).passed, 0.72, runs)
    assert at_least(simulate_trials(measure, graded(0.2), n, runs=runs).failed, 0.9, runs)


def cost(rise):
    def draw(random, n):
        base = random.lognormal(0, 1, n)
        return base, base * random.lognormal(-0.08, 0.4, n) * (1 + rise)

    return draw


def latency(rise):
    def draw(random, n):
        return random.lognormal(0, 0.5, n), random.lognormal(0, 0.5, n) * (1 + rise)

    return draw


def error_rate(sums):
    return 100 * sums[..., 0] / sums[..., 1]


def words(rise):
    """Word errors; the rise is answers that are wrong from end to end."""

    def draw(random, n):
        length = random.integers(5, 30, n)
        base = random.binomial(length, 0.1)
        head = np.where(random.random(n) < rise / 90, length, random.binomial(length, 0.1))
        return np.stack([base, length], 1).astype(float), np.stack([head, length], 1).astype(float)

    return draw


def unequal_words(random, n):
    """Clusters of 30 or 2 answers; on head whole clusters go wrong, 5 of 100 words in all."""
    length = 10 * random.choice([30, 2], n)
    base = random.binomial(length, 0.1)
    head = np.where(random.random(n) < 0.05 / 0.9, length, base)
    return np.stack([base, length], 1).astype(float), np.stack([head, length], 1).astype(float)


def unequal_cost(random, n):
    """The same clusters; on head one in twenty costs five times as much, which is a rise of 20 % in all."""
    size = random.choice([30, 2], n)
    base = size * np.exp(random.normal(0, 0.1, n))
    return base / size.mean(), np.where(random.random(n) < 0.05, 5 * base, base) / size.mean()


@pytest.mark.parametrize(
    ("measure", "draw"),
    [
        (CorpusDifference("wer", 5.0, error_rate, False, 100.0), unequal_words),
        (RatioOfMeans("cost", 0.2), unequal_cost),
    ],
    ids=["wer", "cost"],
)
def test_clusters_of_unequal_size_pass_at_the_margin_in_5_percent_at_most(measure, draw):
    span, runs = (30**2 + 2**2) / 2 / 16**2, trials(300, 100)
    assert at_most(simulate_trials(measure, draw, 300, runs=runs, ask="pass", span=span).passed, ALPHA, runs)


OTHERS = [
    (RatioOfMeans("cost", 0.2), cost, 0.2, 0.4),
    (QuantileRise("latency_p95", 0.25), latency, 0.25, 0.6),
    (CorpusDifference("wer", 5.0, error_rate, False, 100.0), words, 5.0, 12.0),
]


@pytest.mark.parametrize(("measure", "draw", "margin", "rise"), OTHERS, ids=lambda x: getattr(x, "name", ""))
def test_cost_latency_and_corpus_metrics_err_in_5_percent_at_most_and_decide(measure, draw, margin, rise):
    n, runs = 300, trials(300, 60)
    assert at_most(simulate_trials(measure, draw(0.0), n, runs=runs, ask="fail").failed, ALPHA, runs)
    assert at_most(simulate_trials(measure, draw(margin), n, runs=runs, ask="pass").passed, ALPHA, runs)
    assert simulate_trials(measure, draw(0.0), n, runs=trials(50, 20)).passed > 0.5
    assert simulate_trials(measure, draw(rise), n, runs=trials(50, 20)).failed > 0.8


def attempts(again, more=0.0):
    """One to three attempts, each of which may be bad; head's are bad more often."""

    def draw(random, n):
        def side(bad):
            first, second = random.random((2, n)) < bad
            return 1.0 + first + (first & second)

        return side(again), side(again + more)

    return draw


def test_attempts_err_in_5_percent_at_most_and_decide():
    """A rise of the margin, .3: bad in .1 costs .11 attempts, in .315 it costs .414."""
    measure, runs = Difference("x", 0.3, higher_is_better=False, span=2.0), trials(300, 100)
    for bad in (0.02, 0.1, 0.4):
        assert at_most(simulate_trials(measure, attempts(bad), 120, runs=runs, ask="fail").failed, ALPHA, runs)
    limit = attempts(0.1, 0.315 - 0.1)
    assert at_most(simulate_trials(measure, limit, 120, runs=runs, ask="pass").passed, ALPHA, runs)
    base, head = attempts(0.1)(np.random.default_rng(0), 100_000)
    n = planned_n_graded(0.15, float((head - base).var()) / 4).n
    assert at_least(simulate_trials(measure, attempts(0.1), n, runs=runs).passed, 0.72, runs)
    assert at_least(simulate_trials(measure, attempts(0.1, 0.38), n, runs=runs).failed, 0.9, runs)


def retries(bad, worse):
    """What base costs, and what it would with head's retries, each as dear as its first attempt."""

    def draw(random, n):
        once = random.lognormal(-12, 0.6, n)
        of_base, of_head = (once * (random.random(n) < share) for share in (bad, worse))
        return once + of_base, once + of_head

    return draw


def test_a_rise_of_what_retries_cost_errs_in_5_percent_at_most_and_is_decided():
    """A share of .05 of retries is 1.05 of the first attempts' cost: a rise of .10 is a share of .155."""
    measure, runs = RatioOfMeans("retry_cost", 0.1), trials(300, 80)
    assert at_most(simulate_trials(measure, retries(0.05, 0.05), 300, runs=runs, ask="fail").failed, ALPHA, runs)
    assert at_most(simulate_trials(measure, retries(0.05, 0.155), 300, runs=runs, ask="pass").passed, ALPHA, runs)
    base, head = retries(0.05, 0.05)(np.random.default_rng(0), 100_000)
    rise, own = float(((head - base) / base.mean()).var()), float((base / base.mean()).var())
    n = planned_n_ratio(0.1, rise, own).n
    assert at_least(simulate_trials(measure, retries(0.05, 0.05), n, runs=runs).passed, 0.72, runs)
    assert at_least(simulate_trials(measure, retries(0.05, 0.26), n, runs=runs).failed, 0.9, runs)
