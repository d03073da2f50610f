"""How to split a budget of labels between items that pass and items that fail."""

from __future__ import annotations

import math
from typing import NamedTuple

from llmkit.stats.confusion import Confusion

NO_PILOT = Confusion(0, 0, 0, 0)


class Allocation(NamedTuple):
    """How many labelled items of each class to have in the end, those of the pilot included."""

    positives: int
    negatives: int


def allocate(budget: int, pass_rate: float, pilot: Confusion = NO_PILOT) -> Allocation:
    """Return m1 = m/(1 + (1/p − 1)√κ) and m0 = m − m1, which narrow :func:`lang_reiczigel` most (arXiv 2511.21140).

    κ = (1 − TNR)/(1 − TPR), each with one right and one wrong verdict added to the pilot's, so that a pilot of none
    says that both classes are judged alike. No class gets fewer items than the pilot has. At a raw rate of 0 all
    further labels go to items that fail, the formula's limit (the paper's code sends them to items that pass).

    Args:
        budget: Items to be labelled, m, the pilot's included.
        pass_rate: The judge's raw rate on the items to be scored, p.
        pilot: The judge's verdicts on the items that are labelled already.

    Raises:
        ValueError: For a rate outside [0, 1], impossible counts, and a budget below the
            pilot or without a label of each class.
    """
    if not 0 <= pass_rate <= 1:
        raise ValueError(f"a rate lies in [0, 1], not {pass_rate}")
    if not all(math.isfinite(cell) and cell >= 0 for cell in pilot):
        raise ValueError(f"counts of labels are finite and not negative, not {tuple(pilot)}")
    # One label of each class at least: without it there is no correction.
    fewest, others = (max(1, math.ceil(count)) for count in (pilot.positives, pilot.negatives))
    if budget < fewest + others:
        raise ValueError(f"{budget} labels are too few: {fewest} of items that pass and {others} that fail come first")
    odds = math.sqrt(_error(pilot.fp, pilot.negatives) / _error(pilot.fn, pilot.positives))
    share = pass_rate / (pass_rate + (1 - pass_rate) * odds)
    positives = max(fewest, min(budget - others, round(budget * share)))
    return Allocation(positives, budget - positives)


def _error(wrong: float, of: float) -> float:
    return (wrong + 1) / (of + 2)
