"""Lines of a file as bytes, numbered, each of bounded length."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from llmkit.errors import DataError

MAX_LINE = 10_000_000
"""Bytes. A longer line is no question for a model (over two million tokens) but a file of another kind, or broken."""

_PASSED_OVER = 65_536
"""Bytes of an overlong line that are dropped at a time."""

_UTF8_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open ``path`` for reading bytes, unpacking ``.gz``; what goes wrong while reading is one DataError."""
    try:
        with cast(IO[bytes], gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as stream:
            yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"the gzip stream is broken: {error}", where=str(path), hint="Fetch or pack it anew") from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def numbered(stream: IO[bytes], path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line's number, from 1, and its bytes without the line's end; None in place of one over MAX_LINE.

    A byte order mark of UTF-8 is dropped.

    Raises:
        DataError: For UTF-16 and UTF-32, whose every line would fail.
    """
    number = 0
    while raw := stream.readline(MAX_LINE + 2):
        number += 1
        if number == 1:
            if raw.startswith(_WIDE_BOMS):
                raise DataError("is not UTF-8 but UTF-16 or UTF-32", where=str(path), hint="Save it as UTF-8")
            raw = raw.removeprefix(_UTF8_BOM)
        text = raw.rstrip(b"\r\n")
        if len(text) <= MAX_LINE:
            yield number, text
            continue
        del text
        while raw and not raw.endswith(b"\n"):
            raw = stream.readline(_PASSED_OVER)
        yield number, None
