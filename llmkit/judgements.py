"""Frozen records of judges: verdicts, figures, probes, checks, as reports and the API see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llmkit.types import Interval, JudgeStatus, Totals

Kind = Literal["pass_fail", "graded", "choices", "pairwise"]
Sampling = Literal["random", "enriched"]
Status = Literal["calibrated", "provisional", "refused"]
State = Literal["verdict", "cannot_tell", "unread"]
"""``unread``: no verdict could be had: unparsed, empty, refused or contradictory. It is counted apart, never scored."""
Part = Literal["few_shot", "dev", "test"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says of one subject, all its votes and orders taken together.

    Attributes:
        state: Whether it is a verdict at all.
        label: The verdict in the kind's words: ``pass``, ``4``, ``B``, ``a``; None where there is none.
        value: Its value: 1 and 0 for pass and fail, the grade, the choice's points, 1, ½ and 0 for a, tie and b; a
            mean where the kind takes one over votes or log-probabilities.
        reason: Why, in the judge's words; of several votes, a reason of one that agrees.
        why: Why there is no verdict, one line: ``unparsed: …``; empty where there is one.
        probability: Of ``pass`` (of ``a`` for pairs), where log-probabilities were asked for; else None.
        votes: Each vote's label; None for one without. In order.
        orders: Of a pair judged both ways: what it said with a first, and with b first, both in words of a and b.
        paid: What was paid for it now.
        made: What all of it cost when it was made, what came from the store included.
        cached: Whether all of it came from the store.
        served: Which model answered, in the server's words; None where it does not say.
    """

    state: State
    label: str | None = None
    value: float | None = None
    reason: str = ""
    why: str = ""
    probability: float | None = None
    votes: tuple[str | None, ...] = ()
    orders: tuple[str | None, str | None] | None = None
    paid: Totals = Totals()  # noqa: RUF009 - frozen
    made: Totals = Totals()  # noqa: RUF009 - frozen
    cached: bool = False
    served: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A share or mean with its interval.

    Attributes:
        value: None where there is nothing to divide by.
        n: What it is over: items that have both a label and a verdict.
        interval: None where it cannot be had.
    """

    value: float | None
    n: int
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Verdicts against labels, from which every figure and interval can be computed again.

    Attributes:
        labels: The kind's words, in order; for pass and fail: ``("pass", "fail")``.
        table: One row a label, one column a verdict, in that order: whole numbers, or effective ones (Kish) where the
            labels carry weights.
        cannot_tell: Items of which the judge said so.
        unread: Items without a verdict.
        weighted: Whether ``table`` holds effective counts.
        items: Items that were judged, where ``table`` does not add up to them: where it holds effective counts.
        cannot_tell_of: Those of which the judge could not tell, by their labels, in the order of ``labels``. Empty
            where there are none, and in a lock of an llmkit that did not keep them.
        unread_of: Those without a verdict, likewise.
        drawn: Items by label and verdict in the shares in which they were drawn, as many as they are worth for a
            figure of what they were drawn from. Empty where that is ``table``: without groups, or with
            weights.
    """

    labels: tuple[str, ...]
    table: tuple[tuple[float, ...], ...]
    cannot_tell: int = 0
    unread: int = 0
    weighted: bool = False
    items: int | None = None
    cannot_tell_of: tuple[int, ...] = ()
    unread_of: tuple[int, ...] = ()
    drawn: tuple[tuple[float, ...], ...] = ()

    @property
    def n(self) -> float:
        """Items with a verdict."""
        return sum(map(sum, self.table))

    @property
    def asked(self) -> float:
        """Items that were judged, with a verdict or without."""
        return self.n + self.cannot_tell + self.unread if self.items is None else self.items

    @property
    def unjudged(self) -> tuple[int, ...] | None:
        """Items without a verdict by their labels, in the order of ``labels``; None where that is not known."""
        found = [0] * len(self.labels)
        for count, of in ((self.cannot_tell, self.cannot_tell_of), (self.unread, self.unread_of)):
            if count != sum(of):
                return None
            for place, number in enumerate(of):
                found[place] += number
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Figures:
    """How well verdicts agree with labels, on one part.

    A figure that a kind does not have is None: TPR and TNR are of pass and fail, ``spearman`` and ``mae`` of grades,
    ``consistency`` (both orders agree) of pairs.
    """

    counts: Counts
    accuracy: Rate
    balanced_accuracy: Rate | None = None
    kappa: Rate | None = None
    weighted_kappa: Rate | None = None
    ac1: Rate | None = None
    tpr: Rate | None = None
    tnr: Rate | None = None
    spearman: Rate | None = None
    mae: Rate | None = None
    consistency: Rate | None = None


ProbeName = Literal["order", "length", "repeat", "rewording", "injection", "own_family"]


@dataclass(frozen=True, slots=True)
class Probe:
    """What moves verdicts and should not.

    Attributes:
        name: Which.
        moved: How far, in the probe's own measure (share of items, or points of the raw rate); None where not run.
        n: Items that it was tried on.
        interval: Of ``moved``.
        p_value: Of no systematic effect; None where there is no such test.
        limit: What it may be at most; None where it is only shown.
        passed: None where there is no limit, or it was not run.
        said: One line: ``29 of 100 flip when the order is swapped, 25 of them toward the first``.
        flagged: Whether the reader should worry, limit or not: a systematic effect is proven.
    """

    name: ProbeName
    moved: float | None
    n: int
    said: str
    interval: Interval | None = None
    p_value: float | None = None
    limit: float | None = None
    passed: bool | None = None
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """What ``llmkit judge check`` found of one judge.

    Attributes:
        judge: Its name.
        status: Its lock's; ``uncalibrated`` without one, ``stale`` where something is not as it was locked.
        lock: The lock's id; None without one.
        stale: What is not as it was: ``prompt: judges/../prompts/relevance.prompty changed``; empty where all is.
        age_days: Since the lock was made; None without one.
        anchors: How the re-run anchors went, one line; None where they were not.
    """

    judge: str
    status: JudgeStatus
    lock: str | None
    stale: tuple[str, ...] = ()
    age_days: float | None = None
    anchors: str | None = None

    @property
    def sound(self) -> bool:
        """Whether its figures may be relied on."""
        return self.status == "calibrated" and not self.stale


def standing(status: JudgeStatus, lock: str | None) -> str:
    """Say what a judge was measured to be, wherever that stands: ``calibrated, lock 3f9c…``, ``uncalibrated judge``."""
    return f"{status} judge" if lock is None else f"{status}, lock {lock}"


@dataclass(frozen=True, slots=True)
class JudgeCard:
    """One judge, for ``llmkit judge list`` and ``show``."""

    name: str
    path: str
    kind: Kind
    model: str
    labels: Mapping[str, int]
    check: Check
    test: Figures | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
