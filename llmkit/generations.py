"""Frozen records of structured generation: what was asked, what came, what was wrong with it, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar

from llmkit.errors import LlmkitError
from llmkit.types import Failure, FinishReason, Interval, RunStatus, Totals, Usage, summed

T_co = TypeVar("T_co", covariant=True)

Strategy = Literal["plain", "reprompt", "native", "constrained", "instructor"]
"""How a form is obtained. ``plain``: described in the prompt, one attempt. ``reprompt``: further attempts are told what
was wrong. ``native``: the provider's own structured output. ``constrained``: a grammar bounds the decoder.
``instructor``: the package of that name drives the attempts. All but ``plain`` ask again where an answer is invalid."""

Feedback = Literal["last", "all", "fresh"]
"""What a further attempt sees. ``last``: the task, the last bad answer cut to size, and its issues. ``all``: every bad
answer with its issues. ``fresh``: nothing, it is a new draw; the control for whether the issues help."""

Enforcer = Literal["provider", "decoder", "validator"]

Stop = Literal["valid", "attempts", "repeated", "deadline", "budget", "failed", "interrupted"]
"""Why a generation ended. ``repeated``: the same text with the same issues twice in a row. ``failed``: the model's
server, or a validator, broke. ``interrupted``: by the user, on the way."""


UNCHECKED: Final = "unchecked"
"""The rule of the issue that stands where a check broke: nobody knows whether the answer is valid."""


class _Missing:
    """Stands where there is no value; None is one."""

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"  # a copy, or what another process unpickles, is the one that is


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with an answer.

    Attributes:
        message: What is wrong and what is wanted, one line, for the model as for people.
        path: Keys and positions that lead to the offending value; empty for the whole.
        value: The offending value; MISSING where there is none (not JSON at all, a missing key).
        rule: What is violated, by a stable name: ``syntax``, ``pattern``, ``required``, a validator's name.
    """

    message: str
    path: tuple[str | int, ...] = ()
    value: Any = MISSING
    rule: str = ""

    @property
    def at(self) -> str:
        """The path as people write it: ``items[2].name``; empty for the whole."""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return text.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Enforced:
    """A rule of the form, and who saw to it before the answer was returned.

    Attributes:
        rule: As the format names it: ``shape``, ``email: pattern``; or a validator's name.
        by: ``provider``: its structured output. ``decoder``: the grammar. ``validator``: checked afterwards, as
            everything is, and by this alone.
    """

    rule: str
    by: Enforcer


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer asked for: what it said and what it cost. Failed and refused ones are attempts like any other.

    Attributes:
        number: From 1, over all models of the generation.
        model: ``provider/model``.
        strategy: How the form was obtained.
        text: The answer; None where none came.
        issues: What is wrong with it.
        repairs: Lossless extractions, and guesses where they were asked for: ``code fence removed``.
        feedback: What the model was told about the attempts before; None on a first or fresh attempt.
        failure: Why no answer came.
        finish_reason: Why generation ended; None where no answer came.
        usage: Tokens of the answer; of a refused or empty one, too, where the provider says.
        cost_usd: Dollars of the answer; 0 where it certainly was not billed, None where nobody knows.
        lost: Dollars of the HTTP attempts on the way that may have been paid for and brought no answer; None: unknown.
        latency_s: Seconds of the HTTP attempt that succeeded.
        http_attempts: HTTP attempts made, this one included.
        compile_s: Seconds that the grammar took to compile, where one was compiled for this attempt.
        max_tokens: The limit that it was asked with; None where none was set.
        cached: Answered from the store: it costs nothing now, and ``cost_usd`` says what it cost when it was made.
        served_model: The model that the server says answered.
        request_id: The server's name for the call.
    """

    number: int
    model: str
    strategy: Strategy
    text: str | None = None
    issues: tuple[Issue, ...] = ()
    repairs: tuple[str, ...] = ()
    feedback: str | None = None
    failure: Failure | None = None
    finish_reason: FinishReason | None = None
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    lost: tuple[float | None, ...] = ()
    latency_s: float | None = None
    http_attempts: int = 1
    compile_s: float | None = None
    max_tokens: int | None = None
    cached: bool = False
    served_model: str | None = None
    request_id: str | None = None

    @property
    def valid(self) -> bool:
        """Whether an answer came and nothing is wrong with it."""
        return self.failure is None and not self.issues


def totals(attempts: Iterable[Attempt]) -> Totals:
    """Sum attempts; a sum with an unknown part is unknown. Cached attempts count as cost saved, and as nothing else."""
    attempts = list(attempts)
    paid = [a for a in attempts if not a.cached]
    lost = [cost for a in paid for cost in a.lost]
    return Totals(
        input=_sum(a.usage.input for a in paid if _used(a)),
        output=_sum(a.usage.output for a in paid if _used(a)),
        cached=_sum(a.usage.cached or 0 for a in paid),
        reasoning=_sum(a.usage.reasoning or 0 for a in paid),
        calls=len(paid),
        http_attempts=sum(a.http_attempts for a in paid),
        cost_usd=_sum(a.cost_usd for a in paid),
        cached_cost_usd=_sum(a.cost_usd for a in attempts if a.cached),
        lost_attempts=len(lost),
        lost_usd=_sum(lost),
    )


def _used(attempt: Attempt) -> bool:
    """Whether tokens were used: all but of an attempt that certainly was not billed, a 500 say."""
    return attempt.failure is None or attempt.cost_usd != 0.0 or attempt.usage != Usage()


def _sum(parts: Iterable[Any]) -> Any:
    total: Any = 0
    for part in parts:
        if part is None:
            return None
        total += part
    return total


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything that a generation asked for, whether it succeeded or not.

    Attributes:
        attempts: In order.
        stop: Why it ended.
        rules: Each rule of the form and of the validators, with who enforced it in the last attempt.
        notes: What was decided on the way and a reader should know: a fallback, a rule that nobody enforces early.
        checks: What validators paid that ask a model, a judge say, by their names; no part of ``totals``.
    """

    attempts: tuple[Attempt, ...]
    stop: Stop
    rules: tuple[Enforced, ...] = ()
    notes: tuple[str, ...] = ()
    checks: Mapping[str, Totals] = field(default_factory=dict)

    @property
    def totals(self) -> Totals:
        """Sums over the attempts."""
        return totals(self.attempts)

    @property
    def cost_usd(self) -> float | None:
        """Dollars paid now, lost attempts and what checked the answers included; None where a part is unknown."""
        return summed([self.totals, *self.checks.values()]).dollars

    @property
    def by_model(self) -> Mapping[str, Totals]:
        """The sums of each model, in order of use."""
        names = dict.fromkeys(a.model for a in self.attempts)
        return {name: totals(a for a in self.attempts if a.model == name) for name in names}

    @property
    def valid(self) -> bool:
        """Whether the last attempt is right."""
        return self.stop == "valid"


@dataclass(frozen=True, slots=True)
class Result(Generic[T_co]):
    """A valid answer and its bill.

    Attributes:
        value: What the format read.
        text: The part of the last answer that the value stands in, as the format writes it.
        ledger: All attempts.
    """

    value: T_co
    text: str
    ledger: Ledger

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All attempts, in order."""
        return self.ledger.attempts

    @property
    def cost_usd(self) -> float | None:
        """Dollars paid now; None where a part is unknown."""
        return self.ledger.cost_usd


class GenerationFailed(LlmkitError):
    """No valid answer came. The ledger holds every attempt, as a success's does.

    Args:
        message: One line: how many attempts, and what is wrong with the last.
        ledger: All attempts.
        hint: What can be done about it.
    """

    def __init__(self, message: str, ledger: Ledger, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.ledger = ledger

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a worker process raise it into the one that waits for it; of the message alone none could be made."""
        return type(self), (self.message, self.ledger), self.__dict__

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All attempts, in order."""
        return self.ledger.attempts

    @property
    def cost_usd(self) -> float | None:
        """Dollars paid; None where a part is unknown."""
        return self.ledger.cost_usd


class GenerationOverBudget(GenerationFailed):
    """The next attempt does not fit under the cap."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class FormatCard:
    """What ``llmkit format show`` shows of a format.

    Attributes:
        name: ``json``, ``xml``, ….
        description: What the prompt is told.
        rules: All rules.
        grammar: The grammar's text; None where there is none.
        grammar_kind: ``json_schema``, ``regex``, ``choice``, ``lark``; None where there is none.
        grammar_note: Why there is none, or what it does not cover.
        enforcement: Provider → rule → who enforces it there.
        notes: Provider → what a user should know: what is narrowed, why nothing is enforced.
        form_notes: What a user should know of the format itself: keywords that do nothing, formats that nobody checks.
    """

    name: str
    description: str
    rules: tuple[str, ...]
    grammar: str | None
    grammar_kind: str | None
    grammar_note: str | None
    enforcement: Mapping[str, Mapping[str, Enforcer]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    form_notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What came of many generations.

    Attributes:
        status: How it ended.
        total: Answers wanted; None where the rows were not counted.
        done: Answers written, failures among them.
        valid: Of them, the valid ones.
        first: Of them, those valid at the first attempt.
        broken: Of those done, the ones without a verdict: the server or a validator broke, the row cannot be asked.
        duplicates: Of those done, the ones that failed because their value is taken (``--distinct``).
        valid_interval: Of ``valid`` in ``done``; None where nothing is done.
        first_interval: Likewise of ``first``.
        attempts: Attempts made → how many answers took so many.
        input_tokens: Of all attempts; None where unknown of one.
        output_tokens: Likewise.
        cost_usd: Dollars of all the answers when they were made; None where unknown of one.
        paid_usd: Dollars that this batch paid, in all its starts, lost attempts included: less than ``cost_usd`` where
            the store had answers, more where attempts were lost or their rows are not written yet.
        lost_attempts: HTTP attempts that may have been paid for and brought no answer.
        repairs: What was taken away around values → how often.
        rules: Rule → attempts that broke it, mended ones among them; the most frequent first.
        faults: Fault of what broke → (how often, one message).
        wall_s: Seconds of this start.
        stopped_by: What ended it early.
        paid_least_usd: Of ``paid_usd`` what is known, where all of it is not.
    """

    status: RunStatus
    total: int | None
    done: int
    valid: int
    first: int
    broken: int
    duplicates: int
    valid_interval: Interval | None
    first_interval: Interval | None
    attempts: Mapping[int, int]
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    paid_usd: float | None
    lost_attempts: int
    repairs: Mapping[str, int]
    rules: Mapping[str, int]
    faults: Mapping[str, tuple[int, str]]
    wall_s: float
    stopped_by: str | None = None
    paid_least_usd: float | None = None

    @property
    def cost_per_valid(self) -> float | None:
        """Dollars of all answers for each valid one; None where unknown, or none is valid."""
        return None if self.cost_usd is None or not self.valid else self.cost_usd / self.valid


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``llmkit validate`` found in an answer that was there already.

    Attributes:
        value: What the format read; None where there are issues.
        text: The part of the answer that was read.
        issues: What is wrong.
        repairs: What was taken away, or guessed where that was asked for.
        line: Where it stands in a file of answers, from 1; None where the file is one answer.
    """

    value: Any
    text: str
    issues: tuple[Issue, ...] = ()
    repairs: tuple[str, ...] = ()
    line: int | None = None

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.issues
