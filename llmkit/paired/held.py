"""One side in memory: numbers and codes, no texts, so that a hundred thousand samples fit."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from llmkit.errors import DataError
from llmkit.paired.rows import Key, Row, Setup, Source, hash_of
from llmkit.runs.tally import Codes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AMOUNTS = ("cost_usd", "input_tokens", "output_tokens", "latency_s")
"""Fields of a row that are amounts."""


class Column:
    """One metric: a value a row, NaN where there is none, and sufficient statistics where the metric has them."""

    def __init__(self) -> None:
        self._rows, self._values, self._stats = array("i"), array("d"), array("d")
        self._width: int | None = None

    def add(self, row: int, value: float, stats: Sequence[float] | None, where: str) -> None:
        """Take one row's score.

        Raises:
            DataError: Its statistics are not as many as those of the rows before.
        """
        if self._width is None:
            self._width = len(stats or ())
        elif len(stats or ()) != self._width:
            raise DataError(f"holds {len(stats or ())} statistics where others hold {self._width}", where=where)
        self._rows.append(row)
        self._values.append(value)
        self._stats.extend(stats or ())

    @property
    def width(self) -> int:
        """How many sufficient statistics its scores carry; 0 for what is no corpus metric."""
        return self._width or 0

    def values(self, rows: int) -> Floats:
        """Return the value of each of so many rows, shape (rows,)."""
        found = np.full(rows, math.nan)
        found[np.asarray(self._rows)] = np.asarray(self._values)
        return found

    def stats(self, rows: int) -> Floats:
        """Return the statistics of each of so many rows, shape (rows, k)."""
        found = np.full((rows, self.width), math.nan)
        found[np.asarray(self._rows)] = np.asarray(self._stats).reshape(len(self._rows), self.width)
        return found


class Held:
    """All rows of one side.

    Attributes:
        setup: How its run was set up.
        places: Key → row number.
        columns: Metric → scores.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.places: dict[Key, int] = {}
        self.columns: dict[str, Column] = {}
        self._answers, self._references, self._said = array("q"), array("q"), array("q")
        self._unscored: dict[str, dict[int, str]] = {}
        self._answered, self._fresh = bytearray(), bytearray()
        self._amounts = {name: array("d") for name in AMOUNTS}
        self._clusters, self._slices = Codes(), dict[tuple[tuple[str, str], ...], int]()
        self._cluster, self._slice = array("i"), array("i")

    def add(self, row: Row) -> None:
        """Take one row.

        Raises:
            DataError: The sample stands twice.
        """
        place = len(self.places)
        if self.places.setdefault(row.key, place) != place:
            raise DataError(f"the sample {row.key[0]!r} stands twice in epoch {row.key[1]}", where=row.where)
        self._answers.append(-1 if row.answer is None else row.answer)
        self._references.append(0 if row.references is None else hash_of(row.references))
        self._said.append(row.said or 0)
        for metric, kind in row.unscored.items():
            self._unscored.setdefault(metric, {})[place] = kind
        self._answered.append(row.answered)
        self._fresh.append(row.fresh)
        for name, amounts in self._amounts.items():
            amount = getattr(row, name)
            amounts.append(math.nan if amount is None else amount)
        self._cluster.append(self._clusters.code(row.cluster))
        self._slice.append(self._slices.setdefault(tuple(row.slices.items()), len(self._slices)))
        for metric, value in row.values.items():
            self.columns.setdefault(metric, Column()).add(place, value, row.stats.get(metric), row.where)

    @property
    def failed(self) -> int:
        """How many rows have no answer."""
        return self._answered.count(0)

    @property
    def cost_usd(self) -> float | None:
        """What its answers cost; None where that is not known of all."""
        paid = self.amounts("cost_usd")[np.frombuffer(self._answered, dtype=np.bool_)]
        return None if np.isnan(paid).any() else float(paid.sum())

    def values(self, metric: str) -> Floats:
        """Return a metric's value of each row, NaN where there is none."""
        return self.columns[metric].values(len(self.places)) if metric in self.columns else self._none()[:, 0]

    def stats(self, metric: str) -> Floats:
        """Return a metric's sufficient statistics of each row, shape (rows, k)."""
        return self.columns[metric].stats(len(self.places)) if metric in self.columns else self._none()

    def _none(self) -> Floats:
        return np.full((len(self.places), 1), math.nan)

    def amounts(self, name: str) -> Floats:
        """Return dollars, tokens or seconds of each row, NaN where unknown."""
        return np.asarray(self._amounts[name], dtype=np.float64)

    @cached_property
    def fresh(self) -> NDArray[np.bool_]:
        """Which rows' answers the run itself asked for."""
        return np.frombuffer(self._fresh, dtype=np.bool_)

    @cached_property
    def answers(self) -> Ints:
        """Each row's stored answer; -1 where there is none, or it is not known."""
        return np.asarray(self._answers, dtype=np.int64)

    @cached_property
    def said(self) -> Ints:
        """A hash of each row's answer, byte by byte; 0 where there is none."""
        return np.asarray(self._said, dtype=np.int64)

    def unscored(self, metric: str) -> Mapping[int, str]:
        """Return the kind of failure in place of a metric's score, by row, of what was answered."""
        return self._unscored.get(metric, {})

    @cached_property
    def references(self) -> Ints:
        """A hash of each row's right answers; 0 where it could not be asked."""
        return np.asarray(self._references, dtype=np.int64)

    @property
    def clusters(self) -> Ints | None:
        """Each row's cluster, by its place in the order of the names, -1 for none; None where no row has one."""
        if not self._clusters.names:
            return None
        codes = np.asarray(self._cluster, dtype=np.int64)
        return np.where(codes < 0, -1, self._clusters.ranks()[codes])

    def slices(self) -> dict[str, dict[str, NDArray[np.bool_]]]:
        """Return slice name → its values, sorted → which rows lie there."""
        codes = np.asarray(self._slice, dtype=np.int64)
        groups: dict[str, dict[str, list[int]]] = {}
        for pairs, code in self._slices.items():
            for name, value in pairs:
                groups.setdefault(name, {}).setdefault(value, []).append(code)
        return {
            name: {value: np.isin(codes, of) for value, of in sorted(values.items())} for name, values in groups.items()
        }

    def keys(self, rows: Sequence[int]) -> dict[int, Key]:
        """Return the keys of some rows, by row."""
        wanted, last = set(rows), max(rows, default=-1)
        return {place: key for place, key in enumerate(islice(self.places, last + 1)) if place in wanted}


def hold(source: Source) -> Held:
    """Read all rows of a run.

    Raises:
        DataError: What it holds cannot be read (``path:line``).
    """
    held = Held(source.setup)
    for row in source.rows():
        held.add(row)
    return held
