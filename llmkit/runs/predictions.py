"""Answers that are there already: a file of predictions, one row each, read as a data set is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from llmkit.errors import DataError, UnknownNameError, nearest
from llmkit.samples import IdHashes, Row, Source, open_source
from llmkit.suites.expression import MISSING, Expression, as_text, compile_expression, field_names
from llmkit.suites.suite import FIRST_ROWS
from llmkit.types import BadRow

ANSWER = "answer"
"""The field that holds the output where none is named: that of llmkit's own exports."""
ID = "id"
"""The field that tells rows apart where none is named, if the rows have it; else they are numbered."""


class Prediction(NamedTuple):
    """What one row says.

    Attributes:
        id: The row's; None where it has none.
        answers: One an epoch; None where there is none.
        why: Why there is none, for people; empty where all are there.
        where: ``path:line``.
    """

    id: str | None
    answers: tuple[str | None, ...]
    why: str
    where: str


@dataclass(slots=True)
class Survey:
    """What a first pass over the file finds.

    Attributes:
        rows: Rows, bad ones included.
        answers: Answers.
        epochs: Most answers to one row.
        fewest: Least answers to one row.
        empty: Answers that are not there, and where the first of them is missing.
        unreadable: Rows that cannot be read, and where the first is.
        nameless: Rows without an id, and where the first is.
        doubled: Ids that stand more than once → where.
    """

    rows: int = 0
    answers: int = 0
    epochs: int = 1
    fewest: int = 0
    empty: tuple[int, str] = (0, "")
    unreadable: tuple[int, str] = (0, "")
    nameless: tuple[int, str] = (0, "")
    doubled: Mapping[str, list[str]] = field(default_factory=dict)


class Predictions:
    """A file of predictions.

    Args:
        source: Its rows.
        answer: The field that holds the output, a dotted path or a template; a list holds one an epoch.
        id: What tells a row from all others; None: ``id`` where the rows have it, else their numbers.

    Raises:
        DataError: There are no rows, or none can be read.
        UnknownNameError: No row has the field.
    """

    def __init__(self, source: Source, answer: str = ANSWER, id: str | None = None) -> None:
        self.source = source
        self.answer = compile_expression(answer, "--answer")
        first = self._first()
        self._check(self.answer, first, "--answer")
        if id is None and any(ID in row.values for row in first):
            id = ID
        self.id = None if id is None else compile_expression(id, "--id")
        if self.id is not None:
            self._check(self.id, first, "--id")

    @property
    def field(self) -> str | None:
        """The row's own field that the answer stands in, which is no part of what was asked; None for a template."""
        return None if self.answer.is_template else self.answer.text.partition(".")[0]

    def both(self) -> Iterator[tuple[Row | BadRow, Prediction | None]]:
        """Read the file from its start: each row, and what it says; nothing of a row that cannot be read."""
        for number, row in enumerate(self.source.rows(), 1):
            yield row, None if isinstance(row, BadRow) else self._prediction(row, number)

    def survey(self) -> Survey:
        """Read the file once, and count; no text is kept."""
        found, hashes = Survey(), IdHashes()
        for row, said in self.both():
            found.rows += 1
            if said is None:
                found.unreadable = _counted(found.unreadable, row.where if isinstance(row, BadRow) else None)
                continue
            epochs = len(said.answers)
            found.epochs, found.fewest = max(found.epochs, epochs), min(found.fewest or epochs, epochs)
            for answer in said.answers:
                found.answers += answer is not None
                if answer is None:
                    found.empty = _counted(found.empty, said.where)
            if said.id is None:
                found.nameless = _counted(found.nameless, said.where)
            else:
                hashes.add(said.id)
        found.doubled = self._doubled(hashes)
        return found

    def _doubled(self, hashes: IdHashes) -> dict[str, list[str]]:
        suspects = hashes.repeated()
        if not suspects:
            return {}
        places: dict[str, list[str]] = {}
        for _, said in self.both():
            if said is not None and said.id is not None and hash(said.id) in suspects:
                places.setdefault(said.id, []).append(said.where)
        return {name: where for name, where in places.items() if len(where) > 1}

    def _prediction(self, row: Row, number: int) -> Prediction:
        where = self.source.where(row.line)
        answers, why = _answers(self.answer, row.values)
        return Prediction(self._id(row.values, number), answers, why, where)

    def _id(self, values: Mapping[str, Any], number: int) -> str | None:
        if self.id is None:
            return str(number)
        try:
            value = self.id.value(values)
        except ValueError:
            return None
        return None if isinstance(value, (dict, list)) or value == "" else as_text(value)

    def _first(self) -> list[Row]:
        """Return the first rows that can be read."""
        first: list[Row] = []
        bad: BadRow | None = None
        for row in self.source.rows():
            if isinstance(row, BadRow):
                bad = bad or row
            else:
                first.append(row)
            if len(first) == FIRST_ROWS:
                break
        if not first:
            what = "there are no rows" if bad is None else f"no row can be read; the first: {bad.message}"
            raise DataError(what, where=(bad.where if bad else None) or self.source.describe())
        return first

    def _check(self, expression: Expression, rows: list[Row], option: str) -> None:
        """Fail where the option, and not some row, must be wrong."""
        if expression.is_template or any(expression.get(row.values) is not MISSING for row in rows):
            return
        known = field_names(rows[0].values)
        hint = nearest(expression.text, known)
        where = self.source.where(rows[0].line)
        raise UnknownNameError("field", expression.text, known, where=where, hint=f"{hint}. Name it with {option}")


def _answers(expression: Expression, values: Mapping[str, Any]) -> tuple[tuple[str | None, ...], str]:
    """Return a row's answers, and why some are not there."""
    try:
        value = expression.value(values)
    except ValueError as error:
        return (None,), str(error)
    if not isinstance(value, list):
        text = _text(value)
        return (text,), "" if text is not None else "the answer is empty"
    if not value:
        return (None,), f"the field {expression.text!r} is an empty list"
    texts = tuple(None if isinstance(each, list) else _text(each) for each in value)
    if any(isinstance(each, list) for each in value):
        return texts, f"the field {expression.text!r} holds lists within its list, and not answers"
    return texts, "" if None not in texts else "an answer of the list is null or empty"


def _text(value: object) -> str | None:
    """Return an answer; blank text is none, as an empty answer of a model is none."""
    text = "" if value is None else as_text(value)
    return text if text.strip() else None


def _counted(before: tuple[int, str], where: str | None) -> tuple[int, str]:
    return before[0] + 1, before[1] or where or ""


def twice(name: str, places: list[str]) -> str:
    """Say that an id stands more than once, and where else."""
    return f"the id {name!r} stands {len(places)} times, also at {', '.join(places[1:3])}"


def open_predictions(name: str, answer: str = ANSWER, id: str | None = None) -> Predictions:
    """Open a file of predictions.

    Raises:
        UsageError: No such file, or a format that is not read.
        DataError: There are no rows.
        UnknownNameError: The rows have no such field.
    """
    return Predictions(open_source(name, base=Path(), override=name, option="PREDICTIONS"), answer, id)
