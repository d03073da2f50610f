"""A gate at a terminal: each suite's verdict first, then the figures, then what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.text import Text

from llmkit.reports import verdicts as words
from llmkit.reports.flips import flip_lines
from llmkit.reports.lines import Line, pad
from llmkit.reports.numbers import count
from llmkit.reports.text import one_line
from llmkit.verdicts import GateReport, MetricVerdict, SuiteVerdict

MOST_CHANGES = 20
WIDEST = 160
"""Columns of a table that is not shown at a terminal; a log scrolls."""
_GAP = "   "
_WARNING = "yellow"


def gate_table(report: GateReport) -> Group:
    """Return the whole report, for a console of any width, coloured or not; the conclusion stands last."""
    parts: list[Line | Text | _Metrics] = [
        Line(Text("gate  ", style="bold").append(f"{one_line(report.base)} → {one_line(report.head)}", "not bold")),
        *_notes(report.notes, 2),
        Text(),
    ]
    for suite in report.suites:
        parts += [*_planned(suite)] if report.listed else [*_suite(report, suite)]
        parts.append(Text())
    if report.suites and report.untouched:
        parts.append(Line(Text(f"not reached: {', '.join(map(one_line, report.untouched))}", style="dim")))
    if report.suites and not report.listed:
        parts.append(Line(Text(words.footing(report), style="dim")))
    style = "" if report.listed else f"bold {words.STYLES[report.verdict]}"
    parts.append(Line(Text(one_line(words.conclusion(report)), style=style)))
    return Group(*parts)


def print_gate(report: GateReport, console: Console) -> None:
    """Print the report. Into a pipe or a file, long lines stay whole, so that they can be searched and copied."""
    console.print(gate_table(report), soft_wrap=not console.is_terminal)


def suite_table(report: GateReport, suite: SuiteVerdict) -> Group:
    """Return one suite of the report alone."""
    return Group(*_suite(report, suite))


def _suite(report: GateReport, suite: SuiteVerdict) -> Iterator[Line | Text | _Metrics]:
    yield _head(words.outcome(suite), suite, f"bold {words.STYLES[suite.verdict]}")
    yield from (_line(text, _WARNING) for text in words.warning(suite))
    yield from _changes(suite)
    yield from (_line(text, "" if suite.exit_code == 0 else _WARNING) for text in words.reason(suite))
    if suite.stopped_by:
        yield _line(f"stopped by: {suite.stopped_by}", _WARNING)
    if suite.missing:
        said, listed = words.missing(suite)
        yield _line(said, _WARNING)
        yield from (_line(text, "", 4) for text in listed)
    if suite.metrics:
        yield Text()
        yield _Metrics(suite)
        yield from _why(suite)
    advice = words.advice(report, suite)
    if advice:
        yield _line(advice, _WARNING)
    if suite.metrics:
        yield Text()
    yield from _footing(suite)
    yield from _flips(suite)
    command = words.next_command(suite)
    if command:
        yield _line(f"compare them: {command}")


def _planned(suite: SuiteVerdict) -> Iterator[Line | Text]:
    yield _head("PLAN", suite, "bold")
    yield from _changes(suite)
    yield from map(_line, words.forecast(suite))


def _head(word: str, suite: SuiteVerdict, style: str) -> Line:
    path = f"  {one_line(suite.path)}" if suite.path else ""
    head = Text(word, style=style)
    return Line(head.append(f"  {one_line(suite.suite)}", style="default").append(path, style="not bold dim default"))


def _changes(suite: SuiteVerdict) -> Iterator[Line]:
    for change in suite.changes[:MOST_CHANGES]:
        yield _line(words.changed(change))
    if len(suite.changes) > MOST_CHANGES:
        yield _line(f"and {count(len(suite.changes) - MOST_CHANGES)} more changes: --json")


def _why(suite: SuiteVerdict) -> Iterator[Line]:
    for metric in suite.metrics:
        style = _WARNING if metric.verdict != "pass" or metric.within else "dim"
        for reason in words.reasons(metric, suite):
            yield _line(f"{words.label(metric)}: {reason}", style)


def _footing(suite: SuiteVerdict) -> Iterator[Line]:
    yield from map(_line, words.basis(suite))
    width = max((cell_len(one_line(m.metric)) for m in suite.metrics), default=0)
    for name, said in words.measured(suite):
        yield Line(Text(f"{pad(one_line(name), width)}  {one_line(said)}", style="dim"), indent=2, hang=width + 4)


def _flips(suite: SuiteVerdict) -> Iterator[Line | Text]:
    if not suite.flips:
        return
    yield Text()
    yield Line(Text(words.flipped(suite), style="bold"), indent=2)
    for flip in suite.flips:
        yield from flip_lines(flip, indent=4)
    yield Text()


def _notes(notes: Sequence[str], indent: int) -> Iterator[Line]:
    yield from (_line(f"note: {note}", "", indent) for note in notes)


def _line(text: str, style: str = "", indent: int = 2) -> Line:
    return Line(Text(one_line(text), style=style), indent=indent)


class _Metrics:
    """A suite's metrics as a table where the width allows, and one under the other where not."""

    def __init__(self, suite: SuiteVerdict) -> None:
        self._suite = suite
        self._names = [f"head − base [{words.confidences(suite)}]", "margin", "base", "head", "n", "look"]
        self._names = ["verdict", *self._names, "won/lost/tied"]
        self._labels = [one_line(words.label(metric)) for metric in suite.metrics]
        self._rows = [self._cells(metric) for metric in suite.metrics]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        label = max(map(cell_len, self._labels))
        widths = [max(map(cell_len, column)) for column in zip(self._names, *self._rows, strict=True)]
        width = options.max_width if options.is_terminal else max(options.max_width, WIDEST)
        fits = 2 + label + sum(len(_GAP) + column for column in widths) <= width
        yield from self._table(label, widths) if fits else self._stacked()

    def _table(self, label: int, widths: Sequence[int]) -> Iterator[Text]:
        names = (pad(name, width) for name, width in zip(self._names, widths, strict=True))
        yield Text(f"  {' ' * label}{_GAP}{_GAP.join(names)}".rstrip(), style="cyan")
        for name, cells, metric in zip(self._labels, self._rows, self._suite.metrics, strict=True):
            line = Text(f"  {pad(name, label)}")
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
                line.append(_GAP).append(pad(cell, width), style=_style(metric) if number == 0 else "")
            line.rstrip()
            yield line

    def _stacked(self) -> Iterator[Line]:
        _, named, *_, tallies = self._names
        for name, cells, metric in zip(self._labels, self._rows, self._suite.metrics, strict=True):
            word, difference, margin, base, head, n, look, tally = cells
            line = Text(f"{name}  ").append(word, style=_style(metric))
            yield Line(line.append(f"  {difference}  margin {margin}", style="default"), indent=2)
            yield Line(Text(f"{base} → {head}  n={n}  look {look}  {tallies} {tally}"), indent=4)
        yield Line(Text(f"base → head; {named}", style="dim"), indent=2)

    def _cells(self, metric: MetricVerdict) -> list[str]:
        return [
            words.word(metric),
            words.difference(metric),
            words.amount(metric, metric.margin),
            words.side(metric, metric.base),
            words.side(metric, metric.head),
            count(metric.n),
            words.look(metric, self._suite),
            words.tallies(metric),
        ]


def _style(metric: MetricVerdict) -> str:
    return _WARNING if metric.within else words.STYLES[metric.verdict]
