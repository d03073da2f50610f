"""What one generation would ask and what it could cost at most, before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmkit.config import Settings
from llmkit.errors import UsageError
from llmkit.generation.options import GenerateOptions
from llmkit.generations import Enforced
from llmkit.judges.outlay import unbounded
from llmkit.prompts import Prompt
from llmkit.providers.base import ModelRef
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.structured.format import Binds, Format, notes_of
from llmkit.structured.outlay import worst_case
from llmkit.structured.strategy import Way, choose
from llmkit.structured.validators import Validator, name_of
from llmkit.structured.validators import notes_of as notes_of_check
from llmkit.structured.wording import describe
from llmkit.types import Message, Request

UNBOUNDED = "without max_tokens a call's price has no bound. Set it: -M max_tokens=256"


@dataclass(frozen=True, slots=True)
class Asked:
    """One model that would be asked.

    Attributes:
        model: ``provider/model``.
        params: Its sampling parameters.
        strategy: What was chosen.
        why: Why, where it was not the user who said so.
        rules: Who enforces which rule.
        notes: What a reader should know.
        compile_s: Seconds that a grammar took to compile; None where none was.
        attempts: Calls at most.
        worst_case_usd: What they cannot exceed; None where it is unknown, and then ``unknown`` says why.
        unknown: Why the worst case is unknown.
    """

    model: str
    params: Mapping[str, Any]
    strategy: str
    why: str | None
    rules: tuple[Enforced, ...]
    notes: tuple[str, ...]
    compile_s: float | None
    attempts: int
    worst_case_usd: float | None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A generation that would be.

    Attributes:
        messages: Of the first request, the form described.
        asked: The model, and those to escalate to.
    """

    messages: tuple[Message, ...]
    asked: tuple[Asked, ...] = field(default=())


async def preview(
    prompt: Prompt,
    form: Format[Any],
    refs: Sequence[ModelRef],
    validators: Sequence[Validator],
    options: GenerateOptions,
    settings: Settings,
    row: Mapping[str, Any],
) -> Preview:
    """Say what would be asked, and make no call; no API key is needed.

    Raises:
        UsageError: The strategy cannot be had, or the prompt cannot be rendered.
    """
    bound: Format[Any] = form.bind(row) if isinstance(form, Binds) else form
    messages = describe(prompt.render(row), bound.describe())
    checks = tuple(Enforced(name_of(v), "validator") for v in validators)
    said = tuple(note for validator in validators for note in notes_of_check(validator))
    prices = Prices(settings.prices)
    open_ended = unbounded(validators, prices)
    asked: list[Asked] = []
    before = 0
    for ref in refs:
        provider = create(ref, display=True)
        way = choose(bound, options.strategy, provider)
        most = 1 if way.strategy == "plain" else options.max_attempts
        request = Request(messages, {**ref.params, **way.params})
        worst, unknown = await worst_of(Caller(provider, prices=prices), request, before, most, options)
        if open_ended is not None:
            worst, unknown = None, unknown or open_ended
        asked.append(
            Asked(
                ref.name, dict(ref.params), way.strategy, _why(way, options), (*way.rules, *checks),
                tuple(note for note in (*way.notes, *said) if not asked or note not in (*notes_of(bound), *said)),
                way.compile_s, most, worst, unknown,
            )
        )  # fmt: skip
        before += most
    return Preview(messages, tuple(asked))


def _why(way: Way, options: GenerateOptions) -> str | None:
    if options.strategy != "auto" or way.strategy == "reprompt":
        return None  # the user said so, or a note says why
    if way.strategy == "native":
        return "auto: the provider enforces the shape"
    return "auto: its decoder takes the grammar"


async def worst_of(
    caller: Caller, request: Request, before: int, attempts: int, options: GenerateOptions
) -> tuple[float | None, str | None]:
    """Return dollars that the attempts of one model cannot exceed, or why that is not known."""
    try:
        return await worst_case(caller, request, attempts, options.policy(), before=before), None
    except UsageError as error:
        unbounded = request.params.get("max_tokens") is None and caller.price(request, 0, 0) is not None
        return None, UNBOUNDED if unbounded else str(error)
