"""Frozen records of judges: verdicts, labels, calibrations, checks, as reports and the API see them."""

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
    """

    labels: tuple[str, ...]
    table: tuple[tuple[float, ...], ...]
    cannot_tell: int = 0
    unread: int = 0
    weighted: bool = False
    items: int | None = None

    @property
    def n(self) -> float:
        """Items with a verdict."""
        return sum(map(sum, self.table))

    @property
    def asked(self) -> float:
        """Items that were judged, with a verdict or without."""
        return self.n + self.cannot_tell + self.unread if self.items is None else self.items


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
class Candidate:
    """One configuration of a search.

    Attributes:
        name: Short: ``gpt-… · relevance.prompty · 4 shots · reason before``.
        settings: What it changes: ``model``, ``prompt``, ``few_shot``, ``method.*``.
        dev: Balanced accuracy (accuracy for kinds without two classes) on the dev items that it was asked about.
        n: Dev items that it was asked about.
        stopped: Whether racing stopped it before the last item.
        unread: Items without a verdict.
        cost_usd: What its calls cost; None where it is unknown.
    """

    name: str
    settings: Mapping[str, Any]
    dev: Rate
    n: int
    stopped: bool = False
    unread: int = 0
    cost_usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item on which judge and people differ.

    ``part`` says which part it is of: those of the test part were seen once the report was printed.
    """

    id: str
    label: str
    verdict: str
    reason: str
    input: str
    answer: str
    part: Part


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """Accuracy on one part of a slice; ``p_adjusted`` (Holm) of no difference from the rest."""

    name: str
    value: str
    accuracy: Rate
    p_value: float | None
    p_adjusted: float | None


@dataclass(frozen=True, slots=True)
class Worth:
    """What the judge is good for.

    Attributes:
        labels_width: Width of the interval from the labels alone.
        corrected_width: Width of the corrected one, from labels and ``n`` verdicts.
        n: Verdicts that it assumes.
        usd_per_1000: Dollars per thousand verdicts; None where unknown.
        tokens_per_1000: Tokens likewise; None where unknown.
    """

    labels_width: float | None
    corrected_width: float | None
    n: int
    usd_per_1000: float | None
    tokens_per_1000: float | None


@dataclass(frozen=True, slots=True)
class Best:
    """The best status that the labels can reach, before any call.

    Attributes:
        status: Where the judge makes no mistake at all.
        needs: Class (or ``items``) → how many more labels of it a perfect judge would need; empty where none.
        needs_at_95: The same for a judge that is right 95 times of 100 on each class, to be certified four times of
            five.
        said: One line.
    """

    status: Status
    needs: Mapping[str, int]
    needs_at_95: Mapping[str, int]
    said: str


@dataclass(frozen=True, slots=True)
class Split:
    """How the labels were divided.

    Attributes:
        sizes: Part → class → items.
        folds: Folds of cross-fitting; 0 where the test part was held out as a whole.
        groups: Groups that were kept together; None where each item is its own.
        digest: Of the ids of each part.
    """

    sizes: Mapping[Part, Mapping[str, int]]
    folds: int
    groups: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """The report of ``llmkit judge calibrate``.

    Attributes:
        judge: Its name.
        kind: What it says.
        status: What came of it.
        reasons: Why it is not ``calibrated``, one line each; of a calibrated one what was shown.
        needs: Class (or ``items``) → how many more test labels would settle it, of a provisional one.
        best: What was said before any call.
        split: How the labels were divided.
        candidates: The search, best first; one where there was none.
        runner_up_p: Of McNemar's test between the first two on dev; None with one.
        dev: Of the chosen one; None where no dev part was needed.
        test: Of the chosen one.
        optimism: dev − test of the figure that chose; None without dev.
        ceiling: Agreement of a person with the majority of the others; None where one person labelled.
        probes: All of them.
        slices: Of the test part.
        disagreements: A few, test ones last.
        worth: Whether it is worth it.
        estimator: What corrects rates: ``post-stratified`` on the labelled population, ``lang-reiczigel`` elsewhere;
            None where nothing does.
        estimator_why: One line.
        threshold: Cut on the probability, where there is one.
        calibrator: ``platt`` or ``isotonic`` with its parameters, where there is one.
        looks: How often these test labels have been looked at, this time included.
        model: The chosen model.
        served: The model that answered, in the server's words.
        paid: All calls of this calibration.
        saved_calls: Calls that racing spared.
        planned_calls: Calls that the full grid would have taken.
        lock: The lock's id.
        lock_path: Its file, from the project on.
        seed: Of split, order and resampling.
        notes: Lines for people: what the linter said, abstentions, ….
        next: The next command.
        required: Figure (``tpr``, ``weighted_kappa``, …) → the one-sided lower bound that it must show.
    """

    judge: str
    kind: Kind
    status: Status
    reasons: tuple[str, ...]
    needs: Mapping[str, int]
    best: Best
    split: Split
    candidates: tuple[Candidate, ...]
    runner_up_p: float | None
    dev: Figures | None
    test: Figures
    optimism: float | None
    ceiling: Rate | None
    probes: tuple[Probe, ...]
    slices: tuple[SliceFigures, ...]
    disagreements: tuple[Disagreement, ...]
    worth: Worth
    estimator: str | None
    estimator_why: str
    threshold: float | None
    calibrator: Mapping[str, Any] | None
    looks: int
    model: str
    served: str | None
    paid: Totals
    saved_calls: int
    planned_calls: int
    lock: str
    lock_path: str
    seed: int
    notes: tuple[str, ...] = ()
    next: str = ""
    required: Mapping[str, float] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class Annotator:
    """One person's answers.

    Attributes:
        name: Who.
        n: Items labelled.
        agreement: With the majority of the others, over items that others labelled too.
        gold: Accuracy on gold items; None where there are none.
        skill: Wawa's share, or Dawid and Skene's expected accuracy; None where it cannot be had.
        p_value: One-sided, of being no worse than the rest.
        p_adjusted: Holm's.
        flagged: Provably worse than the rest; never on fewer than ten answers.
        seconds: Median time per item; None where unknown.
    """

    name: str
    n: int
    agreement: Rate | None
    gold: Rate | None
    skill: float | None
    p_value: float | None
    p_adjusted: float | None
    flagged: bool
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far people agree.

    Attributes:
        judge: Whose labels.
        items: Items with a label.
        overlapping: Items that two or more labelled.
        annotators: Who labelled.
        kappas: Pair of annotators → Cohen's κ over the items of both.
        fleiss: κ for several raters, where each item has equally many; else None.
        alpha: Krippendorff's, missing labels allowed.
        ac1: Gwet's.
        majority: Label → items that it wins; ties apart.
        ties: Items without a majority.
        dawid_skene: Label → items that it takes by Dawid and Skene's model.
        differing: Ids on which the two say otherwise.
        level: Of measurement: nominal, ordinal.
        ceiling: How often a person says what most of the others say: no judge can be asked for more.
    """

    judge: str
    items: int
    overlapping: int
    annotators: tuple[str, ...]
    kappas: Mapping[tuple[str, str], Rate]
    fleiss: Rate | None
    alpha: Rate | None
    ac1: Rate | None
    majority: Mapping[str, int]
    ties: int
    dawid_skene: Mapping[str, int]
    differing: tuple[str, ...]
    level: str
    ceiling: Rate | None = None


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
