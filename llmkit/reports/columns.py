"""Cells under their headings, for a console of any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from llmkit.reports.lines import Line, pad

_GAP = "   "


class Columns:
    """Cells under their headings; at a terminal that is too narrow for them, one under the other.

    Args:
        columns: The headings; the first column is a label.
        rows: The cells, safe to print. Empty ones are not named where they stand one under the other.
        styles: A row's style, by its number.
    """

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str] | None = None
    ) -> None:
        self.columns, self.rows = columns, rows
        self.styles = styles or [""] * len(rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [max(map(cell_len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        if options.is_terminal and 2 + sum(widths) + len(_GAP) * (len(widths) - 1) > options.max_width:
            yield from self._stacked()
            return
        yield Text("  " + _row(self.columns, widths), style="cyan")
        for row, style in zip(self.rows, self.styles, strict=True):
            yield Text("  " + _row(row, widths), style=style)

    def _stacked(self) -> Iterator[Line | Text]:
        if self.columns[0]:
            yield Text(f"  {self.columns[0]}", style="cyan")
        for (label, *cells), style in zip(self.rows, self.styles, strict=True):
            if label:
                yield Line(Text(label, style=style), indent=2)
            for name, cell in zip(self.columns[1:], cells, strict=True):
                if cell:
                    yield Line(Text(f"{name}  ", style="cyan").append(cell, style=f"not cyan {style}"), indent=4)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(pad(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()
