"""What a gate tells GitHub Actions by itself: the step's summary, annotations on changed lines, an output.

The forms are those of docs.github.com, "Workflow commands for GitHub Actions"; the escapes are those of the toolkit
(actions/toolkit, packages/core/src/command.ts: ``escapeData`` and ``escapeProperty``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from llmkit.reports import judged_verdict
from llmkit.reports import verdicts as words
from llmkit.reports.actions import inside
from llmkit.reports.gate_markdown import SUMMARY_BYTES, gate_markdown
from llmkit.reports.numbers import count
from llmkit.reports.text import one_line
from llmkit.verdicts import Change, GateReport, MetricVerdict, SuiteVerdict

MOST_OF_A_KIND = 10
"""GitHub shows no more errors, warnings or notices of one step."""
MOST_STRETCHES = 3
"""Changed stretches of one file that are annotated: a reformatted prompt must not use up what GitHub shows."""
LEVELS = ("error", "warning", "notice")


def tell(report: GateReport, environment: Mapping[str, str], stream: TextIO) -> list[str]:
    """Write summary, output and annotations where this is GitHub Actions; elsewhere nothing.

    Args:
        report: The gate.
        environment: The process's.
        stream: Where annotations go: standard output, or standard error where the former is one JSON document.

    Returns:
        What could not be written, a line each. The verdict stands all the same.
    """
    if not inside(environment):
        return []
    for line in commands(report):
        stream.write(f"{line}\n")
    stream.flush()
    troubles = []
    for variable, write in (("GITHUB_STEP_SUMMARY", _summary), ("GITHUB_OUTPUT", _output)):
        path = environment.get(variable)
        if not path:
            continue
        try:
            write(report, Path(path))
        except OSError as error:
            troubles.append(f"{one_line(path)} (${variable}): cannot be written: {error.strerror or error}")
    return troubles


def commands(report: GateReport) -> Iterator[str]:
    """Yield a workflow command for what the notes say, and one for each changed stretch, the worst first.

    There are as many as GitHub shows. The notes share one, so that no number of them uses up the rest.
    """
    if report.listed:
        return
    if report.notes:
        yield f"::warning title=llmkit gate::{_data(chr(10).join(map(one_line, report.notes)))}"
    found: dict[tuple[str | None, tuple[int, int] | None], list[SuiteVerdict]] = {}
    for suite in report.suites:
        for change in suite.changes:
            for place in _places(change):
                found.setdefault(place, []).append(suite)
    shown = dict.fromkeys(LEVELS, 0) | {"warning": int(bool(report.notes))}
    ranked = ((min(LEVELS.index(_level(report, suite)) for suite in suites), place) for place, suites in found.items())
    for rank, place in sorted(ranked, key=lambda item: item[0]):
        level = LEVELS[rank]
        shown[level] += 1
        if shown[level] <= MOST_OF_A_KIND:
            yield _command(level, place, found[place])


def _places(change: Change) -> Iterator[tuple[str | None, tuple[int, int] | None]]:
    if change.path is None or not change.lines:
        yield change.path, None
    else:
        yield from ((change.path, stretch) for stretch in change.lines[:MOST_STRETCHES])


def _level(report: GateReport, suite: SuiteVerdict) -> str:
    if suite.verdict == "fail" or suite.exit_code == 1:
        return "error"
    if suite.new:
        return "notice"
    if suite.verdict == "undecided":
        return "notice" if suite.exit_code == 0 and report.on_inconclusive != "warn" else "warning"
    return "warning" if words.warned(suite) else "notice"


def _command(level: str, place: tuple[str | None, tuple[int, int] | None], suites: list[SuiteVerdict]) -> str:
    path, stretch = place
    properties = [] if path is None else [("file", one_line(path))]
    if stretch is not None:
        properties += [("line", str(stretch[0])), ("endLine", str(stretch[1]))]
    properties.append(("title", "llmkit gate"))
    said = ",".join(f"{name}={_property(value)}" for name, value in properties)
    message = "\n".join(dict.fromkeys(_message(suite) for suite in suites))
    return f"::{level} {said}::{_data(message)}"


def _message(suite: SuiteVerdict) -> str:
    """Return a suite's verdict with the figures that made it."""
    text = f"{one_line(suite.suite)}: {words.outcome(suite)}"
    telling = [m for m in suite.metrics if m.verdict == suite.verdict and (m.verdict != "pass" or m.within)]
    parts = [_figures(m) for m in telling or suite.metrics[:1]]
    parts += [one_line(m.judged.refused) for m in suite.metrics if m.judged is not None and m.judged.refused]
    parts += [one_line(said) for said in (suite.warning, suite.reason, suite.stopped_by) if said]
    parts += [f"{count(len(suite.missing))} answers are missing"] if suite.missing else []
    return "; ".join([text, *parts])


def _figures(m: MetricVerdict) -> str:
    text = f"{one_line(words.label(m))} {words.difference(m)}, margin {words.amount(m, m.margin)}"
    judged = judged_verdict.short(m)
    return f"{text} ({one_line(judged)})" if judged else text


def _summary(report: GateReport, path: Path) -> None:
    there = path.stat().st_size if path.exists() else 0
    text = gate_markdown(report, max(0, SUMMARY_BYTES - there - 1))
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _output(report: GateReport, path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"verdict={report.verdict}\nexit-code={report.exit_code}\n")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
