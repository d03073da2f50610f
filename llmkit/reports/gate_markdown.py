"""A gate as GitHub's and GitLab's Markdown, for the summary of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmkit.reports import verdicts as words
from llmkit.reports.flips import flip_markdown
from llmkit.reports.numbers import count
from llmkit.reports.quoting import quoted, sentence
from llmkit.verdicts import GateReport, MetricVerdict, SuiteVerdict

COMMENT_BYTES = 65_536
"""GitHub takes no comment of more characters; counted in bytes, which are at least as many."""
SUMMARY_BYTES = 1024 * 1024
"""GitHub shows no more of one step's summary (docs.github.com, "Adding a job summary")."""
MOST_CHANGES = 20
_SPARE = 400
"""Room for the lines that say what was left out."""


def gate_markdown(report: GateReport, most: int = COMMENT_BYTES) -> str:
    """Return the report with a newline at its end.

    Args:
        report: The gate.
        most: Bytes of UTF-8 that it may have. Flipped samples are left out one by one, the worst of each suite last,
            then whole suites; what is left out is said.
    """
    fits, too_much = -1, 1 + max((len(suite.flips) for suite in report.suites), default=0)
    if _size(whole := _written(report, too_much)) <= most:
        return whole
    while too_much - fits > 1:
        depth = (fits + too_much) // 2
        fits, too_much = (depth, too_much) if _size(_written(report, depth)) <= most else (fits, depth)
    return _written(report, fits) if fits >= 0 else _shortened(report, most)


def _written(report: GateReport, depth: int) -> str:
    """Return the report with at most ``depth`` flips a suite."""
    blocks = [*_top(report), *(_block(report, suite, depth) for suite in report.suites), *_bottom(report)]
    return "\n\n".join(blocks) + "\n"


def _shortened(report: GateReport, most: int) -> str:
    """Return as many suites as there is room for, without flips; the rest by name and verdict, then by number."""
    said: list[str] = []
    room = most - _size("\n\n".join([*_top(_without_names(report)), *_bottom(_without_names(report))])) - _SPARE
    left = 0
    for suite in report.suites:
        for block in (_block(report, suite, 0), _title(suite)):
            if _size(block) + 2 <= room:
                said.append(block)
                room -= _size(block) + 2
                break
        else:
            left += 1
    if left:
        said.append(f"{count(left)} more suites are left out, for want of room.")
    return "\n\n".join([*_top(_without_names(report)), *said, *_bottom(_without_names(report))]) + "\n"


def _without_names(report: GateReport) -> GateReport:
    """Return the report without what has no bound on its length."""
    untouched = (f"{count(len(report.untouched))} suites",) if report.untouched else ()
    cut = {name: getattr(report, name)[:_SPARE] for name in ("base", "head")}
    return replace(report, untouched=untouched, notes=(), **cut)


def _top(report: GateReport) -> Iterator[str]:
    word = "plan" if report.listed else words.headline(report)
    yield f"### llmkit gate: {word}"
    yield f"{quoted(report.base)} → {quoted(report.head)}"
    if report.notes:
        yield _items(report.notes)


def _bottom(report: GateReport) -> Iterator[str]:
    if report.suites and report.untouched:
        yield f"Not reached: {', '.join(map(quoted, report.untouched))}"
    if report.suites and not report.listed:
        yield sentence(words.footing(report))
    yield f"**{sentence(words.conclusion(report))}**"


def _title(suite: SuiteVerdict) -> str:
    path = f" ({quoted(suite.path)})" if suite.path else ""
    return f"#### {words.outcome(suite)}: {quoted(suite.suite)}{path}"


def _block(report: GateReport, suite: SuiteVerdict, depth: int) -> str:
    if report.listed:
        heading = f"#### {quoted(suite.suite)}"
        return "\n\n".join([heading, _items([*_changes(suite), *words.forecast(suite)])])
    parts = [_title(suite), _items([*words.warning(suite), *_changes(suite), *_troubles(suite)])]
    if suite.missing:
        said, listed = words.missing(suite)
        parts.append("\n".join([f"- {sentence(said)}", *(f"  - {quoted(text)}" for text in listed)]))
    if suite.metrics:
        parts.append(_table(suite))
        parts.append(_items(f"{words.label(m)}: {reason}" for m in suite.metrics for reason in words.reasons(m, suite)))
    advice = words.advice(report, suite)
    parts += [sentence(advice)] if advice else []
    parts += list(_flips(suite, depth))
    parts.append(_rest(suite))
    return "\n\n".join(part for part in parts if part)


def _changes(suite: SuiteVerdict) -> Iterator[str]:
    yield from (words.changed(change) for change in suite.changes[:MOST_CHANGES])
    if len(suite.changes) > MOST_CHANGES:
        yield f"and {count(len(suite.changes) - MOST_CHANGES)} more changes"


def _troubles(suite: SuiteVerdict) -> Iterator[str]:
    yield from words.reason(suite)
    if suite.stopped_by:
        yield f"stopped by: {suite.stopped_by}"


def _table(suite: SuiteVerdict) -> str:
    names = ("metric", "verdict", f"head − base [{words.confidences(suite)}]", "margin", "base", "head")
    lines = [_row((*names, "n", "look", "won/lost/tied")), _row(["---"] * 9)]
    lines += [_row(_cells(metric, suite)) for metric in suite.metrics]
    return "\n".join(lines)


def _cells(metric: MetricVerdict, suite: SuiteVerdict) -> list[str]:
    word = words.word(metric)
    return [
        quoted(words.label(metric)),
        word if metric.verdict == "pass" and not metric.within else f"**{word}**",
        words.difference(metric),
        words.amount(metric, metric.margin),
        sentence(words.side(metric, metric.base)),
        sentence(words.side(metric, metric.head)),
        count(metric.n),
        words.look(metric, suite),
        words.tallies(metric),
    ]


def _flips(suite: SuiteVerdict, depth: int) -> Iterator[str]:
    if not suite.flips:
        return
    shown = replace(suite, flips=suite.flips[:depth])
    left = len(suite.flips) - len(shown.flips)
    yield f"**{words.flipped(shown) if shown.flips else f'{count(suite.flipped)} samples flipped'}**"
    yield from (flip_markdown(flip).rstrip("\n") for flip in shown.flips)
    if left:
        yield f"{count(left)} more are left out, for want of room."


def _rest(suite: SuiteVerdict) -> str:
    """Return what the verdict rests on, behind a click."""
    lines = [f"- {sentence(text)}" for text in words.basis(suite)]
    lines += [f"- {quoted(name)}: {quoted(said)}" for name, said in words.measured(suite)]
    command = words.next_command(suite)
    lines += [f"- compare them: {quoted(command)}"] if command else []
    if not lines:
        return ""
    body = "\n".join(lines)
    return f"<details><summary>What this rests on</summary>\n\n{body}\n\n</details>"


def _items(lines: Sequence[str] | Iterator[str]) -> str:
    return "\n".join(f"- {sentence(line)}" for line in lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
