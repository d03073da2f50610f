"""A JSON file that is one list of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmkit.errors import DataError
from llmkit.samples.jsontext import DECODER, checked, explain
from llmkit.samples.lines import opened
from llmkit.samples.source import Row
from llmkit.types import BadRow

MAX_BYTES = 100_000_000
"""A list has no line to read it by, so its text is held in memory as a whole."""

_SPACE = re.compile(r"[ \t\r\n]*")


def read_json(path: Path) -> Iterator[Row | BadRow]:
    """Read the objects of a list one by one; an element that no row may be becomes a ``BadRow``.

    Raises:
        DataError: Where the file cannot be read, is no list, is too large, or stops being JSON.
    """
    text = _text(path)
    position = _skip(text, 0)
    if not text.startswith("[", position):
        raise DataError("is not a list of objects", where=f"{path}:1", hint="One object a line? Name it .jsonl")
    position = _skip(text, position + 1)
    index, line, counted = 0, 1, 0
    while not text.startswith("]", position):
        line, counted = line + text.count("\n", counted, position), position
        row, end = _element(text, position, path, line)
        yield Row(row, line) if isinstance(row, dict) else BadRow(index=index, message=row, where=f"{path}:{line}")
        index += 1
        position = _skip(text, end)
        if text.startswith(",", position):
            position = _skip(text, position + 1)
        elif not text.startswith("]", position):
            raise DataError("expected a comma or the list's end", where=f"{path}:{_line(text, position)}")
    if _skip(text, position + 1) < len(text):
        raise DataError("something follows the list", where=f"{path}:{_line(text, position)}")


def _element(text: str, start: int, path: Path, line: int) -> tuple[dict[str, Any] | str, int]:
    """Parse one element: the row, or what is wrong with it, and where it ends."""
    try:
        value, end = DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg} (column {error.colno})", where=f"{path}:{error.lineno}") from None
    except (ValueError, RecursionError) as error:
        return explain(error), _end(text, start, path, line)
    try:
        return checked(value, text[start:end]), end
    except ValueError as error:
        return str(error), end


def _end(text: str, start: int, path: Path, line: int) -> int:
    """Find the end of an element that is well-formed and yet refused."""
    try:
        # Numbers are left as text, so that none is refused.
        return json.JSONDecoder(parse_int=str, parse_float=str).raw_decode(text, start)[1]
    except (ValueError, RecursionError) as error:
        raise DataError(explain(error), where=f"{path}:{line}") from None


def _text(path: Path) -> str:
    with opened(path) as stream:
        raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise DataError(
            f"is larger than {MAX_BYTES // 1_000_000} MB", where=str(path), hint="Write one object a line, as .jsonl"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(f"not UTF-8: byte 0x{raw[error.start]:02x}", where=f"{path}:{line}") from None


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
