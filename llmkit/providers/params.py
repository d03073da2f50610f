"""Sampling parameters under llmkit's names, and the ``-M key=value`` pairs that set them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from llmkit.errors import UnknownNameError, UsageError
from llmkit.redact import names_secret, redact
from llmkit.text import cut

Model = TypeVar("Model", bound=BaseModel)

OWNED = frozenset(
    {"model", "messages", "input", "stream", "n", "best_of", "max_tokens", "max_completion_tokens", "max_output_tokens"}
)
"""Wire fields that ``extra`` must not set: llmkit reads one answer, whole, and bounds its price by ``max_tokens``."""

SHAPES = frozenset({"json_schema", "regex", "choice", "grammar"})
"""What ``structured`` may hold, one at a time; beside ``json_schema`` also ``strict: false``, which makes it a hint."""

NonEmpty = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class NamesText:
    """Marks an option that is a text, or a file's path with the text in it, which may change under one path.

    Attributes:
        is_text: Tells the one from the other.
    """

    is_text: Callable[[str], bool]


class Params(BaseModel):
    """Every sampling parameter; one that is not set is not sent.

    Ranges are the widest that a supported server takes; what a server refuses beyond that, it says itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: NonEmpty | list[NonEmpty] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0)] | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: NonEmpty | None = None
    structured: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Params:
        shapes = set(self.structured or ()) - {"strict"}
        if self.structured is not None and (len(shapes) != 1 or not SHAPES.issuperset(shapes)):
            raise ValueError(f"structured holds exactly one of {', '.join(sorted(SHAPES))}")
        strict = (self.structured or {}).get("strict", True)
        if not isinstance(strict, bool) or (not strict and "json_schema" not in shapes):
            raise ValueError("structured.strict is true or false, beside json_schema")
        if self.structured is not None and self.response_format is not None:
            raise ValueError("structured and response_format say the same thing; keep one")
        owned = sorted(OWNED.intersection(self.extra or ()))
        if owned:
            raise ValueError(f"extra may not set {', '.join(owned)}: llmkit sets that itself")
        if secret := next(_secrets(self.extra or {}, "extra"), None):
            raise ValueError(f"{secret} looks like a secret, and parameters are stored: keys go into the environment")
        return self


NAMES = frozenset(Params.model_fields)


def check_params(params: Mapping[str, Any], *, where: str | None = None) -> dict[str, Any]:
    """Check names, types and ranges; return what is set, in the order given.

    Raises:
        UsageError: One line saying which value is wrong.
        UnknownNameError: A parameter that does not exist.
    """
    for name in params:
        if name not in NAMES:
            raise UnknownNameError("parameter", name, NAMES, where=where)
    checked = validate(Params, params, where=where)
    values = {name: getattr(checked, name) for name in params}
    return {name: value for name, value in values.items() if value is not None}


def split(
    pairs: Mapping[str, Any], option_names: Iterable[str] | None, *, where: str | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part ``-M`` pairs into sampling parameters and the provider's own options.

    ``extra.NAME`` is put into ``extra``, which is merged into the request's body as it is.

    Args:
        pairs: As ``parse_pairs`` returns them, or from a file.
        option_names: The provider's options (``registry.options_of``); None: it takes any.
        where: ``path:line`` for errors.

    Raises:
        UnknownNameError: A key that is neither.
        UsageError: A parameter of the wrong type or out of range.
    """
    options = None if option_names is None else frozenset(option_names)
    params: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, value in pairs.items():
        if key.startswith("extra.") and len(key) > len("extra."):
            params["extra"] = {**params.get("extra", {}), key.removeprefix("extra."): value}
        elif key == "extra" and isinstance(value, Mapping):
            params["extra"] = {**params.get("extra", {}), **value}
        elif key in NAMES:
            params[key] = value
        elif options is None or key in options:
            own[key] = value
        else:
            raise UnknownNameError("model parameter", key, NAMES | options, where=where)
    return check_params(params, where=where), own


class Pairs(dict[str, Any]):
    """Key → value of ``-M key=value``, and in ``texts`` each value as it was typed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}


def as_typed(pairs: Mapping[str, Any], values: Mapping[str, Any], *models: type[BaseModel]) -> dict[str, Any]:
    """Put the typed text in place of a number where text is wanted: ``-M revision=20260101`` names a revision.

    Args:
        pairs: What was typed (``parse_pairs``); other mappings hold what their author meant.
        values: Those, merged with what was set elsewhere.
        models: Whose fields say what is wanted.
    """
    texts = pairs.texts if isinstance(pairs, Pairs) else {}
    wanted = {key for key, value in pairs.items() if isinstance(value, (bool, int, float))}
    wanted = {key for key in wanted & texts.keys() if any(_wants_text(model, key) for model in models)}
    return {**values, **{key: texts[key] for key in wanted}}


def _wants_text(model: type[BaseModel], name: str) -> bool:
    """Whether a field takes text, and neither a number nor a truth value."""
    field = model.model_fields.get(name)
    kinds = set(_kinds(field.annotation)) if field is not None else set()
    return str in kinds and not kinds & {bool, int, float, Any}


def _kinds(annotation: Any) -> Iterator[Any]:
    """Open unions and annotations."""
    if get_origin(annotation) is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for argument in get_args(annotation):
            yield from _kinds(argument)
    else:
        yield annotation


def parse_pairs(pairs: Iterable[str], option: str = "-M", example: str = "temperature=0") -> Pairs:
    r"""Read ``["temperature=0", 'stop=["\n"]', "effort=high"]``: values are JSON where they parse, else text.

    Args:
        pairs: As they were typed.
        option: Which one they were typed after.
        example: What a right one looks like.

    Raises:
        UsageError: No ``=``, no key, or a key given twice.
    """
    read = Pairs()
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UsageError(f"{option} {pair!r} is not key=value", hint=f"For example: {option} {example}")
        if key in read:
            raise UsageError(f"{option} {key} is given twice")
        read.texts[key] = text
        try:
            read[key] = json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            read[key] = text
    return read


def validate(model: type[Model], values: Mapping[str, Any], *, what: str = "", where: str | None = None) -> Model:
    """Build a pydantic model from what a user wrote, or say in one line what is wrong with it.

    Raises:
        UnknownNameError: A field that the model lacks.
        UsageError: The first wrong value, by name.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        if first["type"] == "extra_forbidden":
            raise UnknownNameError(f"{what} option".strip(), name, model.model_fields, where=where) from None
        reason = first["msg"].removeprefix("Value error, ")
        shown = f", not {cut(repr(values[name]))}" if name in values else ""
        raise UsageError(f"{name}: {_plain(reason)}{shown}" if name else reason, where=where) from None


def _secrets(value: object, at: str) -> Iterator[str]:
    """Name the fields, however deep, that are named like a secret or hold what looks like one."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            # A mapping of that name is a schema that speaks of a password, not one.
            if names_secret(str(name)) and isinstance(item, (str, int, float)):
                yield f"{at}.{name}"
            yield from _secrets(item, f"{at}.{name}")
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secrets(item, at)
    elif isinstance(value, str) and redact(value) != value:
        yield at


def _plain(reason: str) -> str:
    """Drop pydantic's ``Input``: ``Input should be a valid number`` → ``should be a valid number``."""
    return reason.removeprefix("Input ")


def _no_constant(name: str) -> Any:
    raise ValueError(name)
