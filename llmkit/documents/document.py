"""A document: its data, where it came from, and the line of every field."""

from __future__ import annotations

import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmkit.errors import DocumentError, nearest

Keys = tuple[str | int, ...]
"""The way to a field: mapping keys and list positions from the top."""

MAX_BYTES = 4_000_000
"""Longest file that a person is taken to have written; data sets are read elsewhere, row by row."""

MAX_DEPTH = 100
"""Deepest nesting: far beyond any real document, and far below Python's recursion limit."""


@dataclass
class Document:
    """What a file says.

    Attributes:
        path: The file, as the user named it; None for text that has none.
        data: The top-level mapping.
        lines: Line (from 1) of each field, by its keys; ``()`` is the document itself.
    """

    path: Path | None
    data: dict[str, Any]
    lines: Mapping[Keys, int] = field(default_factory=dict)

    def line(self, *keys: str | int) -> int | None:
        """Line of the field, or of its nearest ancestor whose line is known."""
        for end in range(len(keys), -1, -1):
            if (known := self.lines.get(keys[:end])) is not None:
                return known
        return None

    def where(self, *keys: str | int) -> str:
        """``path:line`` of the field, or of its nearest ancestor whose line is known."""
        return place(self.path, self.line(*keys))


def place(path: Path | None, line: int | None) -> str:
    """``path:line`` with what there is of it."""
    if path is None:
        return f"line {line}" if line is not None else "text"
    return f"{path}:{line}" if line is not None else str(path)


def read_text(path: Path | str, *, max_bytes: int = MAX_BYTES) -> str:
    r"""Read a UTF-8 file that a person wrote.

    A byte order mark is dropped, and line ends become ``\n`` (so that a file fingerprints alike on every system).

    Raises:
        DocumentError: No such file, not a file, not readable, too long, or not UTF-8 (with the line of the first bad
            byte).
    """
    path = Path(path)
    raw = _read_bytes(path, max_bytes)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The codec counts from after the mark; error.object is what it was counting in.
        line = error.object[: error.start].count(b"\n") + 1
        wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
        message = "this is UTF-16, not UTF-8" if wide else f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise DocumentError(message, where=place(path, line), hint="Save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DocumentError("this is a folder, not a file", where=str(path))
        if not stat.S_ISREG(mode):  # reading a pipe or a device could block for ever
            raise DocumentError("this is not an ordinary file", where=str(path))
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise DocumentError("no such file", where=str(path), hint=_sibling(path)) from None
    except NotADirectoryError:
        raise DocumentError("no such file: a part of its path is a file", where=str(path)) from None
    except PermissionError:
        raise DocumentError("no permission to read this file", where=str(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise DocumentError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from None
    if len(raw) > max_bytes:
        raise DocumentError(f"longer than {max_bytes:,} bytes", where=str(path), hint="Is this the right file?")
    return raw


def _sibling(path: Path) -> str | None:
    """Offer the files of the same folder whose names are near."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"The folder {str(path.parent)!r} does not exist either"
    hint = nearest(path.name, names)
    return hint if hint.startswith("Did you mean") else None


SMALLEST, LARGEST = -(2**63), 2**64 - 1
"""Whole numbers that any JSON reader, database or seed can hold."""


def check_number(value: int | float, where: str) -> None:
    """Refuse NaN, infinities and whole numbers beyond 64 bits: nothing downstream can hold them.

    Raises:
        DocumentError: With ``where``.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DocumentError("not a finite number", where=where, hint="NaN and infinity have no place here")
    elif not SMALLEST <= value <= LARGEST:
        raise DocumentError("a whole number beyond 64 bits", where=where, hint="Quote it if it is meant as text")
