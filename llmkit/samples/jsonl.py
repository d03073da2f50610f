"""JSON Lines: one object a line, plain or gzipped (https://jsonlines.org)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from llmkit.samples.jsontext import parse_object
from llmkit.samples.lines import MAX_LINE, numbered, opened
from llmkit.samples.source import Row
from llmkit.types import BadRow


def read_jsonl(path: Path) -> Iterator[Row | BadRow]:
    """Read a file line by line; a line that cannot be a row becomes a ``BadRow``, empty lines are passed over.

    Raises:
        DataError: Where the file itself cannot be read.
    """
    index = 0
    with opened(path) as stream:
        for line, raw in numbered(stream, path):
            if raw is not None and not raw.strip():
                continue
            try:
                yield Row(_parse(raw), line)
            except ValueError as error:
                yield BadRow(index=index, message=str(error), where=f"{path}:{line}")
            index += 1


def _parse(raw: bytes | None) -> dict[str, object]:
    if raw is None:
        raise ValueError(f"the line is longer than {MAX_LINE // 1_000_000} MB")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: byte 0x{raw[error.start]:02x} at column {error.start + 1}") from None
    return parse_object(text)
