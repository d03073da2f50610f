"""From a row to a sample, as a suite's ``map`` and ``slices`` say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmkit.documents import Document
from llmkit.errors import nearest
from llmkit.samples import Row
from llmkit.suites.expression import MISSING, Expression, as_text, compile_expression, field_names
from llmkit.suites.spec import SuiteSpec
from llmkit.types import BadRow, Sample

NO_SLICE = "(none)"
"""Slice of the rows that lack the field or have null there."""


class Mapper:
    """A suite's map, made ready.

    Attributes:
        expressions: Where each stands in the suite (its keys) → the expression.
        slice_names: Names of the slices, in order.
    """

    def __init__(self, spec: SuiteSpec, document: Document | None = None) -> None:
        def ready(text: str, *keys: str | int) -> Expression:
            expression = compile_expression(text, document.where(*keys) if document else ".".join(map(str, keys)))
            self.expressions[keys] = expression
            return expression

        self.expressions: dict[tuple[str | int, ...], Expression] = {}
        names = spec.map
        self._fields = {
            name: ready(text, "map", "fields", name)
            if isinstance(text, str)
            else [ready(each, "map", "fields", name, i) for i, each in enumerate(text)]
            for name, text in (names.fields or {}).items()
        }
        self._id = ready(names.id, "map", "id") if names.id is not None else None
        self._cluster = ready(names.cluster, "map", "cluster") if names.cluster is not None else None
        self._references: list[tuple[Expression, bool]] = []  # with whether a list's items are answers of their own
        if names.target is not None:
            self._references.append((ready(names.target, "map", "target"), False))
        if isinstance(names.references, str):
            self._references.append((ready(names.references, "map", "references"), True))
        for i, text in enumerate(names.references if isinstance(names.references, list) else ()):
            self._references.append((ready(text, "map", "references", i), True))
        at: tuple[str, ...] = ("slices",) if spec.slices is not None else ("map", "slices")
        slices = spec.slices if spec.slices is not None else names.slices or []
        self._slices = (
            {name: ready(text, *at, name) for name, text in slices.items()}
            if isinstance(slices, Mapping)
            else {name: ready(name, *at, i) for i, name in enumerate(slices)}
        )
        self.slice_names = tuple(self._slices)

    @property
    def adds(self) -> bool:
        """Whether rows get further fields."""
        return bool(self._fields)

    def row(self, row: Row, index: int, where: str) -> Row | BadRow:
        """Return a row with the fields that the map adds, each made of those before it too.

        Where the row lacks what one is made of, that one stays as it is. A template that fails makes it a ``BadRow``.
        """
        values = dict(row.values)
        for name, made_of in self._fields.items():
            parts = made_of if isinstance(made_of, list) else [made_of]
            try:
                found = [each.get(values) for each in parts]
            except ValueError as error:
                lacking = [field for each in parts for field in each.lacking(values)]
                message = (
                    f"no field {lacking[0]!r}. {nearest(lacking[0], field_names(values))}" if lacking else str(error)
                )
                return BadRow(index=index, message=message, where=where)
            if MISSING not in found:
                values[name] = found if isinstance(made_of, list) else found[0]
        return Row(values, row.line)

    @property
    def has_references(self) -> bool:
        """Whether rows have right answers."""
        return bool(self._references)

    def id_of(self, row: Row, index: int) -> str:
        """Return the row's id.

        Raises:
            ValueError: Where the row has none.
        """
        if self._id is None:
            return str(index + 1)
        value = self._id.get(row.values)
        if type(value) is str and value:
            return value
        value = self._id.value(row.values)
        if isinstance(value, (dict, list)) or value == "":
            raise ValueError(f"the id must be a text or a number, not {as_text(value)[:40] or 'an empty text'}")
        return as_text(value)

    def sample(self, row: Row, index: int, where: str) -> Sample | BadRow:
        """Map one row; what is wrong with it is said in the ``BadRow``."""
        name: str | None = None
        values = row.values
        try:
            name = self.id_of(row, index)
            return Sample(
                id=name,
                index=index,
                row=values,
                references=self._references_of(values),
                cluster=as_text(self._cluster.value(values)) if self._cluster else None,
                slices={key: _slice(expression, values) for key, expression in self._slices.items()},
                where=where,
            )
        except ValueError as error:
            return BadRow(index=index, message=str(error), where=where, id=name)

    def _references_of(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        texts: list[str] = []
        for expression, any_of in self._references:
            value = expression.value(values)
            if not any_of or not isinstance(value, list):
                texts.append(as_text(value))
                continue
            if not value or None in value:
                raise ValueError(f"the field {expression.text!r} {'holds null' if value else 'is an empty list'}")
            texts += map(as_text, value)
        return tuple(dict.fromkeys(texts)) if len(texts) > 1 else tuple(texts)

    def lacking(self, rows: list[Row]) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield the fields that a template of a further field reads and that are in none of the rows, as they came."""
        for keys, expression in self.expressions.items():
            if keys[:2] == ("map", "fields"):
                lacks = [set(expression.lacking(row.values)) - {*self._fields} for row in rows]
                yield from ((keys, name) for name in sorted(set.intersection(*lacks) if lacks else ()))

    def absent(self, rows: list[Row]) -> Iterator[tuple[tuple[str | int, ...], Expression]]:
        """Yield what is in none of the rows."""
        for keys, expression in self.expressions.items():
            if not expression.is_template and all(expression.get(row.values) is MISSING for row in rows):
                yield keys, expression


def _slice(expression: Expression, values: Mapping[str, Any]) -> str:
    value = expression.get(values)
    return NO_SLICE if value is MISSING or value is None else as_text(value)
