"""Rows that are in memory already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.canonical import canonical
from llmkit.samples.jsontext import MAX_DEPTH, too_deep
from llmkit.samples.source import Row
from llmkit.types import BadRow


@dataclass(frozen=True, slots=True)
class RecordsSource:
    """Rows from Python.

    Attributes:
        records: One mapping a row, of JSON's types.
        name: What errors call them.
    """

    records: Sequence[Mapping[str, Any]]
    name: str = "records"

    @property
    def path(self) -> Path | None:
        """None: there is no file."""
        return None

    def describe(self) -> str:
        """Return the name."""
        return self.name

    def where(self, line: int) -> str:
        """Return the name with the row's number, from 1."""
        return f"{self.name}:{line}"

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the records; one that JSON cannot hold is a ``BadRow``."""
        for index, record in enumerate(self.records):
            try:
                self._content(record)
            except ValueError as error:
                yield BadRow(index=index, message=str(error), where=self.where(index + 1))
            else:
                yield Row(record, index + 1)

    def fingerprint(self) -> str:
        """Return the SHA-256 of all rows in canonical JSON, one a line."""
        whole = hashlib.sha256()
        for record in self.records:
            try:
                whole.update(self._content(record))
            except ValueError as error:
                whole.update(f"bad row: {error}".encode())
            whole.update(b"\n")
        return whole.hexdigest()

    def notes(self) -> tuple[str, ...]:
        """Nothing to say."""
        return ()

    @staticmethod
    def _content(record: object) -> bytes:
        if not isinstance(record, Mapping):
            raise ValueError(f"a row must be a mapping, this is {type(record).__name__}")
        if too_deep(record):
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        if any(not isinstance(name, str) for name in record):
            raise ValueError("a field's name must be text")
        try:
            content = canonical(record)
            content.decode()
        except UnicodeDecodeError:
            raise ValueError("holds half a surrogate pair") from None
        except TypeError as error:
            raise ValueError(str(error)) from None
        return content
