"""The result table as GitHub Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmkit.reports import judged_metric
from llmkit.reports.layout import Grid, Signature, signatures, slice_grids, suite_grids
from llmkit.reports.numbers import count, dollars, duration, estimate, second_reading
from llmkit.reports.text import one_line
from llmkit.text import labelled
from llmkit.types import MetricResult, RunResult

# What Markdown or the HTML within it would obey. Underscores inside words are plain text on GitHub, so they stay.
_SPECIAL = re.compile(r"([\\`*|<>\[\]&#~@])")


def markdown_table(results: Sequence[RunResult]) -> str:
    """Return the runs' figures, signatures and costs as Markdown, with a newline at the end."""
    blocks = [_table(grid) for grid in (*suite_grids(results), *slice_grids(results))]
    found = signatures(results)
    if found:
        blocks.append("\n".join(_signature(s) for s in found))
    judges = list(judged_metric.reasons(results))
    if judges:
        blocks.append("\n".join(f"- {escaped(name)}: {escaped(why)}" for name, why in judges))
    if results:
        blocks.append("\n".join(_run(run) for run in results))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def escaped(text: str) -> str:
    """Return ``text`` as it must stand in a table's cell to be shown as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def _table(grid: Grid) -> str:
    lines = [
        _row([escaped(grid.title), *map(escaped, grid.columns)]),
        _row(["---"] * (1 + len(grid.columns))),
    ]
    for row in grid.rows:
        cells = [_cell(row.cells[c]) if c in row.cells else "–" for c in grid.columns]
        lines.append(_row([escaped(row.label), *cells]))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(metric: MetricResult) -> str:
    if metric.judged is not None:
        (first, _), *more = judged_metric.cell(metric, metric.judged)
        return escaped("; ".join([f"{first} n={count(metric.n)}", *(line for line, _ in more)]))
    second = second_reading(metric)
    shown = f"{estimate(metric)} n={count(metric.n)}"
    return f"{shown}; {second}" if second else shown


def _signature(signature: Signature) -> str:
    line = f"- {escaped(signature.metric)}: {_code(signature.text)}"
    return line if signature.alone else f"{line} ({', '.join(map(escaped, signature.columns))})"


def _code(text: str) -> str:
    """Return a code span; its fence is longer than any run of backticks within."""
    shown = one_line(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if len(fence) > 1 else f"`{shown}`"


def _run(run: RunResult) -> str:
    cost = "cost unknown" if run.usage.cost_usd is None else dollars(run.usage.cost_usd)
    parts = [f"{run.status}, {count(run.completed)} of {count(run.total)} in {duration(run.wall_s)}", cost]
    for number, what in ((run.from_cache, "from the cache"), (run.truncated, "truncated"), (run.failed, "failed")):
        if number:
            parts.append(f"{count(number)} {what}")
    parts += map(escaped, judged_metric.bills(run.judging))
    name = escaped(labelled(run.model, run.alias))
    return f"- {name} on {escaped(run.suite)}: {', '.join(parts)} ({_code(run.run_id)})"
