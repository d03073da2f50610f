"""One vote of a judge: one verdict asked for, read, and paid for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from llmkit.errors import ProviderError, UsageError
from llmkit.generations import Attempt, GenerationFailed, Ledger
from llmkit.judges.judge import Judge
from llmkit.judges.kinds import CANNOT_TELL, Scale
from llmkit.judges.likelihood import likelihoods
from llmkit.judges.request import request_for
from llmkit.judges.seat import Seat
from llmkit.judges.subject import Subject
from llmkit.judges.verdict import CONTRADICTORY, REASON, VERDICT, form_of
from llmkit.structured.loop import Answered, Ask, Policy, Speaker, Task, generate
from llmkit.structured.strategy import Way
from llmkit.structured.wording import issue_line
from llmkit.types import Completion, Request

SEED_STEP = 1000
"""By which the seeds of two votes differ, where the judge's parameters set one: equal seeds draw equal votes."""
OTHER = {"a": "b", "b": "a"}


@dataclass(frozen=True, slots=True)
class Ballot:
    """What came of one vote.

    Attributes:
        label: A word of the scale, or ``cannot_tell``; None where the answer could not be read.
        reason: The judge's.
        why: Why there is no label, ``unparsed: …``.
        shares: Word → its probability among the words, where log-probabilities were asked for.
        attempts: What was asked, in order.
    """

    label: str | None
    reason: str = ""
    why: str = ""
    shares: Mapping[str, float] | None = None
    attempts: tuple[Attempt, ...] = ()

    def mirrored(self) -> Ballot:
        """Return it in the words of the pair's own order, where b stood first."""
        shares = self.shares and {OTHER.get(label, label): share for label, share in self.shares.items()}
        return replace(self, label=OTHER.get(self.label or "", self.label), shares=shares)


class _Kept:
    """Makes the calls of a seat, and keeps the last answer: log-probabilities stand in no ledger."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.last: Completion | None = None

    async def __call__(self, request: Request, attempt: int) -> Answered:
        answered = await self._ask(request, attempt)
        self.last = answered.completion
        return answered


async def cast(judge: Judge, subject: Subject, seat: Seat, way: Way, vote: int) -> Ballot:
    """Ask for one vote.

    Raises:
        BudgetError: The next call does not fit under the cap.
        ProviderError: The server is of no use. What the model itself does wrong is a ballot without a label.
        UsageError: The judge cannot be asked about this, or log-probabilities did not come.
    """
    request = request_for(judge, subject)
    ask = _Kept(seat.ask(vote))
    speaker = Speaker(seat.name, seat.provider, _params(request.params, vote), ask, way)
    task: Task[dict[str, str]] = Task(request.messages, form_of(judge))
    try:
        result = await generate(task, [speaker], Policy(max_attempts=judge.method.max_attempts))
    except GenerationFailed as error:
        return Ballot(None, why=_unread(error), attempts=error.attempts)
    label = result.value[VERDICT]
    shares = _shares(judge.scale, label, ask.last, seat.name) if judge.method.logprobs else None
    return Ballot(label, result.value.get(REASON, "").strip(), shares=shares, attempts=result.attempts)


def _params(params: Mapping[str, Any], vote: int) -> Mapping[str, Any]:
    seed = params.get("seed")
    return {**params, "seed": seed + SEED_STEP * vote} if vote and isinstance(seed, int) else params


def _unread(error: GenerationFailed) -> str:
    """Say why an answer could not be read; what is not the model's doing is raised.

    An item that is longer than the judge's context can have no verdict from it, as one that it refuses: it alone.
    """
    cause = error.__cause__
    if cause is not None:
        if isinstance(cause, ProviderError) and cause.fault == "context_overflow":
            return f"too long: {cause.message}"
        raise cause from error
    return why_unread(error.ledger)


def why_unread(ledger: Ledger) -> str:
    """Say in one line what is wrong with the last attempt: ``refused: …``, ``empty: …``, ``unparsed: …``."""
    last = ledger.attempts[-1]
    if last.failure is not None:
        return f"{last.failure.kind}: {last.failure.message}"
    first = last.issues[0]
    kind = CONTRADICTORY if first.rule == CONTRADICTORY else "unparsed"
    return f"{kind}: {issue_line(first)}"


def _shares(scale: Scale, label: str, completion: Completion | None, name: str) -> Mapping[str, float]:
    """Return the words' probabilities; of a judge that could not tell they are not looked at.

    Raises:
        UsageError: They did not come, or do not spell the answer: another figure in their place would be another
            judge.
    """
    hint = "Write method.logprobs: false, or take a model whose server sends them"
    if completion is None or completion.logprobs is None:
        raise UsageError(f"{name} was asked for log-probabilities and sent none", hint=hint)
    found = likelihoods(completion.logprobs, VERDICT, [*scale.labels, CANNOT_TELL], label)
    if found is None:
        raise UsageError(f"the log-probabilities that {name} sent do not spell its verdict {label!r}", hint=hint)
    known = {word: found.get(word, 0.0) for word in scale.labels}
    total = sum(known.values())
    return {word: share / total for word, share in known.items()} if total else {}
