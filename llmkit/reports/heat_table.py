"""The grid of a run in a terminal: a figure in every cell, so that it reads the same without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from llmkit.reports.heat import HeatMap
from llmkit.reports.lines import Line, pad
from llmkit.reports.numbers import count, figure
from llmkit.reports.text import one_line
from llmkit.types import MetricResult

GAP = "  "
NOTHING = "–"
# From bad to good in steps of lightness, as viridis has it, so that the order shows in grey and to the colour-blind.
COLOURS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
_DARK = 2
"""Colours that carry white letters; the others carry black ones."""
_MARKED = "white on #5f5f5f"


class HeatTable:
    """A heat map for a console of any width: columns that do not fit follow below, under their own headings.

    Args:
        found: What it shows.
        title: Names it.
    """

    def __init__(self, found: HeatMap, title: str) -> None:
        self.found, self.title = found, title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found = self.found
        said = f"  value n=samples [{self._level()}interval]"
        yield Line(Text(one_line(self.title), style="bold").append(said, style="not bold dim"))
        labels = [f"{found.down} ↓  {found.across} →", *found.rows, "all"]
        first = max(cell_len(one_line(label)) for label in labels)
        columns = [
            (one_line(name), [found.cells.get((row, name)) for row in found.rows], found.by_column.get(name))
            for name in found.columns
        ]
        columns.append(("all", [found.by_row.get(row) for row in found.rows], found.metric))
        width = max(_width(metric) for _, cells, foot in columns for metric in (*cells, foot))
        width = max([width, *(cell_len(name) for name, _, _ in columns)])
        each = max(1, (options.max_width - 2 - first) // (width + len(GAP)))
        each = each if options.is_terminal else len(columns)
        for start in range(0, len(columns), each):
            part = columns[start : start + each]
            head = GAP.join(pad(name, width) for name, _, _ in part)
            yield Text(f"  {pad(labels[0], first)}{GAP}{head}".rstrip(), style="cyan")
            for number, row in enumerate(found.rows):
                yield from self._row(one_line(row), first, [cells[number] for _, cells, _ in part], width)
            yield from self._row("all", first, [foot for _, _, foot in part], width)
        if found.overflowed:
            said = (
                f"{count(found.overflowed)} overflowed: the prompt is longer than the model's context; no value, not 0"
            )
            yield Line(Text(said, style="yellow"), indent=2)

    def _level(self) -> str:
        """Name the intervals' confidence, where all have the same."""
        shown = (self.found.metric, *self.found.cells.values())
        levels = {cell.interval.confidence for cell in shown if cell.interval is not None}
        return f"{100 * levels.pop():g} % " if len(levels) == 1 else ""

    def _row(self, label: str, first: int, cells: Sequence[MetricResult | None], width: int) -> Iterator[Text]:
        shown = [lines(cell) for cell in cells]
        for number in range(max(map(len, shown))):
            text = Text(f"  {pad(label if number == 0 else '', first)}")
            for cell, parts in zip(cells, shown, strict=True):
                said = parts[number] if number < len(parts) else ""
                text.append(GAP).append(pad(said, width), style=self._style(cell))
            text.rstrip()
            yield text

    def _style(self, cell: MetricResult | None) -> str:
        if cell is None:
            return "dim"
        shade = self.found.shade(cell)
        return _MARKED if shade is None else style_of(shade)


def lines(cell: MetricResult | None) -> list[str]:
    """Return what a cell says: the value with n, its interval, and what has no value and why."""
    if cell is None:
        return [NOTHING]
    said: list[str] = []
    if cell.value is not None:
        said.append(f"{figure(cell.value, 2)} n={count(cell.n)}")
        if cell.interval is not None:
            said.append(f"[{figure(cell.interval.low, 2)}, {figure(cell.interval.high, 2)}]")
    said += [f"{count(cell.overflowed)} overflow"] if cell.overflowed else []
    said += [f"{count(cell.failed - cell.overflowed)} failed"] if cell.failed > cell.overflowed else []
    return said or [NOTHING]


def colour_of(shade: float) -> tuple[str, bool]:
    """Return the colour of a cell, and whether letters on it are white."""
    step = min(len(COLOURS) - 1, int(shade * len(COLOURS)))
    return COLOURS[step], step < _DARK


def style_of(shade: float) -> str:
    """Return a cell's style for a terminal."""
    colour, dark = colour_of(shade)
    return f"{'white' if dark else 'black'} on {colour}"


def _width(cell: MetricResult | None) -> int:
    return max(map(cell_len, lines(cell)))
