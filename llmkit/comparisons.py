"""Frozen records of two runs set against each other, as reports and the API see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmkit.types import Interval, RunStatus


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: ``a`` came before, ``b`` after.

    Attributes:
        name: What the user called it: an id, ``latest``, a file's path.
        run_id: The run.
        suite: Its suite.
        model: Its model.
        status: How it ended; what is not ``completed`` is said. None where a file does not say.
        samples: Samples × epochs that it holds.
        failed: Of them, those without an answer.
        cost_usd: What its answers cost when they were made; None where that is unknown.
        stored: Whether the store holds it, so that ``llmkit runs show`` can show its samples; else it is a file.
    """

    name: str
    run_id: str
    suite: str
    model: str
    status: RunStatus | None
    samples: int
    failed: int
    cost_usd: float | None = None
    stored: bool = True


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """One metric on both sides, over the samples that both have scored.

    Attributes:
        name: The metric.
        a: Its value on side a, over the pairs.
        b: On side b.
        difference: b − a, in the metric's unit.
        interval: Of the difference.
        p_value: Two-sided, of no difference; the ``test`` says by which.
        test: ``mcnemar-exact``, ``sign-flip``, ….
        n: Pairs: distinct samples, averaged over their epochs.
        won: Samples on which b is better.
        lost: Samples on which b is worse.
        tied: Samples on which both are equal.
        failed_a: Samples without a score on side a.
        failed_b: On side b. A pair with a failure on either side is in none of the figures above.
        signature: The scorer's, side b's where they differ.
        signature_a: Side a's, where it is another (``--force``); None otherwise.
        higher_is_better: Direction.
        clusters: Clusters behind the interval; None where each sample is its own.
        p_adjusted: Of a slice: adjusted over all slices of the metric by Holm's method.
        slices: Per slice name and value, the same metric on that part.
        unknown: Why there is no figure, where the scores are there: no statistics of a corpus metric, ….
    """

    name: str
    a: float | None
    b: float | None
    difference: float | None
    interval: Interval | None
    p_value: float | None
    test: str | None
    n: int
    won: int
    lost: int
    tied: int
    failed_a: int
    failed_b: int
    signature: str
    signature_a: str | None = None
    higher_is_better: bool = True
    clusters: int | None = None
    p_adjusted: float | None = None
    slices: Mapping[str, Mapping[str, MetricDifference]] = field(default_factory=dict)
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class AmountDifference:
    """Dollars, tokens or seconds a call on both sides, over the pairs that both know it of.

    Attributes:
        name: ``cost_usd``, ``output_tokens``, ``latency_s``.
        statistic: What ``a`` and ``b`` are: ``mean``, ``median`` or ``p95``.
        a: On side a; None where it is unknown.
        b: On side b.
        ratio: b / a.
        interval: Of the ratio.
        n: Pairs.
        unknown: Why there is no figure: prices unknown, answers from the cache (latency), ….
    """

    name: str
    statistic: str
    a: float | None
    b: float | None
    ratio: float | None
    interval: Interval | None
    n: int
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What one side made of one sample: its text, or why there is none."""

    text: str | None
    value: float | None
    extracted: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """A sample on which the two sides differ in one metric.

    Attributes:
        sample_id: Which.
        epoch: In which epoch.
        metric: In which metric.
        change: b − a, signed so that a loss is negative whatever the metric's direction.
        question: The last user message of side b, for people.
        references: Right answers.
        a: Side a's answer.
        b: Side b's answer.
    """

    sample_id: str
    epoch: int
    metric: str
    change: float
    question: str
    references: tuple[str, ...]
    a: Answered
    b: Answered


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, paired by sample and epoch.

    Attributes:
        a: The one before.
        b: The one after.
        pairs: Samples × epochs that both sides hold.
        only_a: Those that side a alone holds.
        only_b: Those that side b alone holds.
        metrics: In the order of side b's suite.
        amounts: Cost, tokens, latency.
        flips: Worst losses first, then the greatest gains.
        flipped: How many samples differ in all; ``flips`` may be cut.
        forced: What differs though it should not, where ``--force`` let it pass, and how: ``data: 3f9c ≠ 81bd``.
        confidence: Of the intervals.
        seed: Of the resampling.
        differs: What was set otherwise on side b, and is what one compares: ``model: a → b``, ``prompt``.
        notes: Further lines for people: metrics that one side lacks, a run that did not end, ….
    """

    a: Side
    b: Side
    pairs: int
    only_a: int
    only_b: int
    metrics: Mapping[str, MetricDifference]
    amounts: tuple[AmountDifference, ...] = ()
    flips: tuple[Flip, ...] = ()
    flipped: int = 0
    forced: tuple[str, ...] = ()
    confidence: float = 0.95
    seed: int = 0
    differs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
