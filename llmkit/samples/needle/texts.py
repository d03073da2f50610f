"""Where a haystack's text comes from: a file, rows of a file, or sentences made here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from llmkit.errors import DataError, UsageError, nearest
from llmkit.samples.files import FileSource
from llmkit.samples.needle.haystack import Haystack
from llmkit.samples.needle.sentences import numbered, prose, repeated, varied
from llmkit.samples.needle.spec import NUMBERED, REPEATED
from llmkit.samples.source import Row
from llmkit.tokens import Tokenizer

TXT = ".txt"
LARGEST = 512 * 1024 * 1024
"""Bytes of a text; a larger file is no haystack, but something else."""
_CHARACTERS_A_TOKEN = 6
"""Somewhat more than English takes, so that the first guess is mostly enough."""
_PARTS = 8
"""A file is read for this many times the longest context, so that repeats begin at different places."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A haystack in a file.

    Attributes:
        file: The file; for rows with what reads them.
        field: The rows' field that holds the text.
        rows: Whether it is a file of rows, and not of plain text.
    """

    file: FileSource
    field: str
    rows: bool

    def fingerprint(self) -> str:
        """Return the hash of the file's bytes, and of the field that is read."""
        return hashlib.sha256(f"{self.file.fingerprint()} {self.field if self.rows else ''}".encode()).hexdigest()

    def read(self) -> str:
        """Return the whole text.

        Raises:
            DataError: The file cannot be read, is too large, or its rows hold no text.
        """
        path = self.file.path
        try:
            size = path.stat().st_size
            if size > LARGEST:
                raise DataError(f"has {size:,} bytes; a haystack has at most {LARGEST:,}", where=str(path))
            text = "\n".join(self._texts()) if self.rows else path.read_text("utf-8-sig")
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
        except UnicodeDecodeError as error:
            raise DataError("is not UTF-8", where=str(path), hint="Save it as UTF-8") from error
        text = text.replace("\r\n", "\n").strip()
        if not text:
            raise DataError("holds no text", where=str(path))
        return text

    def _texts(self) -> Iterator[str]:
        for row in self.file.rows():
            if not isinstance(row, Row):
                raise DataError(row.message, where=row.where)
            text = row.values.get(self.field)
            if not isinstance(text, str):
                what = "no field" if self.field not in row.values else "no text in the field"
                raise DataError(
                    f"{what} {self.field!r}",
                    where=self.file.where(row.line),
                    hint=f"Name the one that holds the text with field: …. {nearest(self.field, row.values)}",
                )
            yield text


def made(kind: str, seed: int, tokens: int, tokenizer: Tokenizer) -> Haystack:
    """Make a haystack of at least so many tokens.

    Args:
        kind: One of ``OWN_HAYSTACKS``.
        seed: Of the sentences.
        tokens: How many.
        tokenizer: Counts them.
    """
    characters = tokens * _CHARACTERS_A_TOKEN
    while True:
        random = Random(f"haystack {seed}")  # noqa: S311 - drawn to be repeated, not to be secret
        sentences = repeated() if kind == REPEATED else numbered(random) if kind == NUMBERED else varied(random)
        haystack = Haystack(prose(sentences, characters), tokenizer)
        if haystack.tokens >= tokens:
            return haystack
        characters *= 2


def measured(text: str, tokens: int, tokenizer: Tokenizer, *, repeat: bool, where: str, suite: str) -> Haystack:
    """Measure as much of a text as contexts of so many tokens need.

    Raises:
        UsageError: It has fewer, and may not be repeated; names ``where`` it lies, and where the ``suite`` asks.
    """
    if not repeat:
        part = tokens * _CHARACTERS_A_TOKEN * _PARTS
        haystack = Haystack(text[:part].rstrip(), tokenizer)
        if haystack.tokens < tokens < part < len(text):
            haystack = Haystack(text, tokenizer)
        if haystack.tokens < tokens:
            raise UsageError(
                f"the haystack has {haystack.tokens:,} tokens, and the longest context takes {tokens:,}",
                where=where,
                hint=f"Name a longer text; or write shorter lengths, or repeat: true, at {suite} or in a copy of it",
            )
        return haystack
    haystack = Haystack(text, tokenizer)
    if haystack.tokens < tokens:
        times = -(-tokens // max(1, haystack.tokens)) + 1
        haystack = Haystack("\n".join([text] * times), tokenizer)
    return haystack
