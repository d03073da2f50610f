"""The grid of a run: a metric at each length and depth, as ``data: {generate: needle, …}`` lays its rows out.

A suite's slices make it: one slice names cells, ``1000 @ 50%``; two others hold the same columns and rows alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import TypedDict

from llmkit.reports.finite import bounds, finite
from llmkit.types import MetricResult, RunResult

_CELL = re.compile(r"(?P<column>.+) @ (?P<row>.+)")
_PERCENT = "%"


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One metric of one run, cell by cell.

    Attributes:
        metric: The metric, over all cells.
        across: The slice that the columns are: ``length``.
        down: The slice that the rows are: ``depth``.
        columns: Labels, numbers in order.
        rows: Likewise.
        cells: (row, column) → the metric there; a cell without samples is not among them.
        by_column: Column → the metric over it.
        by_row: Row → the metric over it.
        names: Names of the three slices.
    """

    metric: MetricResult
    across: str
    down: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    cells: Mapping[tuple[str, str], MetricResult]
    by_column: Mapping[str, MetricResult]
    by_row: Mapping[str, MetricResult]
    names: frozenset[str]

    @property
    def overflowed(self) -> int:
        """Samples in cells whose prompts are longer than the model's context."""
        return self.metric.overflowed

    def shade(self, metric: MetricResult) -> float | None:
        """Return how good a cell is, from 0 to 1, for its colour; None where nothing was scored."""
        if metric.value is None:
            return None
        values = [cell.value for cell in self.cells.values() if cell.value is not None]
        low, high = min(0.0, *values, 0.0), max(1.0, *values)
        share = (metric.value - low) / (high - low)
        return share if metric.higher_is_better else 1 - share


class HeatCellDocument(TypedDict):
    """One cell; ``value`` is null where nothing was scored."""

    row: str
    column: str
    value: float | None
    ci: tuple[float, float] | None
    ci_method: str | None
    n: int
    failed: int
    overflowed: int


class HeatDocument(TypedDict):
    """A metric over a grid. ``failed`` counts all that failed, ``overflowed`` those of them that did not fit."""

    metric: str
    across: str
    down: str
    columns: list[str]
    rows: list[str]
    cells: list[HeatCellDocument]


def heat_maps(run: RunResult) -> list[HeatMap]:
    """Return the grid of each metric that has one."""
    found = (_heat_map(metric) for metric in run.metrics.values())
    return [each for each in found if each is not None]


def heat_document(found: HeatMap) -> HeatDocument:
    """Return a grid as plain data, row by row."""
    return {
        "metric": found.metric.name,
        "across": found.across,
        "down": found.down,
        "columns": list(found.columns),
        "rows": list(found.rows),
        "cells": [
            _cell(row, column, found.cells[row, column])
            for row in found.rows
            for column in found.columns
            if (row, column) in found.cells
        ],
    }


def _cell(row: str, column: str, cell: MetricResult) -> HeatCellDocument:
    return {
        "row": row,
        "column": column,
        "value": finite(cell.value),
        "ci": bounds(cell.interval),
        "ci_method": cell.interval.method if cell.interval else None,
        "n": cell.n,
        "failed": cell.failed,
        "overflowed": cell.overflowed,
    }


def _heat_map(metric: MetricResult) -> HeatMap | None:
    for name, parts in metric.slices.items():
        places = [_CELL.fullmatch(cell) for cell in parts]
        if len(parts) < 2 or not all(places):
            continue
        cells = {(p["row"], p["column"]): parts[p.string] for p in places if p is not None}
        columns, rows = _ordered({c for _, c in cells}), _ordered({r for r, _ in cells})
        across, by_column = _slice_of(columns, metric.slices, name)
        down, by_row = _slice_of(rows, metric.slices, name)
        if across is not None and down is not None:
            names = frozenset({name, across, down})
            return HeatMap(metric, across, down, columns, rows, cells, by_column, by_row, names)
    return None


def _slice_of(
    labels: Sequence[str], slices: Mapping[str, Mapping[str, MetricResult]], cells: str
) -> tuple[str | None, dict[str, MetricResult]]:
    """Find the slice whose parts are the labels, and its parts by label."""
    plain = {label.removesuffix(_PERCENT): label for label in labels}
    for name, parts in slices.items():
        if name != cells and parts.keys() == plain.keys():
            return name, {plain[part]: metric for part, metric in parts.items()}
    return None, {}


def _ordered(labels: set[str]) -> tuple[str, ...]:
    return tuple(sorted(labels, key=_rank))


def _rank(label: str) -> tuple[float, str]:
    try:
        return float(label.removesuffix(_PERCENT).replace(",", "")), label
    except ValueError:
        return float("inf"), label
