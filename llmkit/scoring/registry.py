"""Scorers by name: llmkit's own, and those that other packages add by an entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, ValidationError

from llmkit.errors import DocumentError, LlmkitError, ScorerError, UnknownNameError, nearest
from llmkit.scoring.base import Scorer
from llmkit.scoring.builtin import Builtin
from llmkit.scoring.files import FILES, Files
from llmkit.text import shorten

GROUP = "llmkit.scorers"
"""The entry-point group: a name, and ``factory(**options) -> Scorer`` (a class will do)."""

BUILTIN: Mapping[str, str] = {
    "attempts": "llmkit.scoring.attempts:Attempts",
    "bertscore": "llmkit.scoring.bertscore:BertScore",
    "bleu": "llmkit.scoring.bleu:Bleu",
    "cer": "llmkit.scoring.cer:Cer",
    "checks": "llmkit.scoring.checks:Checks",
    "choice": "llmkit.scoring.choice:Choice",
    "chrf": "llmkit.scoring.chrf:Chrf",
    "code": "llmkit.scoring.code:Code",
    "ends_with": "llmkit.scoring.ends_with:EndsWith",
    "exact_match": "llmkit.scoring.exact_match:ExactMatch",
    "extracted": "llmkit.scoring.extracted:Extracted",
    "f1": "llmkit.scoring.f1:F1",
    "includes": "llmkit.scoring.includes:Includes",
    "instructions": "llmkit.scoring.instructions:Instructions",
    "json_schema": "llmkit.scoring.json_schema:JsonSchema",
    "json_valid": "llmkit.scoring.json_valid:JsonValid",
    "likelihood": "llmkit.scoring.likelihood:Likelihood",
    "math": "llmkit.scoring.math:Math",
    "needle": "llmkit.scoring.needle:Needle",
    "numeric": "llmkit.scoring.numeric:Numeric",
    "regex": "llmkit.scoring.regex:Regex",
    "retry_cost": "llmkit.scoring.retry_cost:RetryCost",
    "rouge": "llmkit.scoring.rouge:Rouge",
    "starts_with": "llmkit.scoring.starts_with:StartsWith",
    "ter": "llmkit.scoring.ter:Ter",
    "valid": "llmkit.scoring.valid:Valid",
    "valid_first": "llmkit.scoring.valid_first:ValidFirst",
    "wer": "llmkit.scoring.wer:Wer",
}
_MEMBERS = ("name", "signature", "kind", "higher_is_better", "needs_references", "heavy", "score", "wrong")


def known() -> tuple[str, ...]:
    """Return the names of all scorers that are installed, sorted."""
    return tuple(sorted({*BUILTIN, *_third_party()}))


def create(
    name: str, options: Mapping[str, Any] | None = None, *, where: str | None = None, files: Files | None = None
) -> Scorer:
    """Build a scorer.

    Args:
        name: Its name; a built-in one wins over an entry point of the same name.
        options: Its options, as a suite writes them.
        where: ``path:line`` for errors.
        files: Where the files that its options name lie; from the current folder on where None.

    Raises:
        UnknownNameError: No such scorer.
        DocumentError: No such option, or a value that it cannot have.
        MissingExtraError: It needs an optional dependency.
        ScorerError: A third party's scorer cannot be loaded, or is none.
    """
    if name in BUILTIN:
        return _build(_builtin(name), name, options or {}, where, files)
    points = _third_party()
    if name not in points:
        raise UnknownNameError("scorer", name, known(), where=where)
    return _plug(points[name], options or {}, where)


def parse(entry: object, where: str | None = None, files: Files | None = None) -> Scorer:
    """Build a scorer from a suite's entry: ``exact_match``, or ``{numeric: {tolerance: 1e-6}}``.

    Raises:
        DocumentError: The entry is neither; and whatever ``create`` raises.
    """
    name, options = split(entry, where)
    return create(name, options, where=where, files=files)


def split(entry: object, where: str | None = None) -> tuple[str, dict[str, Any]]:
    """Take a suite's entry apart into the scorer's name and its options.

    Raises:
        DocumentError: The entry is neither a name nor one name with its options.
    """
    if isinstance(entry, str):
        return entry, {}
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((name, options),) = entry.items()
        options = {} if options is None else options
        if isinstance(name, str) and isinstance(options, Mapping):
            return name, {str(key): value for key, value in options.items()}
    raise DocumentError(
        f"a scorer is a name or a name with its options, not {shorten(repr(entry))}",
        where=where,
        hint="Write exact_match, or {numeric: {tolerance: 1e-6}}; each scorer is an entry of its own",
    )


def check_names(scorers: Sequence[Scorer], where: Callable[[int], str | None] = lambda position: None) -> None:
    """Refuse two scorers of one name: their figures would be told apart by nothing.

    Args:
        scorers: Those of one run.
        where: Names the scorer at a position, for the error.

    Raises:
        DocumentError: A name stands twice.
    """
    seen: set[str] = set()
    for position, scorer in enumerate(scorers):
        if scorer.name in seen:
            hint = "Give one of them a name of its own"
            if scorer.name in BUILTIN:
                hint += f": {{{scorer.name}: {{name: OTHER}}}}"
            raise DocumentError(f"two scorers give the metric {scorer.name!r}", where=where(position), hint=hint)
        seen.add(scorer.name)


def option_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each scorer's options, by name; a third party's where its factory is a model."""
    schemas = {name: _builtin(name).model_json_schema() for name in BUILTIN}
    for name, point in _third_party().items():
        factory = _load(point)
        if isinstance(factory, type) and issubclass(factory, BaseModel):
            schemas[name] = factory.model_json_schema()
        else:
            schemas[name] = {"type": "object"}
    return dict(sorted(schemas.items()))


@cache
def _builtin(name: str) -> type[Builtin]:
    module, _, attribute = BUILTIN[name].partition(":")
    found: type[Builtin] = getattr(import_module(module), attribute)
    return found


def _third_party() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILTIN}


def _build(
    model: type[Builtin], name: str, options: Mapping[str, Any], where: str | None, files: Files | None
) -> Scorer:
    try:
        return model.model_validate(dict(options), context={FILES: files or Files(where=where)})
    except ValidationError as error:
        raise _explain(error, model, name, where) from None


def _explain(error: ValidationError, model: type[BaseModel], name: str, where: str | None) -> DocumentError:
    known_options = [field.alias or key for key, field in model.model_fields.items()]
    # An option that does not exist explains the one that is missing, so it comes first.
    first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    option = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return DocumentError(
            f"scorer {name} has no option {option!r}", where=where, hint=nearest(option, known_options)
        )
    if first["type"] == "missing":
        return DocumentError(f"scorer {name} needs the option {option!r}", where=where)
    reason = first["msg"].removeprefix("Value error, ")
    if not option:
        return DocumentError(f"scorer {name}: {reason}", where=where)
    given = shorten(repr(first["input"]))
    return DocumentError(f"option {option!r} of scorer {name} cannot be {given}: {_lower(reason)}", where=where)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _plug(point: EntryPoint, options: Mapping[str, Any], where: str | None) -> Scorer:
    factory = _load(point)
    try:
        scorer = factory(**options)
    except ValidationError as error:
        if isinstance(factory, type) and issubclass(factory, BaseModel):
            raise _explain(error, factory, point.name, where) from None
        raise DocumentError(
            f"scorer {point.name} refuses its options: {shorten(str(error), 200)}", where=where
        ) from error
    except (TypeError, ValueError) as error:
        raise DocumentError(
            f"scorer {point.name} refuses its options: {shorten(str(error), 200)}", where=where
        ) from error
    missing = [member for member in _MEMBERS if not hasattr(scorer, member)]
    if missing:
        raise ScorerError(f"{point.value}, the scorer {point.name}, is none: it lacks {', '.join(missing)}")
    plugged: Scorer = scorer
    return plugged


def _load(point: EntryPoint) -> Any:
    try:
        return point.load()
    except LlmkitError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {shorten(str(error), 200)}"
        raise ScorerError(f"the scorer {point.name} cannot be loaded from {point.value}: {reason}") from error
