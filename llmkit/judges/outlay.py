"""What judging may take at most, before any call: calls, and dollars.

What is bounded is what is sent: the request with the verdict's form described, in the way in which the provider is
asked for it, in each order, each answer that cannot be read asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable

from llmkit.errors import UsageError
from llmkit.judges.judge import Judge
from llmkit.judges.panel import calls_of, way_of
from llmkit.judges.request import params_of, request_for
from llmkit.judges.subject import Subject
from llmkit.judges.validator import JudgeValidator
from llmkit.judges.verdict import form_of
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.structured.loop import Policy
from llmkit.structured.outlay import worst_case
from llmkit.structured.validators import Validator
from llmkit.structured.wording import describe
from llmkit.types import Request

BYTES_PER_TOKEN = 4
"""Of an answer that is not there yet: English text runs at about four a token, and no call is priced at fewer tokens
than its text has where both models cut texts alike. A cap is held call by call, by the answers that there are."""
MANY = 10**9
"""Tokens; longer than the longest tier of any price list begins."""
_TEXT = "0f1e2d3c4b5a6978"
"""No tokenizer joins a digit and a letter: what counts tokens counts as many as there may be."""


def most_calls(judge: Judge) -> int:
    """Return the calls that a subject takes at most: each answer that cannot be read may be asked for again."""
    return calls_of(judge) * judge.method.max_attempts


def costs_nothing(judge: Judge, caller: Caller) -> bool:
    """Whether no call of a judge costs anything, however long: a model that nobody bills may have a price all the same.

    Args:
        judge: Asks.
        caller: Of its model.
    """
    return caller.price(Request((), params_of(judge)), MANY, MANY) == 0.0


async def dearest(judge: Judge, subject: Subject, caller: Caller) -> float:
    """Return dollars that judging one subject cannot exceed: all votes, in both orders, each asked for again.

    Args:
        judge: Asks.
        subject: What would be judged.
        caller: Of its model, which need not be started.

    Raises:
        UsageError: The model has no ``max_tokens``, or no known price; the judge cannot be asked about this.
    """
    if costs_nothing(judge, caller):
        return 0.0
    method, told = judge.method, form_of(judge).describe()
    way, policy = way_of(judge, caller.provider), Policy(max_attempts=judge.method.max_attempts)
    total = 0.0
    for order in (subject, subject.swapped())[: 2 if method.swap else 1]:
        asked = request_for(judge, order)
        first = Request(describe(asked.messages, told), {**asked.params, **way.params})
        total += method.samples * await worst_case(caller, first, method.max_attempts, policy)
    return total


def stand_in(max_tokens: int | None) -> str:
    """Return a text as long as an answer of so many tokens may be, for what is judged once it is there.

    Raises:
        UsageError: There is no limit.
    """
    if max_tokens is None:
        raise UsageError("without max_tokens an answer, which is shown to the judge, has no bound")
    length = BYTES_PER_TOKEN * max_tokens
    return (_TEXT * (length // len(_TEXT) + 1))[:length]


def judges_of(validators: Iterable[Validator]) -> list[Judge]:
    """Return the judges among validators."""
    return [validator.judge for validator in validators if isinstance(validator, JudgeValidator)]


def checks_at_most(validators: Iterable[Validator]) -> int:
    """Return how many calls the judges among validators make at most to check one answer."""
    return sum(most_calls(judge) for judge in judges_of(validators))


def unbounded(validators: Iterable[Validator], prices: Prices) -> str | None:
    """Say why nobody knows beforehand what checking costs at most: what a judge reads is not written yet.

    None where no judge's calls cost anything.
    """
    for judge in judges_of(validators):
        if not costs_nothing(judge, Caller(create(judge.model, display=True), prices=prices)):
            most = most_calls(judge)
            return f"judge:{judge.name} makes up to {most} calls an answer, whose price depends on what that says"
    return None
