"""Frozen records of two runs, and of several strategies, set against each other, as reports and the API see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmkit.types import Interval, RunStatus
from llmkit.variants import MarginVerdict, Sameness, Speed, Verdict, overall


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
        alias: What the user called the model; None: by its name.
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
    alias: str | None = None


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
        margins: Of each metric that was asked about, whether b is worse by its margin or more.
        sameness: How many answers are the same; None where no pair has an answer on both sides.
        speed: Of two engines of one's own; None where a side is none, or is a file.
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
    margins: tuple[MarginVerdict, ...] = ()
    sameness: Sameness | None = None
    speed: Speed | None = None

    @property
    def verdict(self) -> Verdict | None:
        """What all margins together come to; None where none was asked about."""
        return overall(self.margins)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure of one strategy.

    Attributes:
        value: Over the rows that have it; None where there is none.
        interval: Of ``value``; a bound may be infinite. None where spread cannot be seen.
        n: Rows behind it.
        unknown: Why there is no value: a price that is not known, too few rows, ….
        failures_wrong: The same with each failed row counted as a wrong answer, where some failed.
        interval_failures_wrong: Of ``failures_wrong``.
    """

    value: float | None
    interval: Interval | None
    n: int
    unknown: str | None = None
    failures_wrong: float | None = None
    interval_failures_wrong: Interval | None = None


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """One strategy over all rows.

    Attributes:
        name: As the user named it; ``resample`` is the control.
        rows: Rows asked.
        valid: Of them, those with a valid answer in the end.
        failed: Of them, those that broke: a server's error, a row that cannot be asked. They are in no figure.
        answers: Attempts over all rows.
        stored: Of them, those that the store had: paid by another strategy, or by an earlier command.
        cost_usd: What all attempts cost when they were made, as if no strategy shared one; None where unknown.
        figures: Name → figure: ``valid@1``, ``valid@k``, ``accuracy``, ``accuracy_valid``, ``attempts``,
            ``input_tokens``, ``output_tokens``, ``cost_usd``, ``per_valid``, ``per_correct``, ``latency_p50``,
            ``latency_p95``, ``distinct``; those on right answers only where there is a target.
        unavailable: Why the strategy cannot be had; then there are no figures.
        faults: ``stage/kind`` → how often, and one message.
        notes: What was decided on the way: a grammar that fell back, a rule that nobody enforces.
    """

    name: str
    rows: int = 0
    valid: int = 0
    failed: int = 0
    answers: int = 0
    stored: int = 0
    cost_usd: float | None = 0.0
    figures: Mapping[str, Estimate] = field(default_factory=dict)
    unavailable: str | None = None
    faults: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StrategyDifference:
    """One figure of two strategies, over the rows that both have it for.

    Attributes:
        figure: Which.
        a: The strategy before the arrow.
        b: The one after it.
        value_a: Of a, over the pairs.
        value_b: Of b.
        change: b − a; of latency b / a.
        interval: Of ``change``.
        p_value: Two-sided, of no difference; None of a ratio.
        p_adjusted: By Holm's method over all comparisons of this figure.
        test: What gave it: ``mcnemar-exact``, ….
        n: Pairs.
        won: Rows on which b is better.
        lost: Rows on which b is worse.
        tied: Rows on which they are equal.
        shown: 1 where b is shown to be better, −1 where worse: by the interval, by the adjusted test where there is
            one, and with failures left out as with failures counted as wrong. Else 0.
        ratio: Whether ``change`` is b / a.
        undone: Whether it would be shown, were it not for failures: counted as wrong answers, they undo it.
        unknown: Why there is no figure.
    """

    figure: str
    a: str
    b: str
    value_a: float | None
    value_b: float | None
    change: float | None
    interval: Interval | None
    p_value: float | None
    p_adjusted: float | None
    test: str | None
    n: int
    won: int = 0
    lost: int = 0
    tied: int = 0
    shown: int = 0
    ratio: bool = False
    undone: bool = False
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class StrategyComparison:
    """Strategies set against each other on the same rows.

    Attributes:
        model: ``provider/model``, and those escalated to.
        form: The format's name.
        strategies: In the order asked for, the control among them.
        differences: Each against the first that could be had, and ``reprompt`` against ``resample``.
        rows: Rows that all strategies have ended, one way or the other: those of the figures.
        planned: Rows that there are.
        max_attempts: Of one generation to one model: the k of ``valid@k``.
        unit: Of ``per_valid`` and ``per_correct``: ``usd``, or ``tokens`` where the model has no price.
        target: The row's field with the right answer; None where there is none.
        paid_usd: Dollars paid now, by all strategies together; None where a part is unknown.
        calls: Calls made now.
        confidence: Of the intervals.
        seed: Of the resampling.
        notes: Further lines for people.
        stopped_by: Why it ended before its end; None where it did not.
    """

    model: str
    form: str
    strategies: tuple[StrategyResult, ...]
    differences: tuple[StrategyDifference, ...]
    rows: int
    planned: int
    max_attempts: int
    unit: str
    target: str | None
    paid_usd: float | None
    calls: int
    confidence: float = 0.95
    seed: int = 0
    notes: tuple[str, ...] = ()
    stopped_by: str | None = None

    @property
    def error_text(self) -> tuple[StrategyDifference, ...]:
        """What the issues in the prompt do: ``reprompt`` against ``resample`` in what is valid and what is right."""
        wanted = ("valid@k", "accuracy")
        return tuple(d for d in self.differences if (d.a, d.b) == CONTROLLED and d.figure in wanted)


CONTROL = "resample"
"""The strategy that asks as often as ``reprompt`` does and tells nothing of what was wrong."""
CONTROLLED = (CONTROL, "reprompt")


@dataclass(frozen=True, slots=True)
class StrategyForecast:
    """What one strategy would ask, at most.

    Attributes:
        name: As the user named it; ``resample`` is the control.
        calls: With every attempt made and nothing from the store.
        worst_case_usd: What they cannot exceed; None where it is unknown, and then ``unknown`` says why.
        unknown: Why the worst case is unknown.
        unavailable: Why the strategy cannot be had.
    """

    name: str
    calls: int
    worst_case_usd: float | None
    unknown: str | None = None
    unavailable: str | None = None
