"""What a suite maps: a field of the row, a path into it, or a template over it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from llmkit.errors import LlmkitError, nearest
from llmkit.prompts import Prompt, prompt_from_messages

Values = Mapping[str, Any]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Expression:
    """One mapped value.

    Attributes:
        text: As the suite writes it.
        is_template: Whether it is a template; then ``get`` gives text.
        get: Row → value; ``MISSING`` where the row lacks the field. Raises ``ValueError`` where a template fails.
        lacking: Row → the fields that a template reads and the row lacks; of no template, nothing.
    """

    text: str
    is_template: bool
    get: Callable[[Values], Any]
    lacking: Callable[[Values], list[str]] = lambda _: []

    def value(self, values: Values) -> Any:
        """Return the value.

        Raises:
            ValueError: With one line for people: the field is absent (and which is near), or null.
        """
        value = self.get(values)
        if value is MISSING:
            raise ValueError(f"no field {self.text!r}. {nearest(self.text, field_names(values))}")
        if value is None:
            raise ValueError(f"the field {self.text!r} is null")
        return value


def compile_expression(text: str, where: str) -> Expression:
    """Make an expression ready.

    Args:
        text: A field's name, a dotted path or a template.
        where: ``path:line`` of it.

    Raises:
        DocumentError: For a template that is not valid.
    """
    if "{{" in text or "{%" in text:
        prompt = prompt_from_messages([{"role": "user", "content": text}], where=where)
        return Expression(text, True, _template(prompt), prompt.missing)
    return Expression(text, False, _field(text))


def _field(name: str) -> Callable[[Values], Any]:
    if "." not in name:
        return lambda values: values.get(name, MISSING)
    parts = name.split(".")

    def follow(values: Values) -> Any:
        if name in values:  # a name may hold dots itself
            return values[name]
        found: Any = values
        for part in parts:
            if isinstance(found, Mapping) and part in found:
                found = found[part]
            elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            else:
                return MISSING
        return found

    return follow


def _template(prompt: Prompt) -> Callable[[Values], str]:
    def render(values: Values) -> str:
        try:
            (message,) = prompt.render(values)
        except LlmkitError as error:
            raise ValueError(str(error)) from None
        return message.content

    return render


def field_names(values: Values) -> list[str]:
    """Names that an expression may use: fields, and dotted ones a level below."""
    inner = [f"{name}.{key}" for name, value in values.items() if isinstance(value, Mapping) for key in value]
    return [*values, *inner]


def as_text(value: Any) -> str:
    """Write a value as people would: ``42``, ``3.0``, ``true``; lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, dict, list)) or value is None:
        return json.dumps(value, ensure_ascii=False)
    return str(value)
