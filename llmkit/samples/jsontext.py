"""JSON as rows may hold it: RFC 8259 to the letter, with every name once and every number finite."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

MAX_DEPTH = 100
"""Nesting. Python's own JSON writer fails near 1,000 levels, and templates and stores must still hold the row."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that has a name twice (RFC 8259 section 4 leaves its meaning open)."""
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return values


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:40]} is too large for a float")
    return value


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number; write null, or a string")


DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_constant)


def parse_object(text: str) -> dict[str, Any]:
    """Parse one row.

    Raises:
        ValueError: With one line for people, where it is not a JSON object that a row may be.
    """
    try:
        value = DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(explain(error)) from None
    return checked(value, text)


def explain(error: ValueError | RecursionError) -> str:
    """Say in one line why ``DECODER`` failed."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} (column {error.colno})"
    if isinstance(error, RecursionError):
        return f"nested deeper than {MAX_DEPTH} levels"
    if "integer string conversion" in str(error):  # int()'s own guard against quadratic time
        return "an integer has thousands of digits; write it as a string"
    return str(error)


def checked(value: Any, text: str) -> dict[str, Any]:
    """Return ``value``, parsed from ``text``, where a row may be it.

    Raises:
        ValueError: For what is no object, nests too deep or holds half a surrogate pair.
    """
    if not isinstance(value, dict):
        raise ValueError(f"a row must be a JSON object, this is {_KINDS.get(type(value), 'a number')}")
    # Counting brackets is cheap; only a text with many of them can be deep.
    if text.count("[") + text.count("{") > MAX_DEPTH and too_deep(value):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if "\\u" in text and _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"holds half a surrogate pair (\\u{ord(error.object[error.start]):04x})") from None
    return value


_KINDS = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}


def too_deep(value: object) -> bool:
    """Whether ``value`` nests beyond MAX_DEPTH."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, Mapping):
                below.extend(item.values())
            elif isinstance(item, Sequence) and not isinstance(item, (str, bytes)):
                below.extend(item)
        if not below:
            return False
        level = below
    return True
