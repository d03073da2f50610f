"""Trials of any measure on drawn data: how often each verdict comes, and after how many units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential.evidence import Measure
from llmkit.stats.sequential.schedule import Schedule, schedule
from llmkit.stats.sequential.series import Series
from llmkit.stats.sequential.trial import ALPHA, LOOKS, look_counts

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], tuple[Floats, Floats]]
"""(random numbers, units) → base and head, a row a unit."""

Ask = Literal["verdict", "fail", "pass"]


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of simulated trials.

    Attributes:
        runs: How many.
        passed: Share that passed.
        failed: Share that failed.
        n: Mean units at the end.
    """

    runs: int
    passed: float
    failed: float
    n: float


def simulate_trials(
    measure: Measure,
    draw: Draw,
    n_max: int,
    *,
    runs: int,
    seed: int = 0,
    ask: Ask = "verdict",
    alpha: float = ALPHA,
    looks: int = LOOKS,
    span: float = 1.0,
) -> Tally:
    """Run trials of one measure.

    Args:
        measure: Its rule.
        draw: Makes the data of a trial.
        n_max: Units at the last look.
        runs: Trials.
        seed: Of the data and the sign flips.
        ask: "fail" and "pass" follow one boundary alone to the end of the data, whatever the other says: the shares
            are then those that ever cross it, which is what alpha bounds.
        alpha: One-sided.
        looks: Looks at most.
        span: Of the series: above 1 where clusters are of unequal size.
    """
    counts = tuple(look_counts(n_max, looks).values())
    plans = [_plan(counts[: look + 1], n_max, alpha, look == len(counts) - 1) for look in range(len(counts))]
    random = np.random.default_rng(seed)
    passed = failed = total = 0
    for run in range(runs):
        base, head = draw(random, n_max)
        over: str | None = None
        used = n_max
        for plan in plans:
            data = Series(base[: plan.n], head[: plan.n], plan.n, plan.counts, span)
            if ask != "fail" and measure.rules_out(data, plan):
                over = "pass"
            elif ask != "pass" and measure.proves(data, plan, (seed, run)):
                over = "fail"
            if over is not None:
                used = plan.n
                break
        passed, failed, total = passed + (over == "pass"), failed + (over == "fail"), total + used
    return Tally(runs, passed / runs, failed / runs, total / runs)


def _plan(counts: tuple[int, ...], n_max: int, alpha: float, final: bool) -> Schedule:
    found = schedule(counts, n_max, alpha=alpha, final=final)
    assert found is not None
    return found
