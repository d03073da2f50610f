"""Intervals of a comparison hold the true difference as often as docs/statistics.md says: a small copy of its table."""

import importlib.util
import math
import re
from pathlib import Path

import numpy as np
import pytest

from llmkit.stats.difference import paired_difference
from llmkit.stats.quantiles import t_of
from tests.simulations import runs

ROOT = Path(__file__).resolve().parents[2]
RUNS, MANY = runs(600, 200), 600


@pytest.fixture(scope="module")
def coverage():
    path = ROOT / "benchmarks/coverage.py"
    if not path.is_file():
        pytest.skip("the simulations lie in a checkout's benchmarks/")
    spec = importlib.util.spec_from_file_location("coverage_of_intervals", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page():
    path = ROOT / "docs/statistics.md"
    if not path.is_file():
        pytest.skip("the table lies in a checkout's docs/")
    return path.read_text(encoding="utf-8")


def error(share, runs=RUNS):
    return math.sqrt(share * (1 - share) / runs)


def test_paired_answers_of_0_and_1_cover_what_they_promise(coverage):
    """No simulation: all outcomes added up. Where the sides differ on twenty samples, it is 94 to 96.5 %."""
    for n in (50, 100, 200, 500):
        for discordance, theta in coverage.BINARY:
            seen = coverage.binary_coverage(n, discordance, theta)
            assert seen >= 0.935, (n, discordance, theta)
            if n * discordance >= 20:
                assert 0.94 <= seen <= 0.965, (n, discordance, theta)


@pytest.mark.parametrize(
    ("name", "n"),
    [
        ("graded, normal, no ties", 20),
        ("graded, exponential, no ties", 50),
        ("graded, N(0, .05), 3 % fall by .9", 500),
        ("graded, 10 % tie, else N(.3, .2)", 50),
        ("graded, 70 % tie, else worse", 100),
        ("graded, 90 % tie, else worse", 100),
        ("4 epochs, every sample right in 80 %", 100),
        ("corpus ratio", 50),
        ("corpus ratio, heavy-tailed lengths", 50),
        ("clustered 0/1, ψ .2, θ .1, ρ .2", 50),
        ("clustered graded, ρ .3", 20),
        ("clustered graded, ρ .3, unlike sizes", 50),
        ("clustered graded, exponential", 20),
        ("clustered 0/1, 15 % of clusters fall, 3 % gain, sizes 1 to 9", 50),
        ("clustered corpus ratio, unlike sizes", 50),
    ],
)
def test_simulated_intervals_cover_what_they_promise(coverage, name, n):
    seen = coverage.simulate(name, n, RUNS, seed=7)
    assert seen.without == 0
    assert 0.94 - 3 * error(0.94) <= seen.coverage <= 0.965 + 3 * error(0.965)


def test_the_t_interval_would_not(coverage):
    """Why ties change the form: of 100 pairs, 95 alike and the rest worse, t covers .88."""
    random = np.random.default_rng(7)
    setting = coverage.SETTINGS["graded, 95 % tie, else worse"]
    held = 0
    for _ in range(MANY):
        change = setting.draw(random, 100).b
        half = t_of(0.95, 99) * change.std(ddof=1) / 10
        held += abs(change.mean() - setting.truth) <= half
    assert held / MANY < 0.94 - 3 * error(0.94, MANY)


@pytest.mark.parametrize(
    ("name", "n", "least", "most"),
    [
        ("graded, N(0, .05), 3 % fall by .9", 20, 0.60, 0.75),
        ("graded, N(0, .05), 3 % fall by .9", 100, 0.92, 0.95),
        ("clustered 0/1, 15 % of clusters fall, 3 % gain, sizes 1 to 9", 10, 0.80, 0.88),
    ],
)
def test_what_was_not_seen_is_in_no_interval(coverage, name, n, least, most):
    """Why a comparison of few samples or clusters carries a note; t alone covers .90 of the second."""
    seen = coverage.simulate(name, n, RUNS, seed=7).coverage
    assert least - 3 * error(least) <= seen <= most + 3 * error(most)


def test_leaving_clusters_out_would_not(coverage):
    random = np.random.default_rng(7)
    setting = coverage.SETTINGS["clustered 0/1, ψ .2, θ .1, ρ .2"]
    held = 0
    for _ in range(MANY):
        data = setting.draw(random, 50)
        interval = paired_difference("proportion", data.a, data.b).interval
        held += interval.low <= setting.truth <= interval.high
    assert held / MANY < 0.94 - 3 * error(0.94, MANY)


def test_the_page_shows_the_exact_figures(coverage, page):
    for n, column in ((20, 0), (50, 1), (100, 2)):
        for discordance, theta in coverage.BINARY:
            row = re.search(rf"\| discordance {discordance}, difference {theta} \| tango \| (.*) \|", page)
            shown = row.group(1).split(" | ")[column]
            assert shown == f"{coverage.binary_coverage(n, discordance, theta):.1%}"


def test_the_page_shows_every_setting(coverage, page):
    for name in coverage.SETTINGS:
        assert f"| {name} |" in page
