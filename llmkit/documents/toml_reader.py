"""TOML, with the line of every key.

``tomllib`` reads the data and gives no lines, so a second look at the (by then valid) text finds the keys. Keys inside
inline tables and items of arrays have the line of the key that holds them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmkit.documents.document import Document, Keys, check_number, place, read_text
from llmkit.errors import DocumentError

_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_TOKEN = re.compile(
    r'''(?P<comment>\#[^\n]*)
      | (?P<long>"""(?:[^"\\]|\\.|"(?!""))*"{3,5}|\'\'\'.*?\'{3,5})
      | (?P<quoted>"(?:[^"\\\n]|\\.)*"|'[^'\n]*')
      | (?P<line>\n)
      | (?P<mark>[\[\]{}=.,])
      | (?P<bare>[^\s\[\]{}=.,#"']+)''',
    re.VERBOSE | re.DOTALL,
)


def read_toml(path: Path | str, table: tuple[str, ...] = ()) -> Document:
    """Read a TOML file, or one table of it.

    Args:
        path: The file.
        table: Keys of the table that becomes the document, as ``("tool", "llmkit")``; an absent one is empty.

    Raises:
        DocumentError: With ``path:line``: not readable, not TOML, NaN, infinities or huge numbers, or ``table`` names
            something that is not a table.
    """
    path = Path(path)
    text = read_text(path)
    try:
        data: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, path) from None
    except RecursionError:
        raise DocumentError("nested too deeply", where=str(path)) from None
    except ValueError as error:  # int() refuses thousands of digits
        raise DocumentError(f"not TOML: {error}", where=str(path)) from None
    lines = _key_lines(text)
    whole = Document(path, data, lines)
    for depth, key in enumerate(table, 1):
        data = data.get(key, {})
        if not isinstance(data, dict):
            raise DocumentError(f"{'.'.join(table[:depth])} is not a table", where=whole.where(*table[:depth]))
    _check_numbers(data, table, whole)
    inside = {keys[len(table) :]: line for keys, line in lines.items() if keys[: len(table)] == table}
    return Document(path, data, {(): whole.line(*table) or 1, **inside})


def _syntax_error(text: str, source: str, path: Path) -> DocumentError:
    match = _AT_LINE.search(text)
    line = int(match[1]) if match and match[1] else source.rstrip("\n").count("\n") + 1
    problem = _AT_LINE.sub("", text)
    problem = problem[:1].lower() + problem[1:]
    hint = "Text stands in quotes" if problem == "invalid value" else None
    return DocumentError(f"not TOML: {problem}", where=place(path, line), hint=hint)


def _check_numbers(value: Any, keys: Keys, document: Document) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_numbers(item, (*keys, key), document)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_numbers(item, (*keys, index), document)
    elif isinstance(value, (int, float)):
        check_number(value, document.where(*keys))


def _key_lines(text: str) -> dict[Keys, int]:
    """Line of every key and table header of valid TOML."""
    lines: dict[Keys, int] = {(): 1}
    counts: dict[Keys, int] = {}  # tables of each array of tables so far
    table: Keys = ()
    for line, statement in _statements(text):
        if statement[0] == "[":
            many = statement[1] == "["
            table = _dotted(statement, "]", 2 if many else 1, (), counts)
            if many:
                index = counts.get(table, 0)
                counts[table] = index + 1
                lines.setdefault(table, line)
                table = (*table, index)
            keys = table
        else:
            keys = _dotted(statement, "=", 0, table, counts)
        for end in range(1, len(keys) + 1):  # [a.b] also gives the line of a
            lines.setdefault(keys[:end], line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Split into key-value pairs and headers: pieces up to a line's end outside brackets, with the first line."""
    statement: list[str] = []
    first = line = 1
    depth = 0
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if match.lastgroup == "line":
            line += 1
            if statement and depth == 0:
                yield first, statement
                statement = []
            continue
        if match.lastgroup == "comment":
            continue
        if not statement:
            first = line
        statement.append(piece)
        if match.lastgroup == "mark":
            depth += (piece in "[{") - (piece in "]}")
        elif match.lastgroup == "long":
            line += piece.count("\n")
    if statement:
        yield first, statement


def _dotted(statement: list[str], stop: str, start: int, base: Keys, counts: Mapping[Keys, int]) -> Keys:
    """Read ``a.b."c d"`` up to ``stop``; a key that is an array of tables leads into its latest table."""
    keys = base
    for piece in statement[start : statement.index(stop, start)]:
        if piece == ".":
            continue
        if keys in counts and keys != base:
            keys = (*keys, counts[keys] - 1)
        quoted = piece[0] in "\"'"
        keys = (*keys, next(iter(tomllib.loads(f"{piece}=0"))) if quoted else piece)
    return keys
