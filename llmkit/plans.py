"""Frozen records of a plan: what is assumed, what can be seen, what it costs, and the noise floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Spread:
    """How much the paired differences of one metric vary, and where that is known from.

    Attributes:
        kind: ``binary``: scores are 0 or 1, and ``psi_or_variance`` is the share of samples on which two answers
            differ. ``graded``: it is the variance of the paired differences.
        psi_or_variance: What to plan with, at one answer a side: the upper 80 % limit of what was seen. In the metric's
            unit squared; of cost and latency, whose margins are shares of base's mean, in that mean squared.
        base_rate: The metric's own value; None where it is unknown.
        deff: How many times clusters multiply the variance of a mean; 1 where samples are independent.
        n: Samples that it is known from; 0 where it is assumed.
        source: Where from, for people.
        seen: What was seen, before the limit.
        within: The part of ``seen`` that is noise within samples, which more epochs average out; None: unknown.
        notes: What to know of it: of other data, of another version of the scorer, ….
    """

    kind: Literal["binary", "graded"]
    psi_or_variance: float
    base_rate: float | None
    deff: float
    n: int
    source: str
    seen: float = 0.0
    within: float | None = None
    notes: tuple[str, ...] = ()

    def at(self, epochs: int) -> float:
        """Return the variance of the differences where each side's answers are averaged over so many epochs."""
        if epochs == 1 or self.within is None or not self.seen:
            return self.psi_or_variance
        share = min(1.0, self.within / self.seen)
        return self.psi_or_variance * (1 - share + share / epochs)
