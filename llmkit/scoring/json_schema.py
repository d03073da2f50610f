"""json_schema: the answer is JSON that a JSON Schema accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

from pydantic import ConfigDict, Field, model_validator

from llmkit.canonical import digest
from llmkit.scoring.base import Item
from llmkit.scoring.builtin import RIGHT, WRONG, Builtin, unscorable
from llmkit.scoring.json_text import MAX_DEPTH, NotJson, TooDeep, Where, locate, read
from llmkit.text import shorten
from llmkit.types import Failure, Score

_PATTERN_SECONDS = 1.0


class BadSchema(ValueError):
    """A schema is not a JSON Schema, or cannot be used here."""


class JsonSchema(Builtin):
    """1 where the answer is JSON and the schema accepts it, else 0.

    The schema stands in the option ``schema``, or in each row's field ``schema_field`` (an object, or JSON text); a
    row's schema that is none is a failure, ``bad_reference``. Its ``$schema`` names the draft, 2020-12 where it is
    silent. References to other documents are not fetched. ``format`` is an annotation and not checked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_by_alias=True)

    metric: ClassVar[str] = "json_schema"
    heavy: ClassVar[bool] = True

    document: dict[str, Any] | bool | None = Field(default=None, alias="schema", description="A JSON Schema.")
    schema_field: str | None = Field(default=None, description="The row's field that holds the sample's JSON Schema.")
    extract: Where = Field(default="whole", description="whole: all of the answer; fenced: the one ``` block in it.")

    @model_validator(mode="after")
    def _one_source(self) -> JsonSchema:
        if (self.document is None) == (self.schema_field is None):
            raise ValueError("give either schema or schema_field")
        if self.document is not None:
            _validator(self.document)
        return self

    @property
    def needs_references(self) -> bool:
        """The schema takes a reference's place."""
        return False

    def _parts(self) -> Mapping[str, str]:
        from importlib.metadata import version

        source = f"row.{self.schema_field}" if self.document is None else f"sha256.{digest(self.document)[:12]}"
        rules = {"nan": "invalid", "depth": str(MAX_DEPTH), "jsonschema": version("jsonschema")}
        return {"schema": source, "extract": self.extract, **rules}

    @cached_property
    def _common(self) -> Any:
        return None if self.document is None else _validator(self.document)

    def _one(self, item: Item) -> Score | Failure:
        from referencing.exceptions import Unresolvable

        try:
            validator = self._common or _row_validator(item.row, self.schema_field or "")
            instance = read(locate(item.text, self.extract))
            return RIGHT if validator.is_valid(instance) else WRONG
        except NotJson:
            return WRONG
        except BadSchema as error:
            return unscorable("bad_reference", str(error))
        except (TooDeep, RecursionError):
            return unscorable("too_deep", f"the answer nests deeper than {MAX_DEPTH}, or than its schema can follow")
        except TimeoutError:
            return unscorable(
                "timeout", f"a pattern of the schema took longer than {_PATTERN_SECONDS:g} s on this answer"
            )
        except Unresolvable as error:
            return unscorable("bad_reference", f"the schema points to what it does not hold: {shorten(str(error))}")


def _row_validator(row: Mapping[str, Any], name: str) -> Any:
    schema = row.get(name)
    if schema is None:
        raise BadSchema(f"the row has no schema in its field {name!r}")
    if isinstance(schema, str):
        try:
            schema = json.loads(schema)
        except (ValueError, RecursionError) as error:
            raise BadSchema(f"the field {name!r} is not JSON: {error}") from None
    if not isinstance(schema, Mapping | bool):
        raise BadSchema(f"the field {name!r} holds no JSON Schema but {type(schema).__name__}")
    return _validator(dict(schema) if isinstance(schema, Mapping) else schema)


def _validator(schema: dict[str, Any] | bool) -> Any:
    from jsonschema import Draft202012Validator, exceptions, validators
    from jsonschema_specifications import REGISTRY

    plain: Any = validators.validator_for(schema, default=Draft202012Validator)
    try:
        plain.check_schema(schema)
    except (exceptions.SchemaError, RecursionError) as error:
        reason = getattr(error, "message", "it nests too deep")
        raise BadSchema(f"not a JSON Schema: {shorten(reason, 160)}") from None
    extend: Any = validators.extend
    guarded = extend(plain, _GUARDED)
    # A registry of the specifications alone: nothing is fetched, whatever a $ref says.
    return guarded(schema, registry=REGISTRY)


def _found(pattern: str, text: str) -> bool:
    import regex

    try:
        return regex.search(pattern, text, timeout=_PATTERN_SECONDS) is not None
    except regex.error as error:
        raise BadSchema(f"the schema's pattern {shorten(pattern)!r} is not a regular expression: {error}") from None


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    """Check ``pattern`` with a deadline: a schema's pattern may take exponential time on an untrusted answer."""
    from jsonschema.exceptions import ValidationError

    if validator.is_type(instance, "string") and not _found(pattern, instance):
        yield ValidationError(f"does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        for pattern, subschema in patterns.items():
            for name, value in instance.items():
                if _found(pattern, name):
                    yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rest: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(instance, "object"):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in instance.items():
        if name not in named and not any(_found(pattern, name) for pattern in patterns):
            yield from validator.descend(value, rest, path=name)


# jsonschema's own versions of these run re.search, without a deadline.
_GUARDED = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}
