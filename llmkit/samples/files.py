"""A data set in one file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from llmkit.errors import DataError
from llmkit.samples.source import Row
from llmkit.types import BadRow

Reader = Callable[[Path], Iterator[Row | BadRow]]


@dataclass(frozen=True, slots=True)
class FileSource:
    """Rows of a local file.

    Attributes:
        path: The file, as errors shall name it.
        read: What reads its format.
    """

    path: Path
    read: Reader

    def describe(self) -> str:
        """Return the path."""
        return str(self.path)

    def where(self, line: int) -> str:
        """Return ``path:line``."""
        return f"{self.path}:{line}"

    def rows(self) -> Iterator[Row | BadRow]:
        """Read the file from its start."""
        return self.read(self.path)

    def fingerprint(self) -> str:
        """Return the SHA-256 of the file's bytes, in hex."""
        try:
            with self.path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror or error}", where=str(self.path)) from error

    def notes(self) -> tuple[str, ...]:
        """Nothing to say."""
        return ()
