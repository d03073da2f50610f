"""How often it is said that the error text helps: seldom where it does not, mostly where it does."""

import math

import numpy as np
import pytest

from llmkit.generation.differences import comparisons_of, differences_in
from llmkit.generation.figures import How
from llmkit.generation.trials import Trial
from llmkit.types import Failure
from tests import simulations

HOW = How("usd", 3, target=False)
BROKE = Failure("provider", "server", "500")


def draws(random, n, first, told, fresh, broke=0.0, attempts=3):
    """Strategies on ``n`` rows of unlike difficulty; the first answer is all strategies' own, the further ones are not.

    ``told`` and ``fresh``: how much likelier, on the log-odds, a further answer is valid than the first one.
    """
    hard = random.normal(0, 1.5, n) + math.log(first / (1 - first))

    def valid(shift):
        return random.random(n) < 1 / (1 + np.exp(-(hard + shift)))

    begun = valid(0)
    found = {"plain": begun, "reprompt": begun.copy(), "resample": begun.copy()}
    for _ in range(attempts - 1):
        found["reprompt"] |= valid(told)
        found["resample"] |= valid(fresh)
    lost = random.random((3, n)) < broke
    return {
        name: [
            Trial(valid=bool(v), first_valid=bool(f), attempts=1, failure=BROKE if out else None)
            for v, f, out in zip(values, begun, gone, strict=True)
        ]
        for (name, values), gone in zip(found.items(), lost, strict=True)
    }


def said(random, runs, **world):
    """Return how often the error text was shown to help, and to do harm."""
    helps = harms = 0
    for _ in range(runs):
        (found,) = [
            d for d in differences_in("valid@k", draws(random, **world), HOW) if d.b == "reprompt" and d.a == "resample"
        ]
        helps += found.shown > 0
        harms += found.shown < 0
    return helps / runs, harms / runs


@pytest.mark.parametrize(
    "world",
    [
        {"n": 20, "first": 0.3},
        {"n": 50, "first": 0.5},
        {"n": 200, "first": 0.2},
        {"n": 100, "first": 0.3, "broke": 0.1},
    ],
    ids=str,
)
def test_without_a_difference_it_errs_at_most_one_time_in_twenty(world):
    runs = simulations.runs(200, 60)
    helps, harms = said(np.random.default_rng(11), runs, told=0.5, fresh=0.5, **world)
    assert helps + harms <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_over_all_comparisons_of_a_figure_together_it_errs_at_most_one_time_in_twenty():
    """Holm's promise, in a world in which further attempts change nothing."""
    random, runs, wrong = np.random.default_rng(12), simulations.runs(200, 60), 0
    for _ in range(runs):
        alike = {name: draws(random, 60, 0.4, 0, 0, attempts=1)["plain"] for name in ("plain", "native", "constrained")}
        wrong += any(d.shown for d in differences_in("valid@k", alike, HOW))
    assert wrong / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_where_it_helps_much_that_is_mostly_said_and_where_it_does_harm_that():
    random = np.random.default_rng(13)
    helps, harms = said(random, simulations.runs(100, 40), n=120, first=0.3, told=2.5, fresh=0.0)
    assert (helps > 0.9, harms) == (True, 0)
    helps, harms = said(random, simulations.runs(100, 40), n=120, first=0.3, told=-4.0, fresh=1.0)
    assert (helps, harms > 0.9) == (0, True)


def test_what_failures_alone_could_undo_is_not_said():
    """Reprompting mends a quarter of the rows, but as many of its rows broke: read as wrong, nothing is left."""
    n = 80
    resample = [Trial(valid=k < 40) for k in range(n)]
    whole = [Trial(valid=k < 60) for k in range(n)]
    broken = [Trial(valid=k < 60, failure=BROKE if k >= 60 or k < 20 else None) for k in range(n)]
    sound = differences_in("valid@k", {"resample": resample, "reprompt": whole}, HOW)[0]
    shaken = differences_in("valid@k", {"resample": resample, "reprompt": broken}, HOW)[0]
    assert (sound.shown, sound.undone, sound.n) == (1, False, 80)
    assert (shaken.shown, shaken.undone, shaken.n) == (0, True, 40)
    assert shaken.change > sound.change


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["plain", "native"], [("plain", "native")]),
        (["plain", "reprompt", "resample"], [("plain", "reprompt"), ("plain", "resample"), ("resample", "reprompt")]),
        (["reprompt", "resample", "plain"], [("reprompt", "plain"), ("resample", "reprompt")]),
        (["resample", "plain", "reprompt"], [("resample", "plain"), ("resample", "reprompt")]),
        (["plain"], []),
    ],
)
def test_each_is_compared_with_the_first_and_reprompt_with_its_control_once(names, pairs):
    assert comparisons_of(names) == pairs


def test_equal_costs_of_an_answer_are_told_apart_at_most_one_time_in_twenty():
    """Twice the cost for twice the answers: strategies differ in all but what is compared."""
    random, runs, wrong = np.random.default_rng(14), simulations.runs(80, 30), 0
    for _ in range(runs):
        once = random.random(80) < 0.3
        later = once | (random.random(80) < 3 / 7)
        cost = 1 + ~once / 0.7 * random.uniform(0.5, 1.5, 80)
        trials = {
            "plain": [Trial(valid=bool(v), cost_usd=1.0) for v in once],
            "native": [Trial(valid=bool(v), cost_usd=float(c)) for v, c in zip(later, cost, strict=True)],
        }
        (found,) = differences_in("per_valid", trials, HOW)
        wrong += found.shown != 0
    assert wrong / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)
