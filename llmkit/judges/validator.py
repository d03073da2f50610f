"""A judge as a validator of generated answers: ``judge:relevance`` accepts what the judge passes.

Registered under the entry point ``llmkit.validators``, as the family ``judge``; what generates gives it the seats that
its judges ask through (:meth:`Judges.seated`), with one budget and one store for answers and verdicts.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmkit.errors import UsageError
from llmkit.generations import Issue
from llmkit.structured.format import Context
from llmkit.structured.validators import ValidatorCrash
from llmkit.text import one_line

if TYPE_CHECKING:
    from llmkit.judgements import Verdict
    from llmkit.judges.judge import Judge
    from llmkit.judges.seat import Seats

REASON_CHARS = 300
"""Characters of the judge's reason that the model is told."""

SeatsOf = Callable[[str], "Seats"]
"""Gives the seats whose calls are counted under a judge's name."""
_seats: ContextVar[SeatsOf | None] = ContextVar("llmkit_judges_seats", default=None)


class JudgeValidator:
    """Accepts a value that a judge passes.

    Attributes:
        judge: Who decides; of kind ``pass_fail``.
        name: ``judge:NAME``.
        signature: What decides which values are accepted.
        notes: What a reader of the bill should know of it.
    """

    def __init__(self, judge: Judge) -> None:
        from llmkit.judges.panel import calls_of

        self.judge = judge
        self.name = f"judge:{judge.name}"
        self.signature = judge.signature
        calls = calls_of(judge)
        asks = f"asks {judge.model.name}, {calls} call{'s' if calls > 1 else ''} an answer"
        self.notes: tuple[str, ...] = (f"the judge {judge.name} {asks} ({_standing(judge)})",)

    async def __call__(self, value: Any, context: Context) -> Issue | None:
        """Ask the judge.

        Raises:
            ValidatorCrash: The judge could not tell, or gave no verdict: nobody may take the value for right.
            UsageError: Nobody gave the judge a seat.
            BudgetError: Its call does not fit under the cap.
            ProviderError: Its server is of no use.
        """
        from llmkit.judges.panel import judge_one

        seats = _seats.get()
        if seats is None:
            raise UsageError(
                f"{self.name} has no model here: it can be asked where answers are generated",
                hint="Use it in llmkit generate or llmkit.generate(); for answers that are there already "
                f"there is llmkit judge run {self.judge.name}",
            )
        seat = await seats(self.judge.name).seat(self.judge.model)
        verdict = await judge_one(self.judge, subject_of(value, context), seat)
        context.charge(self.name, verdict.paid)
        if verdict.state != "verdict":
            raise ValidatorCrash(_undecided(self.judge, verdict))
        if verdict.label == "pass":
            return None
        reason = one_line(verdict.reason, REASON_CHARS) or "it does not meet the criteria"
        return Issue(f"the judge {self.judge.name} does not pass it: {reason}", rule=self.name)


def subject_of(value: Any, context: Context) -> Any:
    """Return what the judge looks at: the value as text or JSON, and what was asked.

    That is the messages, where they are known; else the row's fields as JSON.
    """
    from llmkit.judges.subject import Subject, conversation

    asked = conversation(context.messages) if context.messages else ""
    if not asked and context.row:
        asked = _json(dict(context.row))
    return Subject("", input=asked, answer=value if isinstance(value, str) else _json(value), row=context.row)


def _json(value: Any) -> str:
    """Write a value as JSON, a model of pydantic's as it writes itself; what JSON cannot hold as its text."""
    if hasattr(value, "model_dump_json"):
        return str(value.model_dump_json())
    return json.dumps(value, ensure_ascii=False, default=str)


def _undecided(judge: Judge, verdict: Verdict) -> str:
    if verdict.state == "cannot_tell":
        said = one_line(verdict.reason, REASON_CHARS)
        return f"the judge {judge.name} cannot tell" + (f": {said}" if said else "")
    return f"the judge {judge.name} gave no verdict: {one_line(verdict.why, REASON_CHARS)}"


def _standing(judge: Judge) -> str:
    """Say how far the judge is to be believed."""
    from llmkit.judgements import standing
    from llmkit.judges.check import check

    found = check(judge)
    return standing(found.status, found.lock)


class Judges:
    """The family ``judge`` of validators."""

    def of(self, argument: str, *, where: str | None = None, folder: Path | None = None) -> JudgeValidator:
        """Return the validator that a judge is.

        Raises:
            UnknownNameError: No such judge.
            DocumentError: Its file is wrong.
            UsageError: It does not say pass or fail.
        """
        from llmkit.config import load_settings
        from llmkit.judges.load import load_judge

        judge = load_judge(argument, settings=load_settings(folder), folder=folder, where=where)
        if judge.scale.kind != "pass_fail":
            raise UsageError(
                f"the judge {judge.name} is {judge.scale.kind}, and a validator says pass or fail",
                where=where or judge.where("kind"),
                hint="Only a judge of kind: pass_fail can be one: which grade is good enough, its file does not say",
            )
        return JudgeValidator(judge)

    @contextlib.contextmanager
    def seated(self, seats: SeatsOf) -> Iterator[None]:
        """Give judges their seats for as long as this lasts, in this task and those that it begins."""
        before = _seats.set(seats)
        try:
            yield
        finally:
            _seats.reset(before)


JUDGES = Judges()
