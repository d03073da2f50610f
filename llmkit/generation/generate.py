"""One answer in a form, for Python callers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from llmkit.config import load_settings
from llmkit.errors import UsageError
from llmkit.generation.generator import Generator
from llmkit.generation.models import Models, resolve
from llmkit.generation.options import GenerateOptions
from llmkit.generations import Result
from llmkit.prompts import Prompt, load_prompt
from llmkit.prompts.load import prompt_from_messages
from llmkit.providers.base import ModelRef
from llmkit.runs.evaluate import in_a_loop, run_async
from llmkit.structured.format import Format
from llmkit.structured.registry import format_of
from llmkit.structured.validators import Validator, find, usable
from llmkit.text import one_line
from llmkit.types import Message

T = TypeVar("T")
Asked = str | Path | Prompt | Sequence[Message | Mapping[str, str]]
Checks = Validator | str | Sequence[Validator | str]
Stronger = str | ModelRef | Sequence[str | ModelRef]


def prompt_of(prompt: Asked) -> Prompt:
    """Return the prompt that a caller means: loaded, a ``.prompty`` file, messages, or the text of a user message.

    A text is taken as it stands, braces and all; a row's fields come in by a prompt file.

    Raises:
        UsageError: The file is not there or wrong, or it is none of these.
    """
    if isinstance(prompt, Prompt):
        return prompt
    if isinstance(prompt, Path) or (isinstance(prompt, str) and prompt.endswith(".prompty")):
        return load_prompt(prompt)
    if isinstance(prompt, str):
        messages = [{"role": "user", "content": prompt}]
    else:
        messages = [_message(each) for each in _several("prompt", prompt)]
    if not messages or not any(message["content"].strip() for message in messages):
        raise UsageError("the prompt is empty", hint="Give a text, or the path of a .prompty file")
    return prompt_from_messages([{**m, "content": _literal(m["content"])} for m in messages], where="prompt")


def _message(given: object) -> dict[str, str]:
    if isinstance(given, Message):
        return {"role": given.role, "content": given.content}
    if isinstance(given, Mapping) and given.keys() == {"role", "content"} and isinstance(given["content"], str):
        return dict(given)
    raise _wrong("prompt", "a text or messages", given, hint='As in llmkit.Message("user", "Who?")')


def _literal(text: str) -> str:
    """Write a text as a template that renders to itself; Jinja2 would make one line end of a carriage return."""
    return text.replace("{", "{{ '{' }}").replace("\r", r"{{ '\r' }}")


def _several(name: str, given: object) -> list[Any]:
    """Return the items of a list."""
    if isinstance(given, Iterable) and not isinstance(given, (str, bytes, Mapping)):
        return list(given)
    raise _wrong(name, "a list", given)


def _validators(given: Checks) -> tuple[Validator, ...]:
    """Return the validators that are meant: one, or a list of them."""
    several = [given] if isinstance(given, str) or callable(given) else _several("validators", given)
    if wrong := [each for each in several if not (isinstance(each, str) or callable(each))]:
        raise _wrong("validators", "functions and names", wrong[0])
    return tuple(find(each) if isinstance(each, str) else usable(each) for each in several)


def _models(model: str | ModelRef | None, escalate: Stronger) -> list[str | ModelRef | None]:
    """Return the models to ask, in order; one to escalate to may stand for a list of one."""
    further = [escalate] if isinstance(escalate, (str, ModelRef)) else _several("escalate", escalate)
    for name, each in [("model", model or ""), *(("escalate", each) for each in further)]:
        if not isinstance(each, (str, ModelRef)):
            raise _wrong(name, "provider/model", each)
    return [model, *further]


def _wrong(name: str, wanted: str, given: object, *, hint: str | None = None) -> UsageError:
    return UsageError(f"{name} must be {wanted}, not {one_line(repr(given), 80)}", hint=hint)


@overload
def generate(
    prompt: Asked, *, model: str | ModelRef | None = None, format: type[T] | Format[T], validators: Checks = (),
    row: Mapping[str, Any] | None = None, context: Any = None, escalate: Stronger = (),
    options: GenerateOptions | None = None,
) -> Result[T]: ...  # fmt: skip
@overload
def generate(
    prompt: Asked, *, model: str | ModelRef | None = None, format: str | Mapping[str, Any], validators: Checks = (),
    row: Mapping[str, Any] | None = None, context: Any = None, escalate: Stronger = (),
    options: GenerateOptions | None = None,
) -> Result[Any]: ...  # fmt: skip
@overload
def generate(
    prompt: Asked, *, model: str | ModelRef | None = None, format: Any, validators: Checks = (),
    row: Mapping[str, Any] | None = None, context: Any = None, escalate: Stronger = (),
    options: GenerateOptions | None = None,
) -> Result[Any]: ...  # fmt: skip
def generate(
    prompt: Asked,
    *,
    model: str | ModelRef | None = None,
    format: Any,
    validators: Checks = (),
    row: Mapping[str, Any] | None = None,
    context: Any = None,
    escalate: Stronger = (),
    options: GenerateOptions | None = None,
) -> Result[Any]:
    """Generate one answer in a form, and return it with its bill.

    Args:
        prompt: A text, messages, a loaded prompt, or the path of a ``.prompty`` file.
        model: ``provider/model``; where None, what the prompt or llmkit.toml names.
        format: A pydantic model or other type, a JSON Schema, ``"choice:yes,no"`` as on the command line, a format.
        validators: Functions ``fn(value, context)``, or names of registered ones; one, or a list.
        row: Fields for the prompt's template.
        context: Handed to validators as ``context.data``; pydantic's see it as ``info.context``.
        escalate: Stronger models, asked where the ones before fail; one, or a list.
        options: How to generate.

    Raises:
        GenerationFailed: No valid answer; it carries every attempt that was made and paid.
        UsageError: What is asked cannot be done, or an event loop runs already, as in a notebook.
    """
    if in_a_loop():
        raise UsageError(
            "llmkit.generate() cannot be called where an event loop runs, as in a notebook",
            hint="Write `await llmkit.agenerate(…)`, with the same arguments",
        )
    wanted = agenerate(
        prompt, model=model, format=format, validators=validators, row=row, context=context, escalate=escalate,
        options=options,
    )  # fmt: skip
    result: Result[Any] = run_async(wanted)
    return result


@overload
async def agenerate(
    prompt: Asked, *, model: str | ModelRef | None = None, format: type[T] | Format[T], validators: Checks = (),
    row: Mapping[str, Any] | None = None, context: Any = None, escalate: Stronger = (),
    options: GenerateOptions | None = None,
) -> Result[T]: ...  # fmt: skip
@overload
async def agenerate(
    prompt: Asked, *, model: str | ModelRef | None = None, format: str | Mapping[str, Any], validators: Checks = (),
    row: Mapping[str, Any] | None = None, context: Any = None, escalate: Stronger = (),
    options: GenerateOptions | None = None,
) -> Result[Any]: ...  # fmt: skip
@overload
async def agenerate(
    prompt: Asked, *, model: str | ModelRef | None = None, format: Any, validators: Checks = (),
    row: Mapping[str, Any] | None = None, context: Any = None, escalate: Stronger = (),
    options: GenerateOptions | None = None,
) -> Result[Any]: ...  # fmt: skip
async def agenerate(
    prompt: Asked,
    *,
    model: str | ModelRef | None = None,
    format: Any,
    validators: Checks = (),
    row: Mapping[str, Any] | None = None,
    context: Any = None,
    escalate: Stronger = (),
    options: GenerateOptions | None = None,
) -> Result[Any]:
    """Like ``generate``, with the same arguments, for a running event loop.

    Raises:
        GenerationFailed: No valid answer; it carries every attempt that was made and paid.
        UsageError: What is asked cannot be done.
    """
    options = GenerateOptions() if options is None else options
    if not isinstance(options, GenerateOptions):
        raise _wrong("options", "GenerateOptions", options, hint="As in options=llmkit.GenerateOptions(max_attempts=2)")
    if row is not None and not isinstance(row, Mapping):
        raise _wrong("row", "a mapping of fields", row)
    names, found = _models(model, escalate), _validators(validators)
    settings, loaded, form = load_settings(), prompt_of(prompt), format_of(format)
    refs = [resolve(loaded, each, options.params, settings) for each in names]
    async with Models(refs, options, settings) as models:
        await models.prepare(found)
        return await Generator(loaded, form, models, found).one(row or {}, data=context)
