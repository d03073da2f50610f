"""Frozen records of stored runs that a judge was put to: rates, duels, a tournament."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmkit.judgements import Kind, Rate
from llmkit.types import Interval, JudgeStatus, Totals


@dataclass(frozen=True, slots=True)
class RawDifference:
    """How far a run's raw figure is from another run's, on the samples that both have a verdict of.

    It is not corrected: a judge's errors shrink differences, and a style that it dislikes makes some.

    Attributes:
        run: The other run, which came first.
        before: The other run's raw figure on these samples; None where there are none.
        after: This run's.
        difference: ``after`` − ``before``.
        interval: Of the difference; None where it cannot be had.
        p_value: Two-sided, of no difference.
        test: What gave it: ``sign-flip``, ….
        n: Paired samples, each averaged over its epochs.
    """

    run: str
    before: float | None
    after: float | None
    difference: float | None
    interval: Interval | None
    p_value: float | None
    test: str | None
    n: int


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """What ``llmkit judge run`` found: a judge's verdicts on a stored run or a file of items.

    Attributes:
        judge: Its name.
        kind: What it says.
        source: What was judged: ``run 2026…``, ``items.jsonl``.
        n: Items judged.
        verdicts: Label → how many.
        cannot_tell: How many.
        unread: How many.
        raw: The raw rate, or mean.
        status: The judge's, and with it that of all figures.
        lock: The lock's id.
        corrected: The corrected rate with its interval; None where there is none.
        estimator: Which; None where there is none.
        why: Why this one, or why none.
        paid: What it cost.
        notes: Lines for people.
        against: How far it is from the first run, where it is not the first of several.
    """

    judge: str
    kind: Kind
    source: str
    n: int
    verdicts: Mapping[str, int]
    cannot_tell: int
    unread: int
    raw: Rate
    status: JudgeStatus
    lock: str | None
    corrected: Rate | None
    estimator: str | None
    why: str
    paid: Totals
    notes: tuple[str, ...] = ()
    against: RawDifference | None = None


@dataclass(frozen=True, slots=True)
class Duel:
    """Two runs set against each other by a pairwise judge, each pair of answers in both orders.

    Attributes:
        a: The first run's name.
        b: The second's.
        wins: Pairs in which b is preferred.
        losses: In which a is.
        ties: In which neither is, those among them whose orders disagree.
        flips: Pairs whose orders disagree.
        unread: Pairs without a verdict.
        win_rate: Of b: its wins and half of the ties over all pairs with a verdict.
        p_value: Of no preference: the sign test over wins and losses, by whole clusters where there are some.
        cannot_tell: Pairs of which the judge said so.
    """

    a: str
    b: str
    wins: int
    losses: int
    ties: int
    flips: int
    unread: int
    win_rate: Rate
    p_value: float | None
    cannot_tell: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One model's strength by Bradley and Terry's model, in nats, and its rank from 1; the mean strength is 0."""

    name: str
    strength: float
    interval: Interval | None
    rank: int


@dataclass(frozen=True, slots=True)
class Tournament:
    """Several runs, each against each other, by a pairwise judge."""

    judge: str
    status: JudgeStatus
    lock: str | None
    duels: tuple[Duel, ...]
    standings: tuple[Standing, ...]
    paid: Totals
    notes: tuple[str, ...] = ()
