"""JSON Schemas of the files that users write, for editors."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*)$")


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what ``model`` reads.

    Descriptions are those of the fields; where a field has none, the ``Attributes:`` section of its class's docstring
    serves, and the text before that section describes the class.
    """
    from pydantic.json_schema import GenerateJsonSchema

    class Generator(GenerateJsonSchema):
        def model_schema(self, schema: Any) -> dict[str, Any]:
            written = super().model_schema(schema)
            _describe(schema["cls"], written)
            return written

    written = model.model_json_schema(schema_generator=Generator)
    return {"$schema": DIALECT, "title": written.pop("title", model.__name__), **written}


def _describe(model: type[BaseModel], written: dict[str, Any]) -> None:
    text, attributes = attribute_docs(model)
    if text:
        written["description"] = text
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    for key, entry in written.get("properties", {}).items():
        if doc := attributes.get(names.get(key, key)):
            entry.setdefault("description", doc)


def attribute_docs(model: type[Any]) -> tuple[str, dict[str, str]]:
    """Split a Google docstring into its text and what its ``Attributes:`` section says of each name."""
    text, _, section = inspect.cleandoc(model.__doc__ or "").partition("\n\nAttributes:\n")
    attributes: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if match := _ATTRIBUTE.match(line):
            name = match[1]
            attributes[name] = match[2]
        elif name and line.startswith(" " * 8):
            attributes[name] += " " + line.strip()
        elif line.strip():
            break
    return text, attributes
