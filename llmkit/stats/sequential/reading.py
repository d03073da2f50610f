"""What a trial says about one measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One measure at the look that decided it, or at the latest.

    Attributes:
        name: Of the measure.
        margin: What a pass rules out.
        verdict: Its own.
        look: The trial's look that it is of, from 1; 0 where there was none.
        n: Complete units.
        drop_proven: The boundary of a failure is crossed as well: where it passes, the drop is within the margin.
        estimate: head − base in the metric's unit, or the relative rise; naive, so that it overstates where the trial
            stopped early.
        adjusted: The median-unbiased estimate, where this measure's own boundary stopped it early.
        low: Lower end of the repeated confidence interval of head − base (Jennison and Turnbull, JRSS B 51, 1989): it
            inverts both rules at this look's critical values, so it holds whenever one stops. Each end errs with the
            probability of its rule: alpha for the margin's side, the measure's share of alpha for the other.
        high: Upper end; None where there is no bound.
        ruled_out: The smallest worsening that is ruled out at this look.
        losses: Units where head is worse.
        gains: Units where head is better.
        ties: Units that are equal.
        method: The two tests.
    """

    name: str
    margin: float
    verdict: Verdict
    look: int
    n: int
    drop_proven: bool = False
    estimate: float | None = None
    adjusted: float | None = None
    low: float | None = None
    high: float | None = None
    ruled_out: float | None = None
    losses: int = 0
    gains: int = 0
    ties: int = 0
    method: str = ""
