"""The loop: ask, read, check, tell what is wrong, ask again; and keep the bill of all of it.

    task ──► request ──► ask ──► parse ──► validators ──► Result
               ▲                   └── issues ──┘
               └──── feedback ◄────────┘

Every way out, an error's too, carries the ledger of every attempt that was made.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from llmkit.errors import BudgetError, LlmkitError, ProviderError, UsageError
from llmkit.generations import (
    UNCHECKED,
    Attempt,
    Enforced,
    Feedback,
    GenerationFailed,
    GenerationOverBudget,
    Issue,
    Ledger,
    Result,
    Stop,
)
from llmkit.providers.answers import no_answer
from llmkit.providers.base import Provider
from llmkit.structured.attempts import broken, crashed, cut_off, failed, interrupted, made, summary, unaffordable
from llmkit.structured.deadline import Deadline, DeadlinePassed
from llmkit.structured.format import Context, Format, Parsed
from llmkit.structured.strategy import Way
from llmkit.structured.validators import Validator, ValidatorCrash, check, name_of, notes_of
from llmkit.structured.wording import describe, feedback_of, follow_up
from llmkit.types import Completion, Failure, Message, Request, Totals, summed

T = TypeVar("T")

MAX_ATTEMPTS = 3
"""Where no number is given. Most answers that can be mended are mended at the second attempt, and each one costs."""
MOST_ATTEMPTS = 100
OWN_DOING = frozenset({"refused", "empty"})
"""Faults that are the model's, not its server's: another attempt may do better."""
RAISE = 2
"""The token limit of a truncated answer is raised by this factor, once."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer; whether it came from the store; and what went wrong after it had been paid for."""

    completion: Completion
    cached: bool = False
    error: LlmkitError | None = None


class Ask(Protocol):
    """Makes one call: with retries, rates and money, and with a cache where the caller keeps one."""

    def __call__(self, request: Request, attempt: int) -> Awaitable[Answered]:
        """Ask; ``attempt`` counts the attempts of the generation before this one and is a part of the cache key.

        Raises:
            ProviderError: No answer; what it cost stands in it.
            BudgetError: The call, or its next HTTP attempt, does not fit under the cap; it says how many were made.
        """
        ...


Watch = Callable[[Sequence[Attempt], Attempt | None], None]
"""Is told of each step: the attempts so far, and the one under way; None between two."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model that is asked, and how.

    Attributes:
        name: ``provider/model``.
        provider: Started, where it is one that starts.
        params: Its sampling parameters.
        ask: What makes the calls.
        way: How the form is obtained from it; chosen before any call.
    """

    name: str
    provider: Provider
    params: Mapping[str, Any]
    ask: Ask
    way: Way


@dataclass(frozen=True, slots=True)
class Policy:
    """When to ask again, and with what.

    Attributes:
        max_attempts: Calls of one generation to one model, truncated and refused ones included.
        feedback: What a further attempt sees of those before.
        repair: Whether guesses at what was meant are allowed.
        deadline_s: Seconds from the first call to the end; what is under way then is broken off.
    """

    max_attempts: int = MAX_ATTEMPTS
    feedback: Feedback = "last"
    repair: bool = False
    deadline_s: float | None = None

    def __post_init__(self) -> None:
        most = self.max_attempts
        if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_ATTEMPTS:
            raise UsageError(f"max_attempts must be a whole number from 1 to {MOST_ATTEMPTS}, not {most!r}")
        late = self.deadline_s
        number = isinstance(late, (int, float)) and not isinstance(late, bool)
        if late is not None and not (number and math.isfinite(late) and late > 0):
            raise UsageError(f"the deadline must be a number of seconds above 0, not {late!r}")
        if self.feedback not in ("last", "all", "fresh"):
            raise UsageError(f"feedback is last, all or fresh, not {self.feedback!r}")


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """What is wanted.

    Attributes:
        messages: The prompt, rendered.
        form: The form, bound to the row where it depends on it.
        validators: What else must hold.
        row: The fields that the prompt was rendered with.
        data: What the caller gave as ``context``.
        watch: Sees the attempts while they are made.
        described: Whether ``messages`` tell the form already.
    """

    messages: tuple[Message, ...]
    form: Format[T]
    validators: tuple[Validator, ...] = ()
    row: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    watch: Watch | None = None
    described: bool = False


async def generate(
    task: Task[T], speakers: Sequence[Speaker], policy: Policy, *, clock: Callable[[], float] = time.monotonic
) -> Result[T]:
    """Obtain a valid answer; each further speaker is asked where the one before has failed.

    Raises:
        GenerationFailed: No valid answer; carries every attempt.
        GenerationOverBudget: The same, because the next attempt does not fit under the cap.
        LlmkitError: Nothing could be asked at all.
    """
    generation = Generation(task, policy, clock)
    for speaker in speakers:
        if speaker.way.strategy == "instructor":
            from llmkit.structured.instructor import drive

            result = await drive(generation, speaker)
        else:
            result = await generation.obtain(speaker)
        if result is not None:
            return result
        if not generation.may_escalate:
            break
    raise generation.failed()


class Generation(Generic[T]):
    """One task on its way to an answer."""

    def __init__(self, task: Task[T], policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        self.task, self.policy = task, policy
        self.attempts: list[Attempt] = []
        self.stop: Stop = "attempts"
        self.error: LlmkitError | None = None
        self.checks: dict[str, Totals] = {}
        self._messages = task.messages if task.described else describe(task.messages, task.form.describe())
        self._deadline = Deadline(policy.deadline_s, clock)
        self._ways: list[Way] = []
        self._limit: int | None = None  # on tokens, once a truncated answer has raised it
        self._may_raise = True

    async def obtain(self, speaker: Speaker) -> Result[T] | None:
        """Ask one speaker until the answer is valid or there is a reason to stop; None: see ``stop``."""
        self.begin(speaker)
        most = 1 if speaker.way.strategy == "plain" else self.policy.max_attempts
        again: tuple[Request, str | None] | None = None
        for _ in range(most):
            request, feedback = again or (self._request(speaker), self._feedback())
            again = None
            completion = await self.ask(speaker, request, feedback=feedback)
            if self.error is not None and not self._limit_refused():
                return None
            if completion is not None:
                parsed = await self.read(completion)
                if parsed is None:
                    return None
                if parsed.valid:
                    return self.result(parsed)
            if self._raise_limit():
                again = replace(request, params={**request.params, "max_tokens": self._limit}), feedback
            elif completion is not None and self._repeated():
                self.stop = "repeated"
                return None
        self.stop = "attempts"
        return None

    def begin(self, speaker: Speaker) -> None:
        """Turn to a speaker; what stopped the one before is past."""
        self._ways.append(speaker.way)
        self.error, self.stop, self._limit, self._may_raise = None, "attempts", None, True

    async def ask(self, speaker: Speaker, request: Request, *, feedback: str | None) -> Completion | None:
        """Make one attempt and put it into the ledger; None where it brought no answer, or ``error`` says why not."""
        number = len(self.attempts) + 1
        way = speaker.way
        first = number == 1 or self.attempts[-1].model != speaker.name
        attempt = Attempt(
            number, speaker.name, way.strategy, feedback=feedback, max_tokens=request.params.get("max_tokens"),
            compile_s=way.compile_s if first else None,
        )  # fmt: skip
        if (late := self._deadline.passed()) is not None:
            self.end("deadline", late)
            return None
        self._tell(attempt)
        billed = speaker.provider.capabilities.billed
        try:
            answered = await self._deadline.within(speaker.ask(request, number - 1))
        except asyncio.CancelledError as error:  # by the user: who watches has the bill
            self._keep(interrupted(attempt, error, billed=billed))
            raise
        except Exception as error:  # of another package's provider, too: what is paid for stays in the ledger
            self._note_error(attempt, error, billed=billed)
            return None
        completion = answered.completion
        failure = no_answer(completion)
        self._keep(made(attempt, completion, failure, cached=answered.cached))
        if answered.error is not None:
            self.end("failed", answered.error)
        return completion if failure is None and answered.error is None else None

    def _note_error(self, attempt: Attempt, error: Exception, *, billed: bool) -> None:
        """Put into the ledger what a call that brought no answer cost; only the model's own doing is no end."""
        if isinstance(error, ProviderError):
            self._keep(failed(attempt, error))
            if error.fault not in OWN_DOING:
                self.end("failed", error)
        elif isinstance(error, DeadlinePassed):
            late = Failure("budget", "deadline", "the deadline passed")
            self._keep(broken(attempt, late, error.__cause__, billed=billed))
            self.end("deadline", error)
        elif isinstance(error, BudgetError):
            if error.attempts:
                self._keep(unaffordable(attempt, error))
            self.end("budget", error)
        elif isinstance(error, LlmkitError):  # nothing was sent
            if not self.attempts:
                raise error
            self.end("failed", error)
        else:
            crash = crashed(f"the provider of {attempt.model}", error)
            self._keep(broken(attempt, Failure("provider", "crash", crash.message), error, billed=billed))
            self.end("failed", crash)

    async def read(self, completion: Completion) -> Parsed[T] | None:
        """Parse and check the last attempt's answer, and note what is wrong; None where ``error`` says why not."""
        task, number = self.task, len(self.attempts)
        context = Context(task.row, task.data, number, self.policy.repair, task.messages, self.charge)
        if completion.finish_reason == "length":
            parsed: Parsed[T] = Parsed(issues=(cut_off(completion),), text=completion.text)
        else:
            try:
                parsed = task.form.parse(completion.text, context)
            except Exception as error:  # another package's format, or a validator inside it
                self._unchecked("failed", crashed(f"the format {task.form.name}", error, ValidatorCrash))
                return None
        if parsed.valid and task.validators:
            try:
                parsed = replace(
                    parsed, issues=await self._deadline.within(check(parsed.value, task.validators, context))
                )
            except LlmkitError as error:
                late: Stop = "deadline" if isinstance(error, DeadlinePassed) else "failed"
                self._unchecked("budget" if isinstance(error, BudgetError) else late, error)
                return None
        self.note(parsed.issues, parsed.repairs)
        return parsed

    def charge(self, name: str, paid: Totals) -> None:
        """Put on the bill what a validator paid."""
        self.checks[name] = summed([self.checks.get(name, Totals()), paid])

    def _unchecked(self, stop: Stop, error: LlmkitError) -> None:
        """Nobody knows whether the last answer is right, and nobody may take it for right."""
        self.note((Issue(f"the answer could not be checked: {error.message}", rule=UNCHECKED),))
        self.end(stop, error)

    def note(self, issues: Sequence[Issue], repairs: Sequence[str] = ()) -> None:
        """Put into the ledger what is wrong with the last attempt."""
        if issues or repairs:
            self._keep(replace(self.attempts.pop(), issues=tuple(issues), repairs=tuple(repairs)))

    def end(self, stop: Stop, error: LlmkitError) -> None:
        """Note why nothing more is asked."""
        self.stop, self.error = stop, error

    @property
    def may_escalate(self) -> bool:
        """Whether another model may do better: not where time or money ran out, or what checks the answers broke."""
        model_failed = bool(self.attempts) and self.attempts[-1].failure is not None
        return self.stop in ("attempts", "repeated") or (self.stop == "failed" and model_failed)

    def result(self, parsed: Parsed[T]) -> Result[T]:
        """Return the success."""
        self.stop = "valid"
        value: Any = parsed.value
        return Result(value, parsed.text, self.ledger())

    def failed(self) -> GenerationFailed:
        """Return the failure; it says in one line what became of the last attempt."""
        kind = GenerationOverBudget if self.stop == "budget" else GenerationFailed
        failure = kind(
            summary(self.attempts, self.stop, self.error), self.ledger(), hint=self.error.hint if self.error else None
        )
        failure.__cause__ = self.error
        return failure

    def ledger(self) -> Ledger:
        """Return the bill so far."""
        rules = self._ways[-1].rules if self._ways else ()
        checks = tuple(Enforced(name_of(v), "validator") for v in self.task.validators)
        said = [note for validator in self.task.validators for note in notes_of(validator)]
        notes = tuple(dict.fromkeys([*(note for way in self._ways for note in way.notes), *said]))
        return Ledger(tuple(self.attempts), self.stop, (*rules, *checks), notes, dict(self.checks))

    def _request(self, speaker: Speaker) -> Request:
        messages = follow_up(self._messages, self._answers(), self.policy.feedback)
        params = {**speaker.params, **speaker.way.params}
        if self._limit is not None:
            params["max_tokens"] = self._limit
        seed = params.get("seed")
        if self.policy.feedback == "fresh" and self.attempts and isinstance(seed, int):
            params["seed"] = seed + len(self.attempts)  # an equal seed would draw the equal answer
        return Request(messages, params)

    def _answers(self) -> list[Attempt]:
        return [a for a in self.attempts if a.text is not None and a.issues]

    def _feedback(self) -> str | None:
        """What the next attempt is told, for the ledger."""
        answers = self._answers()
        if not answers or self.policy.feedback == "fresh":
            return None
        if self.policy.feedback == "all":
            return "\n\n".join(turn.content for turn in follow_up((), answers, "all"))
        return feedback_of(answers[-1])

    def _repeated(self) -> bool:
        """Whether the last two answers are equal, and wrong in the same way: a third will be, too."""
        if self.policy.feedback == "fresh" or len(self.attempts) < 2:
            return False
        before, last = self.attempts[-2:]
        if (before.model, before.max_tokens) != (last.model, last.max_tokens):
            return False  # a raised limit alone tells the model nothing, and some servers keep to one of their own
        return before.text == last.text and _wrong_in(before) == _wrong_in(last)

    def _keep(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        self._tell(None)

    def _tell(self, under_way: Attempt | None) -> None:
        if self.task.watch is not None:
            self.task.watch(self.attempts, under_way)

    def _raise_limit(self) -> bool:
        """Raise the token limit that cut the last answer off, once, be it before its first character.

        False where it was not cut off, where the limit is raised already, and where nobody knows it.
        """
        last = self.attempts[-1]
        met = last.max_tokens or last.usage.output
        if last.finish_reason != "length" or not self._may_raise or not met:
            return False
        self._limit, self._may_raise = RAISE * met, False
        return True

    def _limit_refused(self) -> bool:
        """Whether the server takes no limit as high as the raised one; then the one before holds again."""
        fault = self.error.fault if isinstance(self.error, ProviderError) else None
        if self._limit is None or fault not in ("bad_request", "context_overflow"):
            return False
        self.error, self.stop, self._limit = None, "attempts", None
        return True


def _wrong_in(attempt: Attempt) -> list[tuple[object, ...]]:
    """Return its issues without their values: equal texts have equal ones, and not all classes can be compared."""
    return [(issue.path, issue.message, issue.rule) for issue in attempt.issues]
