"""One prompt on one row: the exact messages, their tokens, their price."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmkit.config import Settings, load_settings
from llmkit.errors import LlmkitError, UsageError
from llmkit.prompts import Prompt, load_prompt
from llmkit.providers.base import Counts, ModelRef, Provider, Starts
from llmkit.providers.bounds import token_bound
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.runs import tokenizing
from llmkit.runs.models import choose
from llmkit.suites.form import Form, format_of_outputs
from llmkit.suites.load import PROMPT_ENDINGS, load_suites
from llmkit.suites.suite import Suite
from llmkit.types import BadRow, Message, Request


@dataclass(frozen=True, slots=True)
class Inspection:
    """What one row would send.

    Attributes:
        prompt: The prompt's name.
        fingerprint: Of the prompt file.
        row: Which row, ``path:line``; None where no suite was named.
        messages: Exactly what goes out.
        params: Sampling parameters.
        model: Whom it would go to, where that is known.
        tokens: Prompt tokens; None where the model cannot count them, and then ``most_tokens`` bounds them.
        most_tokens: What they cannot exceed.
        input_usd: Price of the prompt tokens, of their bound where they are not counted; None: unknown.
        worst_case_usd: Price with ``max_tokens`` of answer; None: unknown, or no ``max_tokens``.
        unused: Fields of the prompt file that llmkit does not use.
    """

    prompt: str
    fingerprint: str
    row: str | None
    messages: tuple[Message, ...]
    params: Mapping[str, Any]
    model: str | None
    tokens: int | None
    most_tokens: int
    input_usd: float | None
    worst_case_usd: float | None
    unused: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


async def inspect(file: Path, suite: str | None, row: int, model: str | None, data: str | None) -> Inspection:
    """Render ``file`` for one row.

    Args:
        file: The prompt file.
        suite: Whose rows; without one, only the declared inputs' defaults fill the template.
        row: From 1.
        model: For tokens and price; else what the suite, the prompt or llmkit.toml name.
        data: Replaces the suite's data.

    Raises:
        UsageError: No such row, or the prompt needs fields and no suite is named.
    """
    if file.is_file() and file.suffix not in PROMPT_ENDINGS:
        raise UsageError("this is no prompt file", where=str(file), hint=f"Its ending is {' or '.join(PROMPT_ENDINGS)}")
    settings, prompt = load_settings(), load_prompt(file)
    chosen = _one(suite, data) if suite is not None else None
    ref = _model(chosen, prompt, model, settings)
    provider = create(ref, display=True) if ref else None
    if chosen is not None:
        where, fields = _row(chosen if provider is None else tokenizing.bound(chosen, provider), row)
    elif missing := prompt.missing({}):
        raise UsageError(
            f"the prompt needs {', '.join(missing)}",
            where=str(file),
            hint="Name a suite with --suite, whose rows have it",
        )
    else:
        where, fields = None, {}
    messages = _with_form(chosen, prompt, fields)
    params = dict(ref.params) if ref else dict(prompt.params)
    request = Request(messages, params)
    tokens = await _count(provider, request) if provider else None
    bound = token_bound(request) if tokens is None else tokens
    input_usd = worst = None
    if provider is not None:
        caller, limit = Caller(provider, prices=Prices(settings.prices)), params.get("max_tokens")
        input_usd = caller.price(request, bound, 0)
        worst = caller.price(request, bound, limit) if limit else None
    return Inspection(
        prompt.name, prompt.fingerprint, where, messages, params, ref.name if ref else None, tokens, bound,
        input_usd, worst, prompt.unused,
    )  # fmt: skip


def _with_form(suite: Suite | None, prompt: Prompt, fields: Mapping[str, Any]) -> tuple[Message, ...]:
    """Render; where an answer shall have a form, the messages say so."""
    outputs = None if suite is not None else format_of_outputs(prompt)
    form = suite.form if suite is not None else None if outputs is None else Form(outputs)
    rendered = prompt.render(fields if suite is None else suite.variables(fields))
    return rendered if form is None else form.described(rendered, fields)


def _one(suite: str, data: str | None) -> Suite:
    found = load_suites(suite, data=data)
    if len(found) > 1:
        names = ", ".join(s.name for s in found)
        raise UsageError(f"{suite} lists several suites", hint=f"Name one of them: {names}")
    return found[0]


def _row(suite: Suite, row: int) -> tuple[str | None, Mapping[str, Any]]:
    sample = next(itertools.islice(suite.samples(row), row - 1, None), None)
    if sample is None:
        raise UsageError(f"{suite.source.describe()} has no row {row}")
    if isinstance(sample, BadRow):
        raise UsageError(sample.message, where=sample.where)
    return sample.where, sample.row


def _model(suite: Suite | None, prompt: Prompt, model: str | None, settings: Settings) -> ModelRef | None:
    """Return the model, or None where nobody names one: the messages can be shown all the same."""
    if suite is not None and (model or suite.model or prompt.model or settings.model):
        return choose(suite, model, {}, settings)[0]
    name = model or prompt.model or settings.model
    where = prompt.model_where if model is None and prompt.model else None
    return ModelRef(settings.resolve_alias(name, where=where), dict(prompt.params)) if name else None


async def _count(provider: Provider, request: Request) -> int | None:
    """Count with the model's own tokenizer; None where it has none, or is not at hand."""
    if not isinstance(provider, Counts):
        return None
    try:
        async with provider if isinstance(provider, Starts) else contextlib.nullcontext():
            return await provider.count_tokens(request)
    except LlmkitError:
        return None  # no key, no weights, no server: the bound is shown instead, and says that it is one
