"""What a result table is made of, whatever it is written in: rows of metrics, columns of models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llmkit.reports.heat import heat_maps
from llmkit.types import MetricResult, RunResult


@dataclass(frozen=True, slots=True)
class Row:
    """One metric (or one slice of it), with a result for each column that has one."""

    label: str
    cells: Mapping[str, MetricResult]


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of one suite, or of one metric's slices.

    Attributes:
        title: What the rows belong to.
        columns: Names of the runs, in order: the model's, with the run's id where that is not enough.
        rows: In the order of the suite.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """A metric's signature, and the columns that were measured with it.

    Attributes:
        metric: Whose it is.
        text: The signature.
        columns: The models that have it; the suites, where there are several.
        alone: Whether the metric has no other signature.
        comparable: Whether, within each suite, its signatures differ at most in how the interval was made.
    """

    metric: str
    text: str
    columns: tuple[str, ...]
    alone: bool
    comparable: bool


def column_names(results: Sequence[RunResult]) -> dict[str, str]:
    """Return each run's name, by run id: its model's, and the run's id where a suite has that twice.

    Configurations of one model are named by the aliases that they were asked for by.
    """
    told = told_apart((r.model, r.alias) for r in results)
    names = {r.run_id: told[r.model, r.alias] for r in results}
    pairs = Counter((r.suite, names[r.run_id]) for r in results)
    twice = {name for (_, name), times in pairs.items() if times > 1}
    return {run_id: f"{name} ({run_id})" if name in twice else name for run_id, name in names.items()}


def told_apart(called: Iterable[tuple[str, str | None]]) -> dict[tuple[str, str | None], str]:
    """Return what to call each model, of (model, alias) pairs: by its alias, where it goes by several names here."""
    pairs = dict.fromkeys(called)
    times = Counter(model for model, _ in pairs)
    return {(model, alias): alias if alias is not None and times[model] > 1 else model for model, alias in pairs}


def suite_grids(results: Sequence[RunResult]) -> list[Grid]:
    """Return one grid: the metrics of the suite, or of all suites one under the other.

    Suites that did not run on the same models have a grid each.
    """
    names = column_names(results)
    grids = [_grid(suite, runs, names) for suite, runs in _by_suite(results).items()]
    if len(grids) < 2 or len({grid.columns for grid in grids}) > 1:
        return grids
    rows = tuple(Row(f"{grid.title} · {row.label}", row.cells) for grid in grids for row in grid.rows)
    return [Grid(f"{len(grids)} suites", grids[0].columns, rows)]


def slice_grids(results: Sequence[RunResult]) -> list[Grid]:
    """Return one grid for each suite, metric and slice name that has parts; not of those that a heat map shows."""
    mapped = _mapped(results)
    names, grids = column_names(results), []
    for suite, runs in _by_suite(results).items():
        for metric in _ordered(name for run in runs for name in run.metrics):
            found = {names[run.run_id]: run.metrics[metric].slices for run in runs if metric in run.metrics}
            for by in _ordered(name for slices in found.values() for name in slices):
                if (suite, metric, by) in mapped:
                    continue
                parts = _ordered(part for slices in found.values() for part in slices.get(by, {}))
                rows = tuple(
                    Row(part, {c: s[by][part] for c, s in found.items() if part in s.get(by, {})}) for part in parts
                )
                columns = tuple(c for c, slices in found.items() if by in slices)
                grids.append(Grid(f"{suite} · {metric} by {by}", columns, rows))
    return grids


def signatures(results: Sequence[RunResult]) -> list[Signature]:
    """Return each distinct signature of each metric once.

    Figures of different suites are never compared, so their signatures may differ; those of one suite's models may not.
    """
    names = column_names(results)
    several = len({run.suite for run in results}) > 1
    found: dict[str, dict[str, list[str]]] = {}
    measured: dict[tuple[str, str], set[str]] = {}
    for run in results:
        for metric in run.metrics.values():
            who = run.suite if several else names[run.run_id]
            found.setdefault(metric.name, {}).setdefault(metric.signature, []).append(who)
            measured.setdefault((metric.name, run.suite), set()).add(_of_value(metric.signature))
    unlike = {metric for (metric, _), texts in measured.items() if len(texts) > 1}
    return [
        Signature(metric, text, tuple(_ordered(whose)), len(texts) == 1, metric not in unlike)
        for metric, texts in found.items()
        for text, whose in texts.items()
    ]


def _mapped(results: Sequence[RunResult]) -> set[tuple[str, str, str]]:
    """Return (suite, metric, slice) of what the heat maps of a suite's runs show, where all of them have one."""
    shown: dict[str, list[set[tuple[str, str, str]]]] = {}
    for run in results:
        names = {(run.suite, found.metric.name, name) for found in heat_maps(run) for name in found.names}
        shown.setdefault(run.suite, []).append(names)
    return {name for several in shown.values() for name in set.intersection(*several)}


def _of_value(signature: str) -> str:
    """Return the part of a signature that the figure itself depends on."""
    return "|".join(part for part in signature.split("|") if not part.startswith(("ci:", "seed:")))


def _grid(suite: str, runs: Sequence[RunResult], names: Mapping[str, str]) -> Grid:
    labels = _ordered(name for run in runs for name in run.metrics)
    rows = (Row(label, {names[r.run_id]: r.metrics[label] for r in runs if label in r.metrics}) for label in labels)
    return Grid(suite, tuple(names[run.run_id] for run in runs), tuple(rows))


def _by_suite(results: Sequence[RunResult]) -> dict[str, list[RunResult]]:
    suites: dict[str, list[RunResult]] = {}
    for run in results:
        suites.setdefault(run.suite, []).append(run)
    return suites


def _ordered(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
