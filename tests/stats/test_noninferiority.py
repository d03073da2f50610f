"""Non-inferiority at one look: what each verdict errs with, and what it is by other means."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import optimize, stats

from llmkit.stats.noninferiority import beyond, decidable, decide, needed, spread_seen
from llmkit.stats.sequential import Difference, Series, unit_span, units
from tests.simulations import runs

ALPHA = 0.05


def binary(losses: int, gains: int, n: int) -> Series:
    base, head = np.zeros(n), np.zeros(n)
    base[:losses], head[losses : losses + gains] = 1.0, 1.0
    return Series(base, head, n, (n,))


def reading(losses, gains, n, margin=0.05, **more):
    return decide([Difference("m", margin)], {"m": binary(losses, gains, n)}, **more)["m"]


def score_by_scipy(losses: float, gains: float, n: int, margin: float) -> float:
    """Tango's statistic from its definition: the constrained likelihood is maximised by a numerical search."""

    def minus_likelihood(gain: float) -> float:
        rest = 1 - margin - 2 * gain
        cells = ((losses, gain + margin), (gains, gain), (n - losses - gains, rest))
        return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

    gain = optimize.minimize_scalar(
        minus_likelihood, bounds=(0, (1 - margin) / 2), method="bounded", options={"xatol": 1e-12}
    ).x
    return (gains - losses + n * margin) / math.sqrt(n * (2 * gain + margin - margin**2))


@pytest.mark.parametrize("losses", range(0, 16, 3))
@pytest.mark.parametrize("gains", (0, 2, 9))
def test_a_drop_is_proven_where_scipys_exact_test_proves_it(losses, gains):
    found = reading(losses, gains, 150)
    p = stats.binomtest(losses, losses + gains, 0.5, alternative="greater").pvalue if losses + gains else 1.0
    assert found.drop_proven == (p <= ALPHA)


@pytest.mark.parametrize(("losses", "gains", "n"), [(0, 0, 100), (2, 0, 100), (1, 1, 120), (5, 3, 150), (10, 12, 400)])
@pytest.mark.parametrize("margin", (0.02, 0.05, 0.1))
def test_the_margin_is_ruled_out_where_the_score_found_by_search_says_so(losses, gains, n, margin):
    score = score_by_scipy(losses + 0.25, gains, n, margin)
    wanted = score >= stats.norm.isf(ALPHA) and (1 - margin) ** n <= ALPHA
    assert (reading(losses, gains, n, margin).verdict == "pass") == wanted


@pytest.mark.parametrize(("n", "margin", "gain"), [(60, 0.1, 0.0), (100, 0.05, 0.02)])
def test_a_drop_of_the_margin_passes_in_a_twentieth_at_most_and_no_drop_is_called_one_as_seldom(n, margin, gain):
    """Exact: the verdict of each count that is not rarer than 1e-7, by its probability."""
    rule = Difference("m", margin)
    wrong = {"pass": 0.0, "proven": 0.0, "beyond": 0.0}
    dropped, level = (margin + gain, gain), (gain + 0.02, gain + 0.02)
    for losses, gains in itertools.product(range(30), range(20)):
        p, q = (
            stats.multinomial.pmf([losses, gains, n - losses - gains], n, [*at, 1 - sum(at)]) for at in (dropped, level)
        )
        if max(p, q) < 1e-7:
            continue
        found = decide([rule], {"m": binary(losses, gains, n)})["m"]
        wrong["pass"] += p * (found.verdict == "pass")
        wrong["beyond"] += p * beyond(found, higher_is_better=True)
        wrong["proven"] += q * found.drop_proven
    assert all(share <= ALPHA for share in wrong.values())
    assert max(wrong.values()) > 0.02


def test_grades_that_hardly_vary_pass_only_where_a_collapse_would_have_been_seen():
    rng = np.random.default_rng(5)
    for n, verdict in ((25, "undecided"), (40, "pass")):
        base = np.full(n, 0.9) + rng.uniform(-0.01, 0.01, n)
        head = base + rng.uniform(-0.01, 0.01, n)
        assert decide([Difference("m", 0.1)], {"m": Series(base, head, n, (n,))})["m"].verdict == verdict


def test_a_clear_damage_fails_and_is_called_larger_than_the_margin():
    found = reading(40, 2, 100, 0.05)
    assert found.verdict == "fail"
    assert beyond(found, higher_is_better=True)


def test_a_drop_that_is_proven_but_not_shown_to_exceed_the_margin_is_not_called_larger():
    found = reading(10, 0, 200, 0.05)
    assert found.verdict == "fail"
    assert not beyond(found, higher_is_better=True)


def test_a_rise_of_an_error_rate_is_a_worsening():
    series = binary(2, 40, 100)
    found = decide([Difference("m", 0.05, higher_is_better=False)], {"m": series})["m"]
    assert found.verdict == "fail"
    assert beyond(found, higher_is_better=False)
    assert decide([Difference("m", 0.05)], {"m": series})["m"].verdict == "pass"


def test_several_measures_share_the_error_of_a_failure_and_each_keeps_that_of_a_pass():
    one = decide([Difference("m", 0.05)], {"m": binary(5, 0, 60)})
    rules, series = [Difference("m", 0.05), Difference("k", 0.05)], {"m": binary(5, 0, 60), "k": binary(0, 0, 61)}
    two = decide(rules, series)
    assert (one["m"].verdict, two["m"].verdict) == ("fail", "undecided")
    assert two["k"].verdict == reading(0, 0, 61).verdict == "pass"


def test_what_fails_by_error_passed_on_has_the_bounds_of_its_own_share():
    """Holm's step proves a worsening and not its size: at the whole alpha the drop would be called .013 at least."""
    rules = [Difference("damaged", 0.02), Difference("doubtful", 0.02)]
    first, both = (
        decide(rules, {"damaged": binary(losses, 0, 200), "doubtful": binary(30, 16, 200)})["doubtful"]
        for losses in (0, 90)
    )
    assert (first.verdict, both.verdict) == ("undecided", "fail")
    assert both.drop_proven
    assert (both.low, both.high) == (first.low, min(first.high, 0.0))
    assert not beyond(both, higher_is_better=True, level=ALPHA / 2)


def of_documents(count: int, size: int, rng: np.random.Generator) -> Series:
    """Documents of 1 and ``size`` questions, right or wrong as a whole; 15 % change, as often to right as to wrong."""
    document = np.repeat(np.arange(count), np.where(np.arange(count) % 2 == 0, 1, size))
    change = np.where(rng.random(count) < 0.15, rng.integers(0, 2, count) * 2 - 1, 0)[document]
    right = (rng.random(len(document)) < 0.5).astype(float)
    sides = np.where(change, change < 0, right), np.where(change, change > 0, right)
    base, head = units(*(each.astype(float) for each in sides), np.arange(len(document)), document)
    return Series(base, head, count, (count,), unit_span(np.arange(len(document)), document))


@pytest.mark.parametrize("size", [4, 19])
def test_what_is_needed_of_clusters_of_unequal_size_passes_no_drop_in_four_of_five(size):
    rng, rule, trials = np.random.default_rng(size), Difference("m", 0.05), runs(1000, 100)
    seen = of_documents(4000, size, rng)
    spread, _ = spread_seen(decide([rule], {"m": seen})["m"], seen, 1.0)
    n = needed(0.05 / seen.span, spread, binary=False)
    passed = sum(decide([rule], {"m": of_documents(n, size, rng)})["m"].verdict == "pass" for _ in range(trials))
    assert seen.span > 1.3
    assert abs(passed / trials - 0.8) < 4 * math.sqrt(0.8 * 0.2 / trials)


def test_so_few_that_they_decide_no_margin_are_said_to():
    assert decidable(2, 0.5, binary=True) is None


def test_no_pairs_decide_nothing():
    assert decide([Difference("m", 0.05)], {"m": binary(0, 0, 0)})["m"].verdict == "undecided"


def test_what_is_needed_passes_no_drop_in_four_of_five_and_what_is_decidable_is_its_inverse():
    n = needed(0.05, 0.1, binary=True)
    counts = [(b, c, n - b - c) for b in range(5, 27) for c in range(5, 27)]
    passed = sum(
        stats.multinomial.pmf([b, c, ties], n, [0.05, 0.05, 0.9])
        for b, c, ties in counts
        if score_by_scipy(b + 0.25, c, n, 0.05) >= stats.norm.isf(ALPHA)
    )
    assert 0.78 < passed < 0.86
    assert decidable(n, 0.1, binary=True) == pytest.approx(0.05, rel=0.01)
    assert needed(0.05, 0.1, binary=True, share=0.5) >= n
    assert needed(0.05, 0.1, binary=False) > 0


def test_the_spread_seen_is_a_discordance_of_0_and_1_and_a_variance_of_grades():
    assert spread_seen(reading(3, 2, 98), binary(3, 2, 98), 1.0) == (6 / 100, True)
    series = Series(np.array([0.5, 0.5, 0.0]), np.array([0.0, 1.0, 0.0]), 3, (3,))
    found = decide([Difference("m", 0.5, span=2.0)], {"m": series})["m"]
    assert spread_seen(found, series, 2.0) == (pytest.approx(0.25 / 4), False)
