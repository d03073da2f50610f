"""A comparison at a terminal: what differs, how sure that is, what it costs, and which samples flipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.text import Text

from llmkit.comparisons import Comparison, MetricDifference, Side
from llmkit.reports import comparing
from llmkit.reports.flips import flip_lines
from llmkit.reports.lines import Line, pad
from llmkit.reports.numbers import count
from llmkit.reports.table import MOST_SLICES
from llmkit.reports.text import one_line
from llmkit.reports.variant import margin_lines, same_line, speed_lines
from llmkit.text import labelled

_GAP = "   "
_STYLE = {1: "green", -1: "red", 0: ""}


def comparison_table(comparison: Comparison, *, signatures: bool = True) -> Group:
    """Return the whole report, for a console of any width, coloured or not.

    Args:
        comparison: What to show.
        signatures: Whether to show the scorers' signatures; an evaluation has shown them already.
    """
    parts: list[Line | Text | _Metrics] = [*_head(comparison), Text()]
    parts += [_Metrics(one_line(comparison.b.suite), comparison.metrics, comparison.confidence), Text()]
    for metric in comparison.metrics.values():
        for name, found in metric.slices.items():
            title = one_line(f"{comparison.b.suite} · {metric.name} by {name}")
            parts += [_Metrics(title, found, comparison.confidence, most=MOST_SLICES), Text()]
    parts += [*margin_lines(comparison.margins), Text()] if comparison.margins else []
    parts += [same_line(comparison.sameness), Text()] if comparison.sameness else []
    parts += [*speed_lines(comparison.speed), Text()] if comparison.speed else []
    parts += [*_amounts(comparison), Text()] if comparison.amounts else []
    parts += [*_flips(comparison), Text()] if comparison.flips else []
    if signatures:
        parts += [Text("Signatures", style="bold"), *_signatures(comparison)]
    for note in comparison.notes:
        parts.append(Line(Text(f"note: {one_line(note)}", style="yellow")))
    return Group(*parts)


def print_comparison(comparison: Comparison, console: Console, *, signatures: bool = True) -> None:
    """Print the report. Into a pipe or a file, long lines stay whole, so that they can be searched and copied."""
    console.print(comparison_table(comparison, signatures=signatures), soft_wrap=not console.is_terminal)


class _Metrics:
    """Metrics, or one metric's slices: two lines each where the width allows, else three.

    Args:
        title: What they belong to.
        metrics: By name.
        confidence: At which a difference is shown.
        most: How many a terminal shows; a pipe gets all.
    """

    def __init__(
        self, title: str, metrics: Mapping[str, MetricDifference], confidence: float, *, most: int | None = None
    ) -> None:
        self.title, self.metrics, self.confidence, self.most = title, metrics, confidence, most

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        level = f"{100 * self.confidence:g} %"
        yield Line(
            Text(self.title, style="bold").append(f"  a → b   b − a [{level} interval]   p, two-sided", "not bold dim")
        )
        cut = options.is_terminal and self.most is not None and len(self.metrics) > self.most
        names = list(self.metrics)[: self.most] if cut else list(self.metrics)
        label = max((cell_len(one_line(name)) for name in names), default=0)
        rows = [(self.metrics[name], _cells(self.metrics[name])) for name in names]
        widths = [max(map(cell_len, column), default=0) for column in zip(*(cells for _, cells in rows), strict=True)]
        said = max((cell_len(comparing.verdict(m, self.confidence)) for m, _ in rows if m.unknown is None), default=0)
        fits = 2 + label + sum(len(_GAP) + width for width in widths) + len(_GAP) + said <= options.max_width
        for name, (metric, cells) in zip(names, rows, strict=True):
            yield from self._row(one_line(name), label, metric, cells, widths if fits else None)
        if cut:
            yield Text(f"  and {count(len(self.metrics) - len(names))} more: --json", style="yellow")

    def _row(
        self, name: str, label: int, metric: MetricDifference, cells: list[str], widths: list[int] | None
    ) -> Iterator[Line]:
        verdict = Text(
            one_line(comparing.verdict(metric, self.confidence)),
            style=_STYLE[comparing.direction(metric, self.confidence)],
        )
        start = Text(pad(name, label) + _GAP)
        if metric.difference is None:
            yield Line(start.append_text(Text("", style="yellow").append_text(verdict)), indent=2)
        elif widths is not None:
            shown = _GAP.join(pad(cell, width) for cell, width in zip(cells, widths, strict=True))
            yield Line(start.append(shown + _GAP).append_text(verdict), indent=2)
        else:
            yield Line(start.append_text(verdict), indent=2)
            yield Line(Text(_GAP.join(cells)), indent=4)
        yield Line(Text(comparing.tally(metric), style="dim"), indent=4 if widths is None else 2 + label + len(_GAP))


def _cells(metric: MetricDifference) -> list[str]:
    return [comparing.values(metric), comparing.change(metric), one_line(comparing.test(metric))]


def _head(comparison: Comparison) -> Iterator[Line]:
    for which, side in (("a", comparison.a), ("b", comparison.b)):
        yield Line(_side(which, side), hang=3)
    if comparison.differs:
        yield Line(Text(f"differ in {' · '.join(map(one_line, comparison.differs))}"), indent=3)
    yield Line(Text(comparing.pairs(comparison)), indent=3)
    if comparison.forced:
        forced = "; ".join(map(one_line, comparison.forced))
        yield Line(Text(f"FORCED: these runs are not comparable: {forced}", style="bold yellow"), indent=3)


def _side(which: str, side: Side) -> Text:
    line = Text(f"{which}  ").append(one_line(side.run_id), style="bold")
    line.append(f"  {one_line(side.suite)} · {one_line(labelled(side.model, side.alias))}")
    if not side.stored:
        line.append(f" · file {one_line(side.name)}", style="dim")
    if side.status != "completed":
        line.append(f" · {side.status or 'ending unknown'}", style="yellow")
    return line.append(f" · {count(side.failed)} of {count(side.samples)} failed" if side.failed else "")


def _amounts(comparison: Comparison) -> Iterator[Line | Text]:
    yield Text("An answer's", style="bold").append("  a → b   b / a [interval]", style="not bold dim")
    names = [comparing.amount_name(amount) for amount in comparison.amounts]
    shown = [comparing.amount_values(amount) for amount in comparison.amounts]
    label = max(map(cell_len, names))
    width = max(
        [cell_len(text) for text, of in zip(shown, comparison.amounts, strict=True) if of.a is not None], default=0
    )
    for name, text, amount in zip(names, shown, comparison.amounts, strict=True):
        line = Text(pad(name, label) + _GAP)
        if amount.a is not None:
            line.append(pad(text, width) + _GAP + comparing.amount_ratio(amount))
            line.append(f"{_GAP if amount.ratio is not None else ''}n={count(amount.n)}", style="dim")
        else:
            line.append(one_line(text), style="dim")
        yield Line(line, indent=2)


def _flips(comparison: Comparison) -> Iterator[Line | Text]:
    yield Line(Text(one_line(comparing.flips_title(comparison)), style="bold"))
    for flip in comparison.flips:
        yield from flip_lines(flip, a="a", b="b")
    for number, command in enumerate(comparing.commands(comparison)):
        yield Line(Text(f"  {'or ' if number else 'one'} in full: {one_line(command)}"))


def _signatures(comparison: Comparison) -> Iterator[Line]:
    width = max((cell_len(one_line(name)) for name in comparison.metrics), default=0)
    for name, metric in comparison.metrics.items():
        for text in comparing.signatures(metric, comparison):
            yield Line(Text(f"{pad(one_line(name), width)}  {one_line(text)}", style="dim"), indent=2, hang=width + 4)
