"""A suite, ready to run: what is asked, of which rows, and how the answers are scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from llmkit.canonical import digest
from llmkit.documents import Document
from llmkit.errors import DataError, DocumentError, nearest
from llmkit.prompts import Prompt
from llmkit.samples import HubSource, IdHashes, Row, Source, check_unique
from llmkit.scoring import Scorer
from llmkit.structured.format import notes_of
from llmkit.suites.expression import field_names
from llmkit.suites.form import Form
from llmkit.suites.mapping import Mapper
from llmkit.suites.spec import SuiteSpec
from llmkit.suites.validity import entries_of
from llmkit.types import BadRow, Sample

FIRST_ROWS = 10
"""Rows that a field must be absent from before the suite, and not the row, is taken to be wrong."""


@dataclass(frozen=True)
class Suite:
    """What a suite file says, with its prompt, its data and its scorers at hand.

    Attributes:
        name: Its name in results.
        path: Its file; None for one made in Python.
        spec: The file's content.
        prompt: What is asked.
        source: The rows.
        scorers: How the answers are scored; their names differ.
        document: The file as read, for the lines of its fields.
        form: What the answers go through before they are scored; None: they are taken as they are.
    """

    name: str
    path: Path | None
    spec: SuiteSpec
    prompt: Prompt
    source: Source
    scorers: tuple[Scorer, ...]
    document: Document | None = field(default=None, repr=False, compare=False)
    form: Form | None = None

    @property
    def epochs(self) -> int:
        """How often each row is asked."""
        return self.spec.epochs

    @property
    def pass_k(self) -> tuple[int, ...]:
        """For which k pass@k and pass^k are printed, sorted."""
        return tuple(sorted(set(self.spec.pass_k or ())))

    @property
    def limit(self) -> int | None:
        """How many of the first rows are asked; None for all."""
        return self.spec.limit

    @property
    def model(self) -> str | None:
        """The model that the suite names."""
        return self.spec.model

    @property
    def params(self) -> Mapping[str, Any]:
        """The sampling parameters that the suite sets."""
        return self.spec.params.model_dump(exclude_none=True) if self.spec.params else {}

    @property
    def slice_names(self) -> tuple[str, ...]:
        """The groups that results are also reported by."""
        return self._mapper.slice_names

    @property
    def entries(self) -> list[Any]:
        """The scorers' entries: what the suite writes, and what its form brings."""
        return entries_of(self.spec.scorers or (), self.form)

    def notes(self) -> tuple[str, ...]:
        """Return what the user should know: of how the rows were opened, of the form that answers must have."""
        return (*self.source.notes(), *(notes_of(self.form.format) if self.form else ()))

    def where(self, *keys: str | int) -> str:
        """``path:line`` of a field of the file."""
        return self.document.where(*keys) if self.document else f"suite {self.name}"

    def samples(self, limit: int | None = None) -> Iterator[Sample | BadRow]:
        """Yield the rows, mapped, as they are read; at most ``limit`` of them, bad ones counted.

        Raises:
            DataError: Where the data set cannot be read on.
        """
        limit = limit if limit is not None else self.limit
        to_sample, where = self._mapper.sample, self.source.where
        for index, row in enumerate(islice(self.source.rows(), limit)):
            if isinstance(row, Row):
                yield to_sample(row, index, where(row.line))
            else:
                yield row if self.spec.map.id is not None else replace(row, id=str(index + 1))

    def check(self, limit: int | None = None) -> int:
        """Look through the data before anything is spent, and return how many rows will be asked.

        Bad rows are counted too. They fail alone; what is raised here would fail every row.

        Raises:
            DataError: No rows, none that can be read, or an id that stands twice.
            DocumentError: A field or variable that the rows do not have; scorers without right answers.
        """
        self._check_references()
        ids, first, count = IdHashes(), list[Row](), 0
        unreadable: BadRow | None = None
        for row in islice(self.source.rows(), limit if limit is not None else self.limit):
            count += 1
            if isinstance(row, BadRow):
                unreadable = unreadable or row
                continue
            if len(first) < FIRST_ROWS:
                first.append(row)
                if len(first) == FIRST_ROWS:  # now, and not after a million rows more
                    self._check_rows(first)
            if self.spec.map.id is not None:
                self._note_id(ids, row)
        if not first and unreadable is None:
            raise DataError("there are no rows", where=self.source.describe())
        if not first and unreadable is not None:
            raise DataError(
                f"none of the {count} rows can be read; the first: {unreadable.message}", where=unreadable.where
            )
        if len(first) < FIRST_ROWS:
            self._check_rows(first)
        check_unique(ids, lambda: self._ids(count))
        return count

    def fingerprints(self) -> dict[str, str]:
        """Return a hash of each part that decides the result: ``prompt``, ``data``, ``scorers``, ``map``."""
        definition = self.definition()
        return {
            "prompt": self.prompt.fingerprint,
            "data": self._data_fingerprint,
            "scorers": digest(definition["scorers"]),
            "map": digest(definition["map"]),
        }

    def definition(self) -> dict[str, Any]:
        """Return what the suite is, as plain data: neither where its files lie nor what describes it.

        A data set of the hub stands in it with its commit; a file's content is in ``fingerprints`` alone.
        """
        hub = {"data": self.source.describe()} if isinstance(self.source, HubSource) else {}
        return {
            **hub,
            "name": self.name,
            "map": {".".join(map(str, keys)): each.text for keys, each in self._mapper.expressions.items()},
            "scorers": {scorer.name: scorer.signature for scorer in self.scorers},
            **({} if self.form is None else {"form": self.form.definition()}),
        }

    @cached_property
    def _mapper(self) -> Mapper:
        return Mapper(self.spec, self.document)

    @cached_property
    def _data_fingerprint(self) -> str:
        return self.source.fingerprint()

    def _note_id(self, ids: IdHashes, row: Row) -> None:
        try:
            ids.add(self._mapper.id_of(row, 0))
        except ValueError:  # the row has no id: it becomes a BadRow when its turn comes
            return

    def _ids(self, count: int) -> Iterator[tuple[str, str]]:
        for sample in self.samples(count):
            if sample.id is not None:
                yield sample.id, sample.where or ""

    def _check_references(self) -> None:
        needing = [(i, scorer.name) for i, scorer in enumerate(self.scorers) if scorer.needs_references]
        if needing and not self._mapper.has_references:
            raise DocumentError(
                f"the scorer {needing[0][1]} compares with a right answer, and none is mapped",
                where=self.where("scorers", needing[0][0]),
                hint="Write map: {target: FIELD}",
            )

    def _check_rows(self, rows: list[Row]) -> None:
        """Fail where the suite or its prompt, and not some row, must be wrong."""
        known, data = field_names(rows[0].values), self.source.describe()
        for keys, expression in self._mapper.absent(rows):
            raise DocumentError(
                f"the rows of {data} have no field {expression.text!r}",
                where=self.where(*keys),
                hint=nearest(expression.text, known),
            )
        missing = [self.prompt.missing(row.values) for row in rows]
        if all(missing):
            raise DocumentError(
                f"the prompt uses {missing[0][0]!r}, and the rows of {data} have no such field",
                where=str(self.prompt.path) if self.prompt.path else self.where("messages"),
                hint=nearest(missing[0][0], known),
            )
        self._check_samples(rows)

    def _check_samples(self, rows: list[Row]) -> None:
        """Map and render the first rows: where none of them can be, the suite is wrong."""
        problem: DocumentError | None = None
        for row in rows:
            where = self.source.where(row.line)
            sample = self._mapper.sample(row, 0, where)
            try:
                if isinstance(sample, BadRow):
                    raise DocumentError(sample.message, where=where)
                self.prompt.render(sample.row)
            except DocumentError as error:
                problem = problem or error
            else:
                return
        if problem is not None:
            raise problem
