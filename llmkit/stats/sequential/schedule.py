"""When one measure is looked at, and how much error each look may have spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmkit.stats.sequential.boundary import boundary
from llmkit.stats.sequential.spending import GATE, Spending

LEAST = 20
"""Units below which a look cannot decide anything: it is left out, and what it might have spent goes to the next."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The looks at one measure so far, for one of the two errors.

    Attributes:
        counts: Units at each look.
        fractions: The same as a share of the units planned.
        levels: Cumulative error that may be spent up to each look.
    """

    counts: tuple[int, ...]
    fractions: tuple[float, ...]
    levels: tuple[float, ...]

    @property
    def z(self) -> tuple[float, ...]:
        """The critical value of a standard normal statistic at each look."""
        return boundary(self.fractions, self.levels)

    def until(self, look: int) -> Schedule:
        """Return the schedule as it was at a look, from 0."""
        end = look + 1
        return Schedule(self.counts[:end], self.fractions[:end], self.levels[:end])

    @property
    def n(self) -> int:
        """Units at the latest look."""
        return self.counts[-1]


def schedule(
    counts: Sequence[int], planned: int, *, alpha: float, final: bool, spending: Spending = GATE
) -> Schedule | None:
    """Return the schedule of a measure; None where its latest look is none, for want of units.

    Information is what was planned, not what will be there: past looks stay as they were when pairs get lost, and the
    last look of the trial has all of ``alpha``.

    Args:
        counts: Complete units at each of the trial's looks so far.
        planned: Units at the trial's end.
        alpha: One-sided, of all looks together.
        final: Whether the latest look is the trial's last.
        spending: Cumulative error by information.
    """
    last = len(counts) - 1
    kept: list[int] = []
    for look, count in enumerate(counts):
        if count and ((final and look == last) or (count >= LEAST and (not kept or count > kept[-1]))):
            kept.append(count)
        elif look == last:
            return None
    if not kept:
        return None
    fractions = [count / planned for count in kept]
    levels = [spending(t, alpha) for t in fractions]
    if final:
        levels[-1] = alpha
    return Schedule(tuple(kept), tuple(fractions), tuple(levels))
