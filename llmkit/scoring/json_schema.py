"""json_schema: the answer is JSON that a JSON Schema accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from pydantic import ConfigDict, Field, model_validator

from llmkit.canonical import digest
from llmkit.scoring.base import Item
from llmkit.scoring.builtin import RIGHT, WRONG, Builtin, unscorable
from llmkit.scoring.guarded import BadSchema, guarded, within
from llmkit.scoring.json_text import MAX_DEPTH, NotJson, TooDeep, Where, locate, read
from llmkit.text import shorten
from llmkit.types import Failure, Score

_SECONDS = 1.0  # a schema's pattern may take exponential time on an untrusted answer


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
            validator_of(self.document)
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
        return None if self.document is None else validator_of(self.document)

    def _one(self, item: Item) -> Score | Failure:
        from referencing.exceptions import Unresolvable

        try:
            validator = self._common or _row_validator(item.row, self.schema_field or "")
            instance = read(locate(item.text, self.extract))
            with within(_SECONDS):
                return RIGHT if validator.is_valid(instance) else WRONG
        except NotJson:
            return WRONG
        except BadSchema as error:
            return unscorable("bad_reference", str(error))
        except (TooDeep, RecursionError):
            return unscorable("too_deep", f"the answer nests deeper than {MAX_DEPTH}, or than its schema can follow")
        except TimeoutError:
            return unscorable("timeout", f"checking this answer against the schema took longer than {_SECONDS:g} s")
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
    return validator_of(dict(schema) if isinstance(schema, Mapping) else schema)


def validator_of(schema: dict[str, Any] | bool) -> Any:
    """Return the validator of a schema: guarded against slow patterns, and one that fetches nothing.

    Raises:
        BadSchema: It is none.
    """
    from jsonschema import Draft202012Validator, exceptions, validators
    from jsonschema_specifications import REGISTRY

    plain: Any = validators.validator_for(schema, default=Draft202012Validator)
    try:
        plain.check_schema(schema)
    except (exceptions.SchemaError, RecursionError) as error:
        reason = getattr(error, "message", "it nests too deep")
        raise BadSchema(f"not a JSON Schema: {shorten(reason, 160)}") from None
    # A registry of the specifications alone: nothing is fetched, whatever a $ref says.
    return guarded(plain)(schema, registry=REGISTRY)
