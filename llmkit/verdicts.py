"""Frozen records of a gate: what changed, what was decided, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from llmkit.comparisons import Flip
from llmkit.judgements import Rate
from llmkit.types import Interval, JudgeStatus

Verdict = Literal["pass", "fail", "undecided"]
Part = Literal["prompt", "form", "model", "params", "data", "map", "scorers", "judge", "suite", "gate"]
How = Literal["changed", "added", "deleted", "renamed"]
OnInconclusive = Literal["fail", "warn", "pass"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between base and head.

    Attributes:
        part: What of the suite it is.
        how: In which way.
        path: The file at head, from the top of the repository; base's for what is deleted; None for what is no file.
        detail: One line for people: ``temperature: 0 → 0.7``.
        old_path: The file at base, where it had another name.
        lines: First and last line of each changed stretch of head's file, from 1.
        asks: Whether the model is asked something else because of it. What only scores otherwise is applied to both
            sides, so that it needs no call.
    """

    part: Part
    how: How
    path: str | None
    detail: str
    old_path: str | None = None
    lines: tuple[tuple[int, int], ...] = ()
    asks: bool = True


@dataclass(frozen=True, slots=True)
class Needs:
    """What would decide what this run could not. It is for a run planned anew: adding to this one spends alpha again.

    Attributes:
        samples: Units (samples, or clusters) of the metric that both verdicts need at this margin, at the spread seen:
            of a slice, those of its part. None where no number would do.
        margin: The smallest margin that this many samples can decide; None where none can.
        epochs: Epochs that would do with the samples there are, where more of them help; None where they do not.
        available: Units that the data set has, to hold ``samples`` against: of a slice, those of its part.
        of_all: Of a slice: units of the whole data set, in its proportions, that hold so many of the part; else None.
    """

    samples: int | None
    margin: float | None
    epochs: int | None = None
    available: int | None = None
    of_all: int | None = None


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Answers of one side without a verdict, of the pairs that were asked about: their pairs are left out."""

    asked: int = 0
    cannot_tell: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class JudgedVerdict:
    """What stands behind a gating metric whose scores are a judge's verdicts.

    The metric's ``base`` and ``head`` are raw rates; its difference and interval are corrected: raw ÷ (TPR + TNR − 1),
    the labels' uncertainty inside.

    Attributes:
        judge: The judge's name.
        status: Whether it was measured, and is as it was then.
        lock: Id of its lock; None without one.
        raw: The raw difference, head − base; None where there is none.
        tpr: Share of the passing test labels that it passes, with their number.
        tnr: Share of the failing ones that it fails.
        youden: TPR + TNR − 1: what a true difference shrinks to in its verdicts.
        base: Base's answers without a verdict.
        head: Head's.
        errors: What is known of equal error rates on both sides, one line: compared, or assumed.
        differential: Whether the labels prove that it errs otherwise on one side: then nothing is decided.
        refused: Why this judge may decide nothing; None where it may.
    """

    judge: str
    status: JudgeStatus
    lock: str | None = None
    raw: float | None = None
    tpr: Rate | None = None
    tnr: Rate | None = None
    youden: float | None = None
    base: Unjudged = Unjudged()
    head: Unjudged = Unjudged()
    errors: str = ""
    differential: bool = False
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """One gating metric.

    Attributes:
        metric: A scorer's name, ``cost``, ``latency_p95``, ``failures``.
        verdict: ``pass``: a drop as large as the margin is ruled out. ``fail``: a drop is proven, and it is not shown
            to be within the margin.
        margin: In the metric's unit, or as a share of base's value.
        relative: Whether margin, difference and interval are shares of base's value (cost, latency); of what retries
            cost, they are shares of what base costs in all.
        base: Base's value over the pairs; None where it is unknown.
        head: Head's value.
        difference: head − base, or the relative rise.
        interval: Of the difference, valid whenever the gate stopped (repeated confidence interval); a bound that
            cannot be had is infinite.
        n: Pairs that count.
        look: At which look it was decided, from 1; 0 where there was none.
        adjusted: The median-unbiased estimate, where the gate stopped early.
        ruled_out: The smallest worsening that is ruled out.
        losses: Samples on which head is worse.
        gains: Samples on which head is better.
        ties: Samples on which both are equal.
        slice: Name and value of the slice that it is of; None for the whole.
        within: A worsening is proven, and shown to be within the margin: a pass with a warning.
        reason: Why it is undecided, where it is not for want of samples: ``no price is known``, ….
        needs: What would decide it; of an undecided one.
        method: The tests by which it was decided.
        signature: The scorer's; empty for cost, latency and failures.
        higher_is_better: Direction.
        judged: What stands behind it, where a judge gives the scores.
    """

    metric: str
    verdict: Verdict
    margin: float
    relative: bool
    base: float | None
    head: float | None
    difference: float | None
    interval: Interval | None
    n: int
    look: int
    adjusted: float | None = None
    ruled_out: float | None = None
    losses: int = 0
    gains: int = 0
    ties: int = 0
    slice: tuple[str, str] | None = None
    within: bool = False
    reason: str | None = None
    needs: Needs | None = None
    method: str = ""
    signature: str = ""
    higher_is_better: bool = True
    judged: JudgedVerdict | None = None


@dataclass(frozen=True, slots=True)
class JudgeSpent:
    """What one judge's calls came to, over both sides.

    Attributes:
        judge: Its name.
        model: Who was asked.
        calls: Calls paid for now.
        cost_usd: What they cost; None where it is unknown.
    """

    judge: str
    model: str = ""
    calls: int = 0
    cost_usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a gate's calls came to, on one side.

    Attributes:
        calls: Calls paid for now.
        from_cache: Answers that were there: of earlier runs, or a baseline's.
        failed: Samples without an answer.
        cost_usd: What the calls cost; None where it is unknown.
        run_id: The run that they are stored as; None where nothing was run.
        model: The model.
    """

    calls: int = 0
    from_cache: int = 0
    failed: int = 0
    cost_usd: float | None = 0.0
    run_id: str | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """How many samples a gate may ask, and why.

    Attributes:
        n_max: Units (samples, or clusters) at the last look.
        wanted: Units that both verdicts need at every metric's margin.
        available: Units that the data set has.
        unit: ``samples`` or ``clusters``.
        epochs: How often each sample is asked, averaged.
        spread: Where the expected spread comes from: ``A/A run 2026…``, ``assumed``, ….
        resolvable: Metric → smallest margin that ``n_max`` can decide, where that is above the margin asked for.
        worst_case_usd: What the whole gate cannot exceed; None where it is unknown.
        unknown: Why it is unknown.
        calls: Calls at most, both sides: where no stored answer counts, because another model is served by now.
        from_cache: Of them, those for which an answer is stored.
        judge_calls: Judge → its calls at most, both sides; none of ``calls``, and their cost is in the worst case.
    """

    n_max: int
    wanted: int
    available: int
    unit: str
    epochs: int
    spread: str
    resolvable: Mapping[str, float] = field(default_factory=dict)
    worst_case_usd: float | None = None
    unknown: str | None = None
    calls: int = 0
    from_cache: int = 0
    judge_calls: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SuiteVerdict:
    """One suite that a change reaches.

    Attributes:
        suite: Its name.
        path: Its file, from the top of the repository.
        verdict: Of all its metrics together.
        changes: What reaches it.
        metrics: In the suite's order, slices after their metric.
        planned: What was planned; None where nothing could be.
        look: The number of the latest look, of those planned; 0 where there was none.
        looks: The number of the last look.
        n: Units seen on both sides.
        base: Base's calls.
        head: Head's calls.
        flips: Samples that flipped in a gating metric, worst first.
        flipped: How many there are.
        dropped: Pairs that do not count, because one side has no answer.
        same: Pairs whose requests are the same on both sides, which share an answer.
        stopped_by: What ended it before its end, other than a verdict: the budget, a server's fault.
        reason: Why there is no comparison at all: ``new suite``, base's prompt cannot be read, ….
        missing: ``side sample epoch`` of answers that ``--offline`` lacks.
        notes: Further lines for people.
        warning: What a pass does not cover and should not hide: head failed to answer more often than base, say.
        saved_calls: Calls that stopping early spared.
        saved_usd: What they would have cost at the mean price of those made; None where it is unknown.
        new: Whether base has no such suite, so that there is nothing to compare with.
        rule: How failures were treated, in words; the same on both sides.
        exit_code: What this suite alone would exit with.
        judges: What the calls of each judge came to, both sides together; they are in neither side's.
    """

    suite: str
    path: str | None
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    metrics: tuple[MetricVerdict, ...] = ()
    planned: Planned | None = None
    look: int = 0
    looks: int = 0
    n: int = 0
    base: Spent = Spent()
    head: Spent = Spent()
    flips: tuple[Flip, ...] = ()
    flipped: int = 0
    dropped: int = 0
    same: int = 0
    stopped_by: str | None = None
    reason: str | None = None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warning: str | None = None
    new: bool = False
    saved_calls: int = 0
    saved_usd: float | None = 0.0
    rule: str = ""
    exit_code: int = 0
    judges: tuple[JudgeSpent, ...] = ()

    @property
    def distrusted(self) -> bool:
        """Whether a judge may not decide here: that is no want of evidence, and no option makes it a pass."""
        return any(m.judged is not None and (m.judged.refused or m.judged.differential) for m in self.metrics)


@dataclass(frozen=True, slots=True)
class GateReport:
    """A whole gate.

    Attributes:
        verdict: ``pass`` where every suite passes or none is reached, ``fail`` where one fails.
        exit_code: 0, 1, 3 or 4.
        suites: One a suite that is reached (with ``--list``: planned, not decided).
        base: What base is, for people: ``origin/main (merge base 3f9c2a1)``, ``baseline main.json``.
        head: What head is: ``working tree at 81bd0c2, with uncommitted changes``.
        untouched: Names of the gated suites that no change reaches.
        on_inconclusive: What ``undecided`` means to the caller; None: exit 3.
        alpha: One-sided error rate of either verdict.
        seed: Of order and resampling.
        listed: Whether this is ``--list``: nothing was run.
        wall_s: Seconds.
        notes: Lines for people: a dirty tree, deleted suites, ….
    """

    verdict: Verdict
    exit_code: int
    suites: tuple[SuiteVerdict, ...]
    base: str
    head: str
    untouched: tuple[str, ...] = ()
    on_inconclusive: OnInconclusive | None = None
    alpha: float = 0.05
    seed: int = 0
    listed: bool = False
    wall_s: float = 0.0
    notes: tuple[str, ...] = ()
