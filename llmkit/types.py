"""The frozen records that cross rooms. They hold data and do nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from llmkit.speculation import Speculation

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a data set, mapped: what is asked, and what a right answer is.

    Attributes:
        id: Unique within the data set; the row's number, as text, where none is mapped.
        index: The row's position in the data set, from 0.
        row: All fields of the row, as the templates see them.
        references: Right answers; any of them counts. Empty where the suite maps no target.
        cluster: Samples of one cluster are not independent (one document, one conversation).
        slices: Name → value of the groups that results are also reported by.
        where: ``path:line`` of the row, for errors.
    """

    id: str
    index: int
    row: Mapping[str, Any]
    references: tuple[str, ...] = ()
    cluster: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot become a sample. It fails alone."""

    index: int
    message: str
    where: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Continuation:
    """A text whose likelihood after a prompt is asked for.

    Attributes:
        text: As the data have it: its length is this one's.
        space: What stands before it, and is measured with it.
        given: What the answer, or the plain text, goes on with before that. It is not measured.
    """

    text: str
    space: str = ""
    given: str = ""


@dataclass(frozen=True, slots=True)
class Continuations:
    """What is compared in place of generating an answer.

    Attributes:
        texts: The continuations, in the order in which their log-likelihoods are wanted.
        chat: Whether the messages go through the model's chat template, and a continuation begins its answer. If not,
            the messages' texts, with a blank line between them, are one plain text that goes on.
        unconditional: What is said in place of the messages to measure how likely the continuations are without the
            question; None: that is not wanted.
    """

    texts: tuple[Continuation, ...]
    chat: bool = True
    unconditional: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked, in llmkit's own words; each provider turns it into its wire form.

    Attributes:
        messages: The conversation, in order.
        params: Sampling parameters under llmkit's names (see ``providers.params``), only those that are set.
        continuations: Texts whose likelihood is asked for in place of an answer; None: an answer is wanted.
    """

    messages: tuple[Message, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    continuations: Continuations | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. None means that the provider did not say.

    ``input`` counts all prompt tokens, cached ones included; ``cached`` and ``cache_write`` are parts of it.
    ``output`` counts all generated tokens; ``reasoning`` is a part of it.
    """

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


FinishReason = Literal["stop", "length", "content_filter", "tool_calls", "compared", "other"]
"""``compared``: nothing was generated; the text is the likeliest of given continuations."""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One generated token, or one continuation that was compared (``Continuations``).

    Attributes:
        token: The token; or the continuation.
        logprob: Its natural-log probability; a continuation's is the sum over its tokens.
        top: The likeliest alternatives with theirs; or the continuation's own tokens, in order.
        alone: A continuation's log-probability without the question, where that was asked for.
    """

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()
    alone: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A complete, successful answer.

    Attributes:
        text: The answer.
        finish_reason: Why generation ended; ``length`` is an answer cut off by ``max_tokens``.
        usage: Tokens, as the provider counted them.
        cost_usd: Dollars; None where the price is unknown.
        latency_s: Seconds of the HTTP attempt that succeeded.
        http_attempts: Attempts made, this one included; 0 of an answer that was given, and for which nobody was asked.
        served_model: The model that the server says answered.
        request_id: The server's name for the call.
        logprobs: One entry a generated token, where they were asked for; or one a continuation that was compared.
        lost: Dollars of each HTTP attempt of this call that may have been paid for and brought no answer; None where
            nobody knows.
    """

    text: str
    finish_reason: FinishReason = "stop"
    usage: Usage = Usage()
    cost_usd: float | None = None
    latency_s: float = 0.0
    http_attempts: int = 1
    served_model: str | None = None
    request_id: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    lost: tuple[float | None, ...] = ()

    @property
    def seconds(self) -> float | None:
        """``latency_s``; None of an answer that was given: nobody knows how long it took."""
        return self.latency_s if self.http_attempts else None


Stage = Literal["data", "prompt", "provider", "scorer", "budget"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one sample. It is counted and shown; it is never a score.

    Attributes:
        stage: The boundary that failed.
        kind: A short, stable word within the stage: ``rate_limit``, ``unparsable``, ``crash``, ….
        message: One line for people.
    """

    stage: Stage
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Score:
    """What one scorer says of one answer.

    Attributes:
        value: The sample's own value, in the metric's unit.
        stats: Sufficient statistics, for corpus metrics: the metric is a function of their sum over samples.
        answer: What was extracted from the text and compared, where that is not the text itself.
        reason: Why it is no better, one line, where the scorer can tell.
    """

    value: float
    stats: tuple[float, ...] = ()
    answer: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt of a generation, as a sample's record keeps it.

    Attributes:
        text: The answer; None where none came.
        problem: What is wrong with it, one line; None where it is valid.
        cost_usd: Dollars of the attempt; None where unknown.
    """

    text: str | None
    problem: str | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class GenerationFacts:
    """What structured generation did for one sample.

    Attributes:
        attempts: Answers asked for.
        valid: Whether the last one has the form and passes the validators.
        first_valid: Whether the first one does.
        cost_usd: Dollars of all attempts, when they were made; None where a part is unknown.
        retry_cost_usd: Dollars of all but the first; None where a part is unknown.
        strategy: How the form was obtained.
        stop: Why it ended: ``valid``, ``attempts``, ``repeated``, ``deadline``.
        problem: What is wrong with the last answer, one line; None where it is valid.
        steps: The attempts, in order.
        paid: Sums over what the run itself paid for.
    """

    attempts: int
    valid: bool
    first_valid: bool
    cost_usd: float | None = None
    retry_cost_usd: float | None = None
    strategy: str = ""
    stop: str = "valid"
    problem: str | None = None
    steps: tuple[Step, ...] = ()
    paid: Totals | None = None


@dataclass(frozen=True, slots=True)
class SampleResult:
    """One sample of one run: asked, answered, scored.

    ``scores`` maps each metric's name to its score or to the failure that stands in its place.
    ``failure`` is set where there is no answer at all; then ``completion`` is None and ``scores`` is empty.
    ``generation`` is set where the suite asks for a form: ``completion`` is then the last attempt's text, with the
    usage, cost and latency of all attempts.
    """

    sample_id: str
    epoch: int
    messages: tuple[Message, ...] = ()
    references: tuple[str, ...] = ()
    completion: Completion | None = None
    scores: Mapping[str, Score | Failure] = field(default_factory=dict)
    failure: Failure | None = None
    cached: bool = False
    cluster: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    generation: GenerationFacts | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval and how it was made (``wilson``, ``t``, ``cluster-t``, ``bca`` …)."""

    low: float
    high: float
    method: str
    confidence: float = 0.95


JudgeStatus = Literal["uncalibrated", "calibrated", "provisional", "refused", "stale"]
"""``stale``: something is not as it was when the judge was locked."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What stands behind a metric whose scores are a judge's verdicts. The metric's own value is the raw rate.

    Attributes:
        judge: The judge's name.
        status: Whether it was measured; a figure never appears without this where it is not ``calibrated``.
        lock: Id of its lock; None without one.
        rate: The corrected rate; None where there is none, and ``why`` says why.
        interval: Of ``rate``, the labels' uncertainty included.
        estimator: How it was corrected: ``post-stratified``, ``lang-reiczigel``, ``exact-bonferroni``.
        why: One line: why this estimator, with what it assumes; or why there is no corrected rate.
        cannot_tell: Answers of which the judge could not tell.
        unread: Answers without a verdict: unparsed, empty, refused, contradictory.
        worst: The least value that the judge gives: what an answer that is not there is worth as a wrong one. None
            where it is not known: a run that an earlier llmkit stored.
    """

    judge: str
    status: JudgeStatus
    lock: str | None = None
    rate: float | None = None
    interval: Interval | None = None
    estimator: str | None = None
    why: str = ""
    cannot_tell: int = 0
    unread: int = 0
    worst: float | None = None


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric of one run.

    Attributes:
        name: The metric, as the suite names it.
        value: Over the samples that were scored; None where there are none.
        interval: Of ``value``; None where it cannot be had (fewer than two samples, say).
        n: Samples scored. With epochs, distinct samples, each averaged over its epochs first.
        failed: Samples without a score: no answer, unparsable, scorer crash.
        value_failures_wrong: The same metric with each failure counted as a wrong (empty) answer.
        signature: Everything that makes two figures comparable.
        higher_is_better: Direction.
        slices: Per slice name and value, the same metric on that part.
        interval_failures_wrong: Of ``value_failures_wrong``, where it is another figure than ``value``: where some
            samples failed.
        judged: What stands behind it, where a judge gave the scores.
        overflowed: Of ``failed``, the samples whose prompt is longer than the model's context.
    """

    name: str
    value: float | None
    interval: Interval | None
    n: int
    failed: int
    value_failures_wrong: float | None
    signature: str
    higher_is_better: bool = True
    slices: Mapping[str, Mapping[str, MetricResult]] = field(default_factory=dict)
    interval_failures_wrong: Interval | None = None
    judged: Judged | None = None
    overflowed: int = 0


RunStatus = Literal["running", "completed", "interrupted", "budget", "failed", "killed"]
"""``killed`` is never stored: it is a ``running`` run that no process executes any more."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the calls of a run. A sum with an unknown part is unknown (None).

    ``cost_usd`` is what this run's answers cost; answers from the cache cost nothing now, and ``cached_cost_usd``
    says what they cost when they were made. ``lost_attempts`` may have been paid for and brought no answer (a
    time-out, a reset, an empty answer); ``lost_usd`` is what they cost, None where that is not known of all.
    """

    input: int | None = 0
    output: int | None = 0
    cached: int | None = 0
    reasoning: int | None = 0
    calls: int = 0
    http_attempts: int = 0
    cost_usd: float | None = 0.0
    cached_cost_usd: float | None = 0.0
    lost_attempts: int = 0
    lost_usd: float | None = 0.0

    @property
    def dollars(self) -> float | None:
        """What was paid in all, lost attempts included; None where a part is unknown."""
        return None if self.cost_usd is None or self.lost_usd is None else self.cost_usd + self.lost_usd


def summed(parts: Iterable[Totals]) -> Totals:
    """Add bills up; a sum with an unknown part is unknown."""
    parts = list(parts)
    sums: dict[str, Any] = {}
    for each in fields(Totals):
        column = [getattr(part, each.name) for part in parts]
        sums[each.name] = None if None in column else sum(column)
    return Totals(**sums)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run, as reports and the API see it.

    ``samples`` counts: ``total`` planned (sample × epoch), ``completed`` answered, ``failed`` without an answer.
    ``broken`` counts the samples for which something broke: no answer, or a scorer's crash. An answer that the
    model gave and no scorer could parse is its own doing: a failure of the metric, but nothing that broke.
    ``faults`` counts failures by ``stage/kind``, with one message each as an example.
    ``params`` are the sampling parameters; ``origins`` says of ``model``, of each of them and of each of the provider's
    options what set it: ``-M``, ``suite sums.yaml:9``. ``judging`` holds the sums of each judge's calls, by its
    name; they are no part of ``usage``. ``reasons`` counts wrong answers: metric → sort of reason → how often, for
    scorers whose reasons are of a few sorts. ``speculation`` is what drafting came to; None where nothing is told.
    ``alias`` is what the user called the model; None: by its name.
    """

    run_id: str
    suite: str
    model: str
    status: RunStatus
    total: int
    completed: int
    failed: int
    truncated: int
    from_cache: int
    metrics: Mapping[str, MetricResult]
    usage: Totals
    wall_s: float
    started_at: str
    digest: str
    faults: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    stopped_by: str | None = None
    broken: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    judging: Mapping[str, Totals] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    speculation: Speculation | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class PredictionsFound:
    """What a file of predictions holds, and what of it cannot be scored.

    Attributes:
        file: Its name.
        rows: Rows, bad ones included.
        answers: Answers; a row may have several.
        epochs: Least and most answers to one row.
        missing: What is wrong → how often, and where it is so first.
        unanswered: Rows of the suite that the file does not have, and where the first is.
    """

    file: str
    rows: int
    answers: int
    epochs: tuple[int, int]
    missing: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    unanswered: tuple[int, str] = (0, "")


NotCarriedKind = Literal["lost", "changed", "note"]
"""``lost``: it is gone. ``changed``: something stands in its place that may give other figures. ``note``: nothing that
was lost has a part in any figure."""


@dataclass(frozen=True, slots=True)
class NotCarried:
    """What of another tool's file does not stand in the imported suite as it stood there.

    Attributes:
        where: ``path:line``.
        what: The field, as that tool calls it.
        why: One line.
        todo: What the user can do; empty where nothing need be done.
        kind: How much it matters.
    """

    where: str
    what: str
    why: str
    todo: str = ""
    kind: NotCarriedKind = "lost"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made of another tool's file.

    Attributes:
        source: The file.
        format: ``lm-eval``, ``promptfoo`` or ``github``.
        suite: Path of the suite's file.
        files: Paths of all files, the suite's first.
        written: Whether they were; else they would be.
        not_carried: What is not in them as it was.
        next: The command that runs the suite.
    """

    source: str
    format: str
    suite: str
    files: tuple[str, ...]
    written: bool
    not_carried: tuple[NotCarried, ...]
    next: str

    @property
    def whole(self) -> bool:
        """Whether all that has a part in a figure was carried over as it was."""
        return all(item.kind == "note" for item in self.not_carried)
