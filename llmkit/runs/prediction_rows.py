"""A file of predictions as a data set: what was asked and what is right, without the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from llmkit.canonical import digest
from llmkit.runs.predictions import Prediction, Predictions, twice
from llmkit.samples import Row
from llmkit.suites.expression import MISSING, Expression, as_text
from llmkit.types import BadRow


class OwnRows:
    """The rows of a file of predictions as a data set of their own: without the answers, each id once.

    Its fingerprint is that of the rows' ids and right answers, in any order, so that files of several systems over
    the same rows are the same data set.

    Args:
        predictions: The file.
        doubled: Ids that stand more than once: they are one bad row each, for nobody knows which answer is meant.
        decisive: What says which answers are right.
    """

    def __init__(
        self, predictions: Predictions, doubled: Mapping[str, list[str]], decisive: tuple[Expression, ...]
    ) -> None:
        self._predictions, self._doubled, self._decisive = predictions, doubled, decisive
        self.path = predictions.source.path

    def describe(self) -> str:
        """Name the file."""
        return self._predictions.source.describe()

    def where(self, line: int) -> str:
        """``path:line``."""
        return self._predictions.source.where(line)

    def notes(self) -> tuple[str, ...]:
        """Return what the file's own reader has to say."""
        return self._predictions.source.notes()

    def both(self) -> Iterator[tuple[Row | BadRow, Prediction | None]]:
        """Yield each row that counts, and what it answers."""
        seen: set[str] = set()
        index = 0
        for row, said in self._predictions.both():
            if isinstance(row, BadRow) or said is None:
                yield replace(row, index=index) if isinstance(row, BadRow) else row, None
            elif said.id is None or said.id not in self._doubled:
                yield Row(self._asked(row.values), row.line), said
            elif said.id not in seen:
                seen.add(said.id)
                yield BadRow(index, twice(said.id, self._doubled[said.id]), said.where, said.id), None
            else:
                continue
            index += 1

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows, without their answers."""
        return (row for row, _ in self.both())

    def fingerprint(self) -> str:
        """Hash ids and right answers, whatever the order of the rows and whatever else they hold."""
        total, count = 0, 0
        for row, said in self.both():
            name = said.id if said is not None else getattr(row, "id", None)
            right = [each.get(row.values) for each in self._decisive] if isinstance(row, Row) else []
            known = [None if value is MISSING else as_text(value) for value in right]
            total, count = total + int(digest([name, known]), 16), count + 1
        return digest(["predictions", f"{total % (1 << 256):064x}", count])

    def _asked(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        drop = self._predictions.field
        return {name: value for name, value in values.items() if name != drop}
