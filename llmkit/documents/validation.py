"""From a document to a model's instance, or to one line about what is wrong and where."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from llmkit.documents.document import Document, Keys
from llmkit.documents.schemas import attribute_docs
from llmkit.errors import DocumentError, LlmkitError, nearest
from llmkit.redact import suggests_secret
from llmkit.text import cut

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound="BaseModel")


_WANTED = {
    "string_type": "text",
    "string_sub_type": "text",
    "path_type": "a path",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "none_required": "nothing",
}
"""What pydantic's error types say was expected: https://docs.pydantic.dev/latest/errors/validation_errors/."""

_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def validate(model: type[M], document: Document, *, at: Keys = ()) -> M:
    """Make an instance of ``model`` from the document, or from the part of it at ``at``.

    Raises:
        DocumentError: Naming ``path:line``, the field in dotted form, what was expected and what was found; of several
            mistakes the first, and how many more there are.
    """
    from pydantic import ValidationError

    data: Any = document.data
    for key in at:
        data = data[key]
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _explain(model, error, document, at, data) from None


class FieldError(ValueError):
    """What a model's validator raises where a field, or fields together, cannot be: told with the field's own line.

    Args:
        keys: The way to the field from the model that raises.
        message: What is wrong, after the field's name: ``is for kind: pairwise``.
    """

    def __init__(self, keys: Keys, message: str) -> None:
        super().__init__(f"{dotted(keys)} {message}")
        self.keys, self.message = keys, message


@dataclass
class _Problem:
    """One mistake, as a person counts them: the alternatives of one union are one."""

    keys: Keys  # in the data
    message: str
    hint: str | None
    rank: int  # what can be mended on its own line goes first
    meant: Keys | None = None  # the missing field that a misspelt one was meant to be


def _explain(model: type[BaseModel], error: ValidationError, document: Document, at: Keys, data: Any) -> DocumentError:
    details = [_Detail(dict(entry), data) for entry in error.errors(include_url=False)]
    problems = [_problem(model, group, data) for group in _grouped(details)]
    meant = {problem.meant for problem in problems} - {None}  # "missing" would say the same mistake twice
    problems = [problem for problem in problems if not (problem.rank == 1 and problem.keys in meant)]
    first = min(problems, key=lambda problem: (problem.rank, document.line(*at, *problem.keys) or 0))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return DocumentError(first.message + more, where=document.where(*at, *first.keys), hint=first.hint)


class _Detail:
    """One entry of pydantic's list, its location split into keys of the data and labels of unions."""

    def __init__(self, entry: dict[str, Any], data: Any) -> None:
        self.type: str = entry["type"]
        self.loc: Keys = entry["loc"]
        self.input: Any = entry["input"]
        self.context: dict[str, Any] = entry.get("ctx", {})
        self.text: str = entry["msg"]
        self.keys: Keys = ()
        self.labels: list[tuple[int, str]] = []  # (number of keys before it, label)
        self.about_key = False
        for index, part in enumerate(self.loc):
            last = index == len(self.loc) - 1
            if part == "[key]":
                self.about_key = True
            elif _holds(data, part):
                data = data[part]
                self.keys = (*self.keys, part)
            elif last and self.type in ("missing", "missing_argument") and isinstance(data, Mapping):
                self.keys = (*self.keys, part)
            else:
                self.labels.append((len(self.keys), str(part)))

    @property
    def union(self) -> Keys | None:
        """Where the outermost union stands, if the location leads through one."""
        return self.keys[: self.labels[0][0]] if self.labels else None


def _holds(data: Any, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, Sequence) and not isinstance(data, str) and isinstance(part, int) and part < len(data)


def _grouped(details: Sequence[_Detail]) -> Iterator[list[_Detail]]:
    """One group a mistake: the errors of all of a union's alternatives belong together."""
    groups: dict[tuple[Any, ...], list[_Detail]] = {}
    for index, detail in enumerate(details):
        key = ("union", detail.union) if detail.union is not None else ("one", index)
        groups.setdefault(key, []).append(detail)
    return iter(groups.values())


def _problem(model: type[BaseModel], group: list[_Detail], data: Any) -> _Problem:
    if len(group) > 1 and group[0].union is not None:
        at = group[0].union
        branches: dict[str, list[_Detail]] = {}
        for detail in group:
            branches.setdefault(detail.labels[0][1], []).append(detail)
        deeper = [branch for branch in branches.values() if not any(_wrong_kind(each, at) for each in branch)]
        if not deeper:
            return _no_alternative(group, at)
        # The alternative that the value comes nearest to is the one that was meant.
        group = min(deeper, key=lambda branch: sum(2 if each.type == "extra_forbidden" else 1 for each in branch))
        group = sorted(group, key=lambda each: each.type != "extra_forbidden")
    return _one(model, group[0], data)


def _wrong_kind(detail: _Detail, at: Keys) -> bool:
    return detail.keys == at and detail.type in _WANTED


def _no_alternative(group: list[_Detail], at: Keys) -> _Problem:
    wanted = list(dict.fromkeys(_WANTED[each.type] for each in group if _wrong_kind(each, at)))
    here = [each for each in group if each.keys == at]
    return _Problem(at, f"{dotted(at)} must be {' or '.join(wanted)}, not {found(here[0].input, at)}", None, 2)


def _one(model: type[BaseModel], detail: _Detail, data: Any) -> _Problem:
    keys, name = detail.keys, dotted(detail.keys)
    labels = {label for _, label in detail.labels}
    if detail.type == "extra_forbidden":
        known = sorted({field for cls in _models_at(model, keys[:-1], labels) for field in _names(cls)})
        beside = set(_value(data, keys[:-1]))
        free = [field for field in known if field not in beside] or known
        close = difflib.get_close_matches(str(keys[-1]), free, n=1)
        meant = (*keys[:-1], close[0]) if close else None
        return _Problem(keys, f"unknown field {name!r}", nearest(str(keys[-1]), free), 0, meant)
    if detail.type in ("missing", "missing_argument"):
        docs = [doc for cls in _models_at(model, keys[:-1], labels) if (doc := _doc(cls, str(keys[-1])))]
        about = f"{keys[-1]}: {docs[0].rstrip('.')}" if docs else None
        return _Problem(keys, f"the field {name!r} is missing", about, 1)
    cause = detail.context.get("error")
    if isinstance(cause, FieldError):
        keys = (*keys, *cause.keys)
        return _Problem(keys, f"{dotted(keys)} {cause.message}", None, 2)
    message, suggestion = _what(detail, name)
    return _Problem(keys, message, suggestion, 2)


def _what(detail: _Detail, name: str) -> tuple[str, str | None]:
    context, value = detail.context, found(detail.input, detail.keys)
    subject = f"the key {str(detail.input)!r} of {name}" if detail.about_key else name
    if detail.type in _WANTED:
        return f"{subject} must be {_WANTED[detail.type]}, not {value}", None
    if detail.type in _BOUNDS:
        key, words = _BOUNDS[detail.type]
        return f"{subject} must be {words} {context[key]}, not {value}", None
    if detail.type in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(context["expected"]))
        hint = nearest(detail.input, choices) if isinstance(detail.input, str) and choices else None
        return f"{subject} must be {context['expected']}, not {value}", hint if hint and "mean" in hint else None
    if detail.type == "value_error":
        cause = context["error"]
        if isinstance(cause, LlmkitError):
            return f"{subject}: {cause.message}", cause.hint
        return f"{subject}: {cause}", None
    if detail.type in ("too_short", "too_long"):
        short = detail.type == "too_short"
        words = f"at least {context['min_length']}" if short else f"at most {context['max_length']}"
        return f"{subject} must have {words} entries, not {context['actual_length']}", None
    text = detail.text.replace("Input should", "must").replace("String should", "must").replace("Value should", "must")
    return f"{subject} {text[:1].lower()}{text[1:]}, not {value}" if "must" in text else f"{subject}: {text}", None


def dotted(keys: Sequence[str | int]) -> str:
    """``scorers[0].numeric`` from its keys; "the document" from none."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".") or "the document"


def found(value: Any, keys: Sequence[str | int] = ()) -> str:
    """Describe a value in a few words; never the value of a field that is named like a secret."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "an empty mapping" if not value else f"a mapping ({cut(', '.join(map(str, value)))})"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if shown := getattr(value, "shown", None):  # a value of the environment
        return str(shown)
    if not isinstance(value, str):
        return f"the {type(value).__name__} {value}"
    if any(isinstance(key, str) and suggests_secret(key) for key in keys):
        return "what it holds (not shown: it may be a secret)"
    return f"the text {cut(value)!r}"


def _value(data: Any, keys: Keys) -> Any:
    for key in keys:
        data = data[key]
    return data


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _doc(model: type[BaseModel], key: str) -> str | None:
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            return field.description or attribute_docs(model)[1].get(name)
    return None


def _models_at(model: type[BaseModel], keys: Keys, labels: set[str]) -> list[type[BaseModel]]:
    """The models that may stand at ``keys``; where a union offers several, those that pydantic's labels name."""
    types: list[Any] = [model]
    for key in keys:
        types = [inner for each in types for inner in _step(each, key)]
    models = [each for each in types if _is_model(each)]
    return [each for each in models if each.__name__ in labels] or models


def _step(kind: Any, key: str | int) -> Iterator[Any]:
    """The types of what stands under ``key`` in a value of type ``kind``."""
    from typing import get_args

    if _is_model(kind):
        for name, field in kind.model_fields.items():
            if key in (name, field.alias):
                yield from _flat(field.annotation)
        return
    arguments = get_args(kind)
    if arguments and not isinstance(key, int):
        yield from _flat(arguments[-1])
    else:
        for argument in arguments:
            yield from _flat(argument)


def _flat(kind: Any) -> Iterator[Any]:
    """Unions and annotations, opened."""
    import types
    from typing import Annotated, Union, get_args, get_origin

    if get_origin(kind) is Annotated:
        yield from _flat(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for argument in get_args(kind):
            yield from _flat(argument)
    else:
        yield kind


def _is_model(kind: Any) -> bool:
    from pydantic import BaseModel

    return isinstance(kind, type) and issubclass(kind, BaseModel)
