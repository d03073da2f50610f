"""The result table of a terminal: figures with their intervals first, then what they rest on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.text import Text

from llmkit.errors import OVERFLOW
from llmkit.reports import judged_metric, speed_words
from llmkit.reports.heat import heat_maps
from llmkit.reports.heat_table import HeatTable
from llmkit.reports.layout import Grid, Signature, column_names, signatures, slice_grids, suite_grids
from llmkit.reports.lines import Line, pad
from llmkit.reports.numbers import count, dollars, duration, estimate, second_reading
from llmkit.reports.origins import options, parameters
from llmkit.reports.text import one_line
from llmkit.text import labelled
from llmkit.types import MetricResult, RunResult, RunStatus, Totals

_GAP = "   "
_NOTHING = "–"
MOST_SLICES = 20
"""Rows of one slice at a terminal; a field of many values would push the results off the screen."""
_LONGEST_VALUE = 24
_FOLDERS = re.compile(r"(?<![^ ])[^ ]*/")
_STATUS: dict[RunStatus, str] = {
    "running": "still running",
    "completed": "completed",
    "interrupted": "interrupted",
    "budget": "stopped by the budget",
    "failed": "failed",
    "killed": "killed",
}


def results_table(results: Sequence[RunResult]) -> Group:
    """Return the whole report of some runs, for a console of any width, coloured or not."""
    parts: list[_Grid | HeatTable | Line | Text] = []
    sliced = slice_grids(results)
    one_suite = len({run.suite for run in results}) == 1
    for grid in suite_grids(results):
        parts += [_Grid(grid), Text()]
    for grid in sliced if one_suite else ():
        parts += [_Grid(grid, most=MOST_SLICES), Text()]
    names = column_names(results)
    for run in results if one_suite else ():
        parts += _maps(run, names[run.run_id] if len(results) > 1 else None)
    found = signatures(results)
    if found:
        parts += [Text("Signatures", style="bold"), *_signature_lines(found), Text()]
    judges = list(judged_metric.reasons(results))
    if judges:
        lines = (Line(Text(f"{one_line(name)}: {one_line(why)}"), indent=2, hang=4) for name, why in judges)
        parts += [Text("Judges", style="bold"), *lines, Text()]
    if results:
        parts.append(Text("Runs", style="bold"))
    for run in results:
        parts += _run_lines(run)
    if (sliced or any(map(heat_maps, results))) and not one_suite:
        parts.append(Text("  one suite by its slices: llmkit runs show RUN"))
    return Group(*parts)


def _maps(run: RunResult, name: str | None) -> Iterator[HeatTable | Text]:
    for found in heat_maps(run):
        yield HeatTable(found, " · ".join([run.suite, found.metric.name, *([] if name is None else [name])]))
        yield Text()


def print_results(results: Sequence[RunResult], console: Console) -> None:
    """Print the report. Into a pipe or a file, long lines stay whole, so that they can be searched and copied."""
    console.print(results_table(results), soft_wrap=not console.is_terminal)


class _Grid:
    """A grid that stands models side by side where the width allows, and one under the other where not.

    Args:
        grid: What it shows.
        most: Rows that a terminal shows; a pipe gets all.
    """

    def __init__(self, grid: Grid, *, most: int | None = None) -> None:
        self.grid, self.most = grid, most
        self.columns = [one_line(column) for column in grid.columns]
        self.labels = [one_line(row.label) for row in grid.rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.is_terminal and self.most is not None and len(self.grid.rows) > self.most:
            yield from _Grid(replace(self.grid, rows=self.grid.rows[: self.most])).__rich_console__(console, options)
            yield Text(f"  and {count(len(self.grid.rows) - self.most)} more: --json", style="yellow")
            return
        yield Line(self._title())
        if not self.grid.rows:
            yield Text("  no metric", style="yellow")
            return
        label = max(map(cell_len, self.labels))
        widths = [
            max([cell_len(name), *(_width(row.cells[key]) for row in self.grid.rows if key in row.cells)])
            for name, key in zip(self.columns, self.grid.columns, strict=True)
        ]
        fits = 2 + label + sum(len(_GAP) + width for width in widths) <= options.max_width
        yield from self._side_by_side(label, widths) if fits else self._stacked()

    def _title(self) -> Text:
        levels = {m.interval.confidence for row in self.grid.rows for m in row.cells.values() if m.interval}
        title = Text(one_line(self.grid.title), style="bold")
        if levels:
            said = ", ".join(f"{100 * level:g} %" for level in sorted(levels))
            title.append(f"  value [{said} interval] n=samples", style="not bold dim")
        return title

    def _side_by_side(self, label: int, widths: Sequence[int]) -> Iterator[Text]:
        names = (pad(name, width) for name, width in zip(self.columns, widths, strict=True))
        yield Text("  " + " " * label + _GAP + _GAP.join(names).rstrip(), style="cyan")
        for name, row in zip(self.labels, self.grid.rows, strict=True):
            cells = [_cell(row.cells.get(key)) for key in self.grid.columns]
            for number in range(max(map(len, cells))):
                line = Text("  " + pad(name if number == 0 else "", label))
                for cell, width in zip(cells, widths, strict=True):
                    part = cell[number].copy() if number < len(cell) else Text()
                    part.pad_right(width - cell_len(part.plain))
                    line.append(_GAP).append_text(part)
                line.rstrip()
                yield line

    def _stacked(self) -> Iterator[Line | Text]:
        width = max(map(cell_len, self.columns))
        for label, row in zip(self.labels, self.grid.rows, strict=True):
            yield Line(Text(label), indent=2)
            for name, key in zip(self.columns, self.grid.columns, strict=True):
                if key in row.cells:
                    first, *more = _cell(row.cells[key])
                    start = Text(pad(name, width) + _GAP, style="cyan")
                    yield Line(start.append_text(Text(style="not cyan").append_text(first)), indent=4)
                    yield from (Line(part, indent=4 + width + len(_GAP)) for part in more)


def _cell(metric: MetricResult | None) -> list[Text]:
    if metric is None:
        return [Text(_NOTHING, style="dim")]
    if metric.judged is not None:
        (first, _), *more = judged_metric.cell(metric, metric.judged)
        head = Text(first).append(f"  n={count(metric.n)}", style="dim")
        return [head, *(Text(line, style=style) for line, style in more)]
    lines = [Text(estimate(metric)).append(f"  n={count(metric.n)}", style="dim")]
    second = second_reading(metric)
    return [*lines, Text(second, style="yellow")] if second else lines


def _width(metric: MetricResult) -> int:
    return max(cell_len(line.plain) for line in _cell(metric))


def _signature_lines(found: Sequence[Signature]) -> Iterator[Line]:
    width = max(cell_len(one_line(s.metric)) for s in found)
    for signature in found:
        line = Text(f"{pad(one_line(signature.metric), width)}  {one_line(signature.text)}", style="dim")
        if not signature.alone:
            line.append(f"  ({', '.join(map(one_line, signature.columns))})")
        yield Line(line, indent=2, hang=width + 4)
    for metric in dict.fromkeys(one_line(s.metric) for s in found if not s.comparable):
        yield Line(Text(f"{metric}: signatures differ, so its figures must not be compared", style="yellow"), indent=2)


def _run_lines(run: RunResult) -> Iterator[Line]:
    head = Text()
    name = one_line(labelled(run.model, run.alias))
    head.append(one_line(run.run_id), style="bold").append(f"  {one_line(run.suite)} · {name}")
    yield Line(head, indent=2)
    status = Text()
    status.append(_STATUS[run.status], style="" if run.status == "completed" else "yellow")
    status.append(f": {count(run.completed)} of {count(run.total)} in {duration(run.wall_s)}")
    overflowed, _ = run.faults.get(f"provider/{OVERFLOW}", (0, ""))
    for number, what, style in (
        (run.from_cache, "from the cache", ""),
        (run.truncated, "truncated", "yellow"),
        (overflowed, "beyond the model's context", "yellow"),
        (run.failed - overflowed, "failed", "yellow"),
    ):
        if number:
            status.append(" · ").append(f"{count(number)} {what}", style=style)
    yield Line(status, indent=4)
    if run.origins:
        yield Line(_chosen(run), indent=4)
    yield Line(Text(f"{_cost(run.usage)} · {_tokens(run.usage)}"), indent=4)
    if run.speculation is not None:
        yield Line(Text(speed_words.speculation(run.speculation)), indent=4)
    yield from (Line(Text(one_line(bill)), indent=4) for bill in judged_metric.bills(run.judging))
    if run.stopped_by:
        yield Line(Text(f"stopped by: {one_line(run.stopped_by)}", style="yellow"), indent=4)
    for fault, (times, example) in run.faults.items():
        yield Line(Text(f"{count(times)} × {one_line(fault)}: {one_line(example)}", style="yellow"), indent=4)
    for name, sorts in run.reasons.items():
        most = sorted(sorts.items(), key=lambda sort: -sort[1])
        said = ", ".join(f"{one_line(sort)} {count(times)}" for sort, times in most)
        yield Line(Text(f"{one_line(name)}: {count(sum(sorts.values()))} wrong: {said}"), indent=4)
    if run.reasons:
        yield Line(Text(f"see them: llmkit runs show {one_line(run.run_id)} --wrong"), indent=4)
    if run.faults:
        yield Line(Text(f"see them: llmkit runs show {one_line(run.run_id)} --failed"), indent=4)


def _chosen(run: RunResult) -> Text:
    """Say what set the model, each parameter and each option; values that are long are cut, ``--json`` has them."""
    parts = [f"model from {_short_origin(run.origins['model'])}"] if "model" in run.origins else []
    for name, value, origin in parameters(run.params, run.origins):
        parts.append(f"{one_line(name)}={_short(value)} from {_short_origin(origin)}")
    for name, origin in options(run.params, run.origins):
        parts.append(f"{one_line(name)} from {_short_origin(origin)}")
    return Text(" · ".join(parts), style="dim")


def _short(value: object) -> str:
    text = one_line(str(value))
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _short_origin(origin: str) -> str:
    """Leave out the folders of ``suite path/to/sums.yaml:9``."""
    return _FOLDERS.sub("", one_line(origin))


def _cost(usage: Totals) -> str:
    parts = ["cost unknown" if usage.cost_usd is None else f"{dollars(usage.cost_usd)} paid"]
    if usage.cached_cost_usd is None:
        parts.append("what the cache saved is unknown")
    elif usage.cached_cost_usd:
        parts.append(f"{dollars(usage.cached_cost_usd)} saved by the cache")
    parts.append(f"{count(usage.calls)} calls")
    if usage.http_attempts > usage.calls:
        parts.append(f"{count(usage.http_attempts)} HTTP attempts")
    if usage.lost_attempts:
        cost = "cost unknown" if usage.lost_usd is None else f"{dollars(usage.lost_usd)} more"
        parts.append(f"{count(usage.lost_attempts)} attempts without an answer: {cost}")
    return " · ".join(parts)


def _tokens(usage: Totals) -> str:
    cached = f" ({count(usage.cached)} cached)" if usage.cached else ""
    reasoning = f" ({count(usage.reasoning)} reasoning)" if usage.reasoning else ""
    return f"{count(usage.input)} tokens in{cached}, {count(usage.output)} out{reasoning}"
