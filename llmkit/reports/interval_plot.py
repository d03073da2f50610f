"""Intervals on one axis, drawn with characters: where people would rather look than read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from llmkit.reports.lines import pad

WIDEST = 61
NARROWEST = 21
_AXIS, _BAR, _LOW, _HIGH, _POINT, _BOUND = "·", "─", "├", "┤", "●", "┃"


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the plot: a value with its interval, and a bound to hold it against."""

    label: str
    value: float
    low: float
    high: float
    bound: float | None = None


class Plot:
    """Bars on an axis from ``low`` to ``high``; nothing where the console is too narrow for it.

    Args:
        bars: From top to bottom, labels safe to print.
        low: The axis' left end.
        high: Its right end.
    """

    def __init__(self, bars: Sequence[Bar], *, low: float = 0.0, high: float = 1.0) -> None:
        self.bars, self.low, self.high = bars, low, high

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        label = max((cell_len(bar.label) for bar in self.bars), default=0)
        width = min(WIDEST, options.max_width - label - 5)
        if not self.bars or width < NARROWEST:
            return
        left, right = f"{self.low:g}", f"{self.high:g}"
        middle = f"{(self.low + self.high) / 2:g}"
        gap = width - len(left) - len(middle) - len(right)
        ends = left + " " * (gap // 2) + middle + " " * (gap - gap // 2) + right
        yield Text(f"  {' ' * label}   {ends}", style="dim")
        yield from self._lines(label, width)

    def _lines(self, label: int, width: int) -> Iterator[Text]:
        for bar in self.bars:
            line = Text(f"  {pad(bar.label, label)}   ")
            for mark in self._marks(bar, width):
                line.append(mark, style={_AXIS: "dim", _BOUND: "yellow", _POINT: "bold"}.get(mark, ""))
            yield line

    def _marks(self, bar: Bar, width: int) -> list[str]:
        low, high = self._column(bar.low, width), self._column(bar.high, width)
        marks = [_BAR if low <= column <= high else _AXIS for column in range(width)]
        marks[low], marks[high] = _LOW, _HIGH
        if bar.bound is not None:
            marks[self._column(bar.bound, width)] = _BOUND
        marks[self._column(bar.value, width)] = _POINT
        return marks

    def _column(self, value: float, width: int) -> int:
        share = (value - self.low) / (self.high - self.low)
        return round(min(1.0, max(0.0, share)) * (width - 1))
