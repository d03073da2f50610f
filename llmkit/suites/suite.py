"""A suite, ready to run: what is asked, of which rows, and how the answers are scored."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from llmkit.canonical import digest
from llmkit.documents import Document
from llmkit.errors import DataError, DocumentError, LlmkitError, nearest
from llmkit.prompts import Prompt
from llmkit.samples import HubSource, IdHashes, JoinedSource, NeedleSource, Row, Source, check_unique
from llmkit.scoring import Scorer
from llmkit.structured.format import notes_of
from llmkit.suites.expression import field_names
from llmkit.suites.few_shot import VARIABLE as EXAMPLES
from llmkit.suites.few_shot import Examples
from llmkit.suites.form import Form
from llmkit.suites.likelihood import Likelihood
from llmkit.suites.mapping import Mapper
from llmkit.suites.spec import SuiteSpec
from llmkit.suites.validity import entries_of
from llmkit.types import BadRow, Message, Sample

FIRST_ROWS = 10
"""Rows that a field must be absent from before the suite, and not the row, is taken to be wrong."""
NO_EXAMPLES = "Write few_shot: {count: 5} into the suite, for examples of its own rows"


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
        variant: Which of its variants it is; None: the suite itself.
        shots: Where the prompt's examples come from; None: from the suite's own rows.
    """

    name: str
    path: Path | None
    spec: SuiteSpec
    prompt: Prompt
    source: Source
    scorers: tuple[Scorer, ...]
    document: Document | None = field(default=None, repr=False, compare=False)
    form: Form | None = None
    variant: str | None = None
    shots: Source | None = None

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

    @cached_property
    def likelihood(self) -> Likelihood | None:
        """What is compared in place of answers; None where answers are asked for."""
        return None if self.spec.likelihood is None else Likelihood(self.spec.likelihood, self.document)

    @property
    def entries(self) -> list[Any]:
        """The scorers' entries: what the suite writes, and what its form brings."""
        return entries_of(self.spec.scorers or (), self.form)

    def notes(self) -> tuple[str, ...]:
        """Return what the user should know: of how the rows were opened, of the form that answers must have."""
        shown = self.examples.notes() if self.examples is not None else ()
        return (*self.source.notes(), *shown, *(notes_of(self.form.format) if self.form else ()))

    def where(self, *keys: str | int) -> str:
        """``path:line`` of a field of the file."""
        return self.document.where(*keys) if self.document else f"suite {self.name}"

    @cached_property
    def examples(self) -> Examples | None:
        """The examples that its prompt shows; None where it has none to show."""
        if self.spec.few_shot is None:
            return None
        asked = self.prompt.variables - {EXAMPLES}
        source, own = (self.source, True) if self.shots is None else (self.shots, False)
        return Examples(self.spec.few_shot, source, own, asked, self.where("few_shot"), self._rows_of)

    def variables(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the prompt's templates see of a row: its fields, and the examples.

        Raises:
            DataError: There are fewer examples than are asked for.
        """
        return row if self.examples is None else {**row, EXAMPLES: self.examples.of(row)}

    def render(self, row: Mapping[str, Any]) -> tuple[Message, ...]:
        """Make the messages for one row, examples and all.

        Raises:
            DocumentError: The prompt fails on the row.
            DataError: There are fewer examples than are asked for.
        """
        return self.prompt.render(self.variables(row))

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows with the fields that the map adds, as they are read.

        Raises:
            DataError: Where the data set cannot be read on.
        """
        return self._rows_of(self.source)

    def _rows_of(self, source: Source) -> Iterator[Row | BadRow]:
        if not self._mapper.adds:
            return source.rows()
        added, where = self._mapper.row, source.where
        return (
            row if isinstance(row, BadRow) else added(row, index, where(row.line))
            for index, row in enumerate(source.rows())
        )

    def samples(self, limit: int | None = None) -> Iterator[Sample | BadRow]:
        """Yield the rows, mapped, as they are read; at most ``limit`` of them, bad ones counted.

        Raises:
            DataError: Where the data set cannot be read on.
        """
        limit = limit if limit is not None else self.limit
        to_sample, where = self._mapper.sample, self.source.where
        for index, row in enumerate(islice(self.rows(), limit)):
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
        self._check_comparing()
        ids, first, count = IdHashes(), list[Row](), 0
        unreadable: BadRow | None = None
        for row in islice(self.rows(), limit if limit is not None else self.limit):
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
            self._check_templates()
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
        shown = self.examples.definition() if self.examples is not None else None
        return {
            "prompt": self.prompt.fingerprint if shown is None else digest([self.prompt.fingerprint, shown]),
            "data": self._data_fingerprint,
            "scorers": digest(definition["scorers"]),
            "map": digest(definition["map"]),
        }

    def definition(self) -> dict[str, Any]:
        """Return what the suite is, as plain data: neither where its files lie nor what describes it.

        A data set of the hub stands in it with its commit, a generated one with its tokenizer; a file's content is in
        ``fingerprints`` alone.
        """
        named = isinstance(self.source, (HubSource, JoinedSource, NeedleSource))
        hub = {"data": self.source.describe()} if named else {}
        shown = self.examples.definition() if self.examples is not None else None
        return {
            **hub,
            **({} if shown is None else {"few_shot": shown}),
            "name": self.name,
            "map": {".".join(map(str, keys)): each.text for keys, each in self._mapper.expressions.items()},
            "scorers": {scorer.name: scorer.signature for scorer in self.scorers},
            **({} if self.form is None else {"form": self.form.definition()}),
            **({} if self.likelihood is None else {"likelihood": self.likelihood.definition()}),
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

    def _check_comparing(self) -> None:
        for position, scorer in enumerate(self.scorers):
            if getattr(scorer, "compares", False) and self.likelihood is None:
                raise DocumentError(
                    f"the scorer {scorer.name} reads the likelihood of continuations, and none are compared",
                    where=self.where("scorers", position),
                    hint="Write likelihood: {choices: FIELD}",
                )

    def _check_templates(self) -> None:
        """Fail where no row can be read because the map reads a field that none has."""
        rows = [row for row in islice(self.source.rows(), FIRST_ROWS) if isinstance(row, Row)]
        for keys, name in self._mapper.lacking(rows):
            raise self._no_field(name, keys, field_names(rows[0].values))

    def _no_field(self, name: str, keys: tuple[str | int, ...], known: list[str]) -> DocumentError:
        message = f"the rows of {self.source.describe()} have no field {name!r}"
        return DocumentError(message, where=self.where(*keys), hint=_mapped(name, known))

    def _check_rows(self, rows: list[Row]) -> None:
        """Fail where the suite or its prompt, and not some row, must be wrong."""
        known, data = field_names(rows[0].values), self.source.describe()
        values = [row.values for row in rows]
        of_choices = self.likelihood.absent(values) if self.likelihood is not None else ()
        for keys, expression in itertools.chain(self._mapper.absent(rows), of_choices):
            raise self._no_field(expression.text, keys, known)
        shown = () if self.examples is None else (EXAMPLES,)
        missing = [self.prompt.missing({**row.values, **dict.fromkeys(shown)}) for row in rows]
        if all(missing):
            raise DocumentError(
                f"the prompt uses {missing[0][0]!r}, and the rows of {data} have no such field",
                where=str(self.prompt.path) if self.prompt.path else self.where("messages"),
                hint=NO_EXAMPLES if missing[0] == [EXAMPLES] else _mapped(missing[0][0], known),
            )
        self._check_samples(rows)

    def _check_samples(self, rows: list[Row]) -> None:
        """Map and render the first rows: where none of them can be, the suite is wrong."""
        problem: LlmkitError | None = None
        for row in rows:
            where = self.source.where(row.line)
            sample = self._mapper.sample(row, 0, where)
            try:
                if isinstance(sample, BadRow):
                    raise DocumentError(sample.message, where=where)
                messages = self.render(sample.row)
                if self.likelihood is not None:
                    self.likelihood.of(sample.row, messages)
            except (DocumentError, DataError) as error:  # DataError: too few examples for this row
                problem = problem or error
            except ValueError as error:
                problem = problem or DocumentError(str(error), where=where)
            else:
                return
        if problem is not None:
            raise problem


def _mapped(name: str, known: list[str]) -> str:
    """Say which fields are near, and how a field that is called otherwise is read for it."""
    return f"{nearest(name, known)}{'' if '.' in name else f' (another field can stand for it: --map {name}=FIELD)'}"
