"""The grid of a run as one HTML file: no script, nothing from elsewhere, a table that a screen reader can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from llmkit.reports.heat import HeatMap
from llmkit.reports.heat_table import COLOURS, NOTHING, colour_of, lines
from llmkit.reports.numbers import count, duration, estimate, failures, figure
from llmkit.reports.text import one_line
from llmkit.text import labelled
from llmkit.types import MetricResult, RunResult

_STYLE = """
body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem; color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem; }
th, td { padding: .4rem .7rem; text-align: center; border: 1px solid #fff; white-space: nowrap; }
th { background: #f0f0f0; font-weight: 600; }
td small { display: block; font-size: .75rem; }
td.none { background: #fff; color: #595959; border-color: #ddd; }
td.mark {
  background: repeating-linear-gradient(45deg, #e4e4e4, #e4e4e4 6px, #f4f4f4 6px, #f4f4f4 12px); color: #1a1a1a;
}
dl { display: grid; grid-template-columns: max-content auto; gap: .2rem 1rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def heat_html(run: RunResult, found: Sequence[HeatMap]) -> str:
    """Return the page of a run's grids.

    Args:
        run: The run.
        found: Its grids.
    """
    title = f"{_safe(run.suite)} · {_safe(labelled(run.model, run.alias))}"
    body = "\n".join([f"<h1>{title}</h1>", _facts(run), *(_table(each) for each in found), _legend()])
    shades = "\n".join(
        f"td.s{number} {{ background: {colour}; color: {'#fff' if colour_of(number / len(COLOURS))[1] else '#000'}; }}"
        for number, colour in enumerate(COLOURS)
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}{shades}\n</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _facts(run: RunResult) -> str:
    pairs = [
        ("Run", f"{run.run_id}, {run.status}, begun {run.started_at}"),
        ("Samples", f"{count(run.completed)} of {count(run.total)} answered in {duration(run.wall_s)}"),
        *((metric.name, _sum(metric)) for metric in run.metrics.values()),
        *((f"Signature of {metric.name}", metric.signature) for metric in run.metrics.values()),
        *((fault, f"{count(times)} ×: {example}") for fault, (times, example) in run.faults.items()),
    ]
    return "<dl>\n" + "\n".join(f"<dt>{_safe(name)}</dt><dd>{_safe(text)}</dd>" for name, text in pairs) + "\n</dl>"


def _sum(metric: MetricResult) -> str:
    failed = f"; {failures(metric)}" if metric.failed else ""
    return f"{estimate(metric)}, n={count(metric.n)}{failed}"


def _table(found: HeatMap) -> str:
    caption = f"{found.metric.name}: {found.down} by {found.across}"
    head = "".join(f'<th scope="col">{_safe(column)}</th>' for column in (*found.columns, "all"))
    corner = f'<th scope="col">{_safe(found.down)} ↓ {_safe(found.across)} →</th>'
    return (
        f"<table>\n<caption>{_safe(caption)}</caption>\n<thead>\n<tr>{corner}{head}</tr>\n</thead>\n<tbody>\n"
        + "\n".join(_rows(found))
        + "\n</tbody>\n</table>"
    )


def _rows(found: HeatMap) -> Iterator[str]:
    for row in found.rows:
        cells = [found.cells.get((row, column)) for column in found.columns]
        yield _row(found, row, [*cells, found.by_row.get(row)])
    yield _row(found, "all", [*(found.by_column.get(column) for column in found.columns), found.metric])


def _row(found: HeatMap, label: str, cells: Sequence[MetricResult | None]) -> str:
    return f'<tr><th scope="row">{_safe(label)}</th>{"".join(_cell(found, cell) for cell in cells)}</tr>'


def _cell(found: HeatMap, cell: MetricResult | None) -> str:
    if cell is None:
        return f'<td class="none">{NOTHING}</td>'
    shade = found.shade(cell)
    kind = "mark" if shade is None else f"s{COLOURS.index(colour_of(shade)[0])}"
    first, *more = lines(cell)
    small = "".join(f"<small>{_safe(line)}</small>" for line in more)
    return f'<td class="{kind}" title="{_safe(_title(cell))}">{_safe(first)}{small}</td>'


def _title(cell: MetricResult) -> str:
    said = ["no value: nothing was scored" if cell.value is None else figure(cell.value, 4)]
    if cell.interval is not None:
        i = cell.interval
        said.append(f"{100 * i.confidence:g} % interval {figure(i.low, 4)} to {figure(i.high, 4)} ({i.method})")
    elif cell.value is not None:
        said.append("no interval")
    said.append(f"n={count(cell.n)}")
    if cell.failed:
        said.append(failures(cell))
    return ", ".join(said)


def _legend() -> str:
    steps = len(COLOURS)
    shades = "".join(
        f'<td class="s{n}">{figure(n / steps, 1)} to {figure((n + 1) / steps, 1)}</td>' for n in range(steps)
    )
    return (
        "<table>\n<caption>Colours, from worst to best, as shares of the metric's range</caption>\n"
        f'<tbody><tr>{shades}<td class="mark">no value</td></tr></tbody>\n</table>\n'
        "<p>A cell says its value, n (samples), the interval of the value, and what has no value: overflow (the prompt"
        " is longer than the model's context) and failed (no answer, or one that cannot be scored). Neither is counted"
        " as 0.</p>"
    )


def _safe(text: str) -> str:
    return escape(one_line(text))
