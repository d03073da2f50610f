"""The rows that a prompt shows as examples: which ones, and never the one that is asked."""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from llmkit.canonical import digest
from llmkit.errors import DataError
from llmkit.samples import Row, Source
from llmkit.suites.expression import MISSING, as_text, compile_expression
from llmkit.suites.spec import FewShotSpec
from llmkit.types import BadRow

VARIABLE = "examples"
"""What templates call them."""
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Examples:
    """A suite's examples.

    They stand in the order of their data set, those with a ``seed`` in an order drawn by it; all rows (of one value of
    ``by``) see the same ones, but for a row that would see itself: it sees the next one in its place. Two rows are the
    same where all fields are equal that the prompt asks with, whatever else they hold. Rows that cannot be read are
    none.

    Attributes:
        spec: How many, of which.
        source: Where they come from.
        own: Whether that is the suite's own data.
        asked: The fields that the prompt asks with.
        where: ``path:line`` of the suite's ``few_shot``.
        rows: Reads them, in place of the source itself: with the fields that the suite's map adds.
    """

    spec: FewShotSpec
    source: Source
    own: bool
    asked: frozenset[str]
    where: str
    rows: Callable[[Source], Iterator[Row | BadRow]] = field(default=lambda source: source.rows(), repr=False)

    def of(self, row: Values) -> list[Values]:
        """Return the examples for a row.

        Raises:
            DataError: There are fewer than the suite asks for.
        """
        count = self.spec.count
        if not count:
            return []
        group, key = self._group(row), self._key(row)
        found = list(islice((each for own, each in self._pools.get(group, ()) if own != key), count))
        if len(found) < count:
            by = "" if self.spec.by is None else f" with {self.spec.by} {group}"
            raise DataError(
                f"the prompt shows {_counted(count)}, and {self.source.describe()} has {len(found)}{by}"
                f"{' besides the row itself' if self.own else ''}",
                where=self.where,
                hint="Ask for fewer with --few-shot N, or name other rows with --few-shot-data FILE",
            )
        return found

    def definition(self) -> dict[str, Any] | None:
        """Return all that decides which examples are shown, as plain data; None where none are."""
        if not self.spec.count:
            return None
        return {
            "count": self.spec.count,
            "by": self.spec.by,
            "seed": self.spec.seed,
            "data": "own" if self.own else self.source.fingerprint(),
        }

    def notes(self) -> tuple[str, ...]:
        """Return what the user should know about where they come from."""
        if not self.spec.count:
            return ()
        said = self.source.notes() if not self.own else ()
        return (f"{_counted(self.spec.count)} a prompt, from {self.source.describe()}", *said)

    @cached_property
    def _by(self) -> Callable[[Values], Any]:
        return (lambda values: "") if self.spec.by is None else compile_expression(self.spec.by, self.where).get

    def _group(self, values: Values) -> str:
        value = self._by(values)
        return "" if value is MISSING or value is None else as_text(value)

    def _key(self, values: Values) -> str:
        shown = {name: values[name] for name in sorted(self.asked) if name in values}
        return digest(shown or dict(values))

    @cached_property
    def _pools(self) -> Mapping[str, list[tuple[str, Values]]]:
        """Group → the first distinct rows of it, with their keys: one more than are shown, as one may be the asked."""
        most, pools = self.spec.count + 1, dict[str, list[tuple[int, str, Values]]]()
        keys: dict[str, set[str]] = {}
        for number, row in enumerate(self.rows(self.source)):
            if isinstance(row, BadRow):
                continue
            group, key = self._group(row.values), self._key(row.values)
            pool, seen = pools.setdefault(group, []), keys.setdefault(group, set())
            rank = number if self.spec.seed is None else _rank(self.spec.seed, number)
            if key in seen or (len(pool) == most and rank > pool[-1][0]):
                continue
            seen.add(key)
            insort(pool, (rank, key, row.values), key=lambda each: each[0])
            if len(pool) > most:
                seen.discard(pool.pop()[1])
            if self.spec.by is None and self.spec.seed is None and len(pool) == most:
                break
        return {group: [(key, values) for _, key, values in pool] for group, pool in pools.items()}


def _counted(count: int) -> str:
    return f"{count} example{'' if count == 1 else 's'}"


def _rank(seed: int, number: int) -> int:
    """Order rows at random, whatever their number is: the smallest hashes are drawn."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{number}".encode()).digest()[:8])
