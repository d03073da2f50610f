"""Needle rows as a data set: made once for a tokenizer, put together as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from llmkit.canonical import digest
from llmkit.errors import UsageError
from llmkit.samples.needle.grid import Made, make
from llmkit.samples.needle.spec import NeedleData
from llmkit.samples.needle.texts import TextFile
from llmkit.samples.source import Row
from llmkit.tokens import MODEL, Characters, Tokenizer, open_tokenizer
from llmkit.types import BadRow

REVISION = 1
"""Raised whenever the same specification and seed begin to give other rows."""


@dataclass(frozen=True)
class NeedleSource:
    """Rows of ``data: {generate: needle, …}``.

    Attributes:
        data: What is generated.
        base: The suite's folder.
        roots: Further folders that a tokenizer's file may lie in.
        haystack: The file that is the haystack; None where it is made here.
        location: ``path:line`` of the suite's entry, for errors.
        tokenizer: Counts the tokens; None where it is the model's, and none is known yet.
        made: The rows; None where they are not made yet.
    """

    data: NeedleData
    base: Path
    roots: tuple[Path, ...] = ()
    haystack: TextFile | None = None
    location: str | None = None
    tokenizer: Tokenizer | None = None
    made: Made | None = field(default=None, repr=False, compare=False)

    @property
    def path(self) -> Path | None:
        """The haystack's file; None where it is made here."""
        return None if self.haystack is None else self.haystack.file.path

    @property
    def wants_model(self) -> bool:
        """Whether the model's own tokenizer is needed, and not there yet."""
        return self.tokenizer is None and self.data.tokenizer == MODEL

    def bound(self, tokenizer: Tokenizer) -> NeedleSource:
        """Return the same with a tokenizer, its rows made: it need not be there any more when they are read.

        Raises:
            DataError: The haystack is too short, or a length too small for what it shall hold.
        """
        made = make(self.data, self.haystack, tokenizer, self.location or self._named())
        return replace(self, tokenizer=tokenizer, made=made)

    def describe(self) -> str:
        """Name it for people, with what counts its tokens."""
        return f"{self._named()}, tokens by {self.tokenizer.name if self.tokenizer else self.data.tokenizer}"

    def where(self, line: int) -> str:
        """Name one row for people."""
        return f"{self.location}: row {line}" if self.location else f"needle:{line}"

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows: all depths of a length, all lengths, and then the next repeat.

        Raises:
            DataError: The haystack is too short, or cannot be read.
            UsageError: The model's tokenizer is asked for, and no model is known.
        """
        for line, values in enumerate(self._rows.rows(), 1):
            yield Row(values, line)

    def fingerprint(self) -> str:
        """Return a hash of what decides the rows: the specification, the haystack's content and the tokenizer."""
        said = self.data.model_dump(exclude={"tokenizer", "haystack", "field"})
        text = self.data.haystack if self.haystack is None else self.haystack.fingerprint()
        return digest({"needle": REVISION, "data": said, "haystack": text, "tokenizer": self._counter.name})

    def notes(self) -> tuple[str, ...]:
        """Say what a length counts, and by what."""
        counter = self._counter
        rule = " (an approximation)" if isinstance(counter, Characters) else ""
        said = f"{self._named()}: a length is the tokens of the context by {counter.name}{rule}; question and template"
        short = self._rows.short
        missed = (f"{self._named()}: {short:,} contexts are some tokens shorter than asked for",) if short else ()
        return (f"{said} come on top", *missed)

    def definition(self) -> dict[str, Any]:
        """Return what it is, as plain data."""
        return {"generate": self._named(), "tokenizer": self._counter.name}

    @property
    def _counter(self) -> Tokenizer:
        if self.tokenizer is not None:
            return self.tokenizer
        if self.data.tokenizer == MODEL:
            raise UsageError(
                "the lengths are counted by the model's tokenizer, and no model is named",
                where=self.location,
                hint="Name one with -m, or a tokenizer with --tokenizer (in a suite: tokenizer: hf:OWNER/NAME, a"
                " tokenizer.json, or characters:4)",
            )
        return self._opened

    @cached_property
    def _opened(self) -> Tokenizer:
        return open_tokenizer(self.data.tokenizer, base=self.base, roots=self.roots, where=self.location)

    @cached_property
    def _rows(self) -> Made:
        return self.made or make(self.data, self.haystack, self._counter, self.location or self._named())

    def _named(self) -> str:
        text = "" if self.data.kind == "facts" else f" in {self.path.name if self.path else self.data.haystack}"
        return f"needle {self.data.kind}{text}"
