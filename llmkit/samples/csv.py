"""CSV as RFC 4180 has it: commas, a header, double quotes that may hold line ends."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

from llmkit.errors import DataError
from llmkit.samples.lines import MAX_LINE, opened
from llmkit.samples.source import Row
from llmkit.types import BadRow


class _Lines:
    """Lines as the csv module takes them: ends kept, undecodable bytes marked, overlong ones refused.

    Unlike a generator it goes on after it raised, so that a bad line fails alone.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.number = 0
        self.undecodable = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(MAX_LINE + 2)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > MAX_LINE:
            self._pass_over(line)
        if not line.isascii():
            try:
                line.encode()
            except UnicodeEncodeError:  # what could not be decoded stands as surrogates
                self.undecodable = True
        return line

    def _pass_over(self, line: str) -> NoReturn:
        quotes = line.count('"')
        while line and not line.endswith("\n"):
            line = self._stream.readline(MAX_LINE)
            quotes += line.count('"')
        if quotes % 2:
            raise _LostError("a quote is open at the end of a line that is too long")
        raise csv.Error(f"the line is longer than {MAX_LINE // 1_000_000} MB")


class _LostError(Exception):
    """From here on nobody can say where a row starts."""


def read_csv(path: Path) -> Iterator[Row | BadRow]:
    """Read a file record by record; every value is text. A record that does not fit the header is a ``BadRow``.

    Raises:
        DataError: Where the file cannot be read, its header is wrong, or a quote is never closed (how many rows
            it swallowed cannot be known).
    """
    # The module has one limit for the whole process, 128 KB; documents are longer. It is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
    with opened(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text:
        lines = _Lines(text)
        records = csv.reader(lines, strict=True)
        header: list[str] | None = None
        index = 0
        while True:
            start = lines.number + 1
            record = _next(records, lines, path)
            if record is None:
                break
            if record == []:
                continue
            if header is None:
                header = _header(record, f"{path}:{start}")
                continue
            fault = record if isinstance(record, str) else _misfit(record, header)
            if fault:
                yield BadRow(index=index, message=fault, where=f"{path}:{start}")
            else:
                yield Row(dict(zip(header, record, strict=True)), start)
            index += 1


def _next(records: Iterator[list[str]], lines: _Lines, path: Path) -> list[str] | str | None:
    """Return the next record, or what is wrong with it, or None at the end."""
    start, lines.undecodable = lines.number + 1, False
    try:
        record = next(records)
    except StopIteration:
        return None
    except (_LostError, csv.Error) as error:
        spread = lines.number > start
        if isinstance(error, _LostError) or (spread and ("end of data" in str(error) or "limit" in str(error))):
            raise DataError(
                "a quote is opened and never closed", where=f"{path}:{start}", hint='Write a quote in a field as ""'
            ) from None
        reach = f" (lines {start} to {lines.number})" if spread else ""
        return f"not CSV: {error}{reach}"
    return "not UTF-8" if lines.undecodable else record


def _header(record: list[str] | str, where: str) -> list[str]:
    if isinstance(record, str):
        raise DataError(f"the header is {record}", where=where)
    twice = sorted(name for name, times in Counter(record).items() if times > 1)
    if twice:
        raise DataError(f"the header names {twice[0]!r} twice", where=where, hint="Give each column its own name")
    if len(record) == 1 and any(mark in record[0] for mark in ";\t|"):
        raise DataError("the header has no comma", where=where, hint="Columns are separated by commas")
    return record


def _misfit(record: list[str], header: list[str]) -> str | None:
    if len(record) == len(header):
        return None
    return f"{len(record)} fields, where the header has {len(header)}"
