"""What a data set is to the rest of llmkit: rows in order, a name, a fingerprint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from llmkit.types import BadRow


class Row(NamedTuple):
    """One record as it stands in the data set.

    Attributes:
        values: Field → value; JSON's types only.
        line: The physical line that it starts on, from 1; its number, from 1, where the format has no lines.
    """

    values: Mapping[str, Any]
    line: int


class Source(Protocol):
    """A data set that can be read again and again, always in the same order."""

    @property
    def path(self) -> Path | None:
        """The file; None for a data set of the hub."""
        ...

    def describe(self) -> str:
        """Name it for people."""
        ...

    def where(self, line: int) -> str:
        """Name one row for people: ``path:line``."""
        ...

    def rows(self) -> Iterator[Row | BadRow]:
        """Read it from the start, holding a bounded part of it in memory.

        Raises:
            DataError: Where nothing after this point can be read.
        """
        ...

    def fingerprint(self) -> str:
        """Return what changes exactly when the content may have changed."""
        ...

    def notes(self) -> tuple[str, ...]:
        """Return what the user should know about how it was opened; mostly nothing."""
        ...
