"""A gate as JUnit's XML: a suite is a testsuite, a gating metric a testcase.

There is no standard; Jenkins' schema (jenkinsci/xunit-plugin, junit-10.xsd) and what GitLab's parser reads are
followed: counts on every testsuite, at most one result a testcase, ``classname``, ``name`` and ``file`` on each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from llmkit.reports import verdicts as words
from llmkit.reports.flips import flip_lines
from llmkit.verdicts import GateReport, MetricVerdict, SuiteVerdict

WHOLE = "gate"
"""Name of the testcase that a suite has where no metric's result says what became of it."""
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production [2] Char
_KINDS = ("failure", "error", "skipped")


class _Case:
    """One testcase: its name, its result (``failure``, ``error``, ``skipped`` or None), and what is said of it."""

    def __init__(self, name: str, kind: str | None, type_: str, said: list[str]) -> None:
        self.name, self.kind, self.type, self.said = name, kind, type_, said

    def lines(self, suite: SuiteVerdict) -> Iterator[str]:
        where = f" file={_attribute(suite.path)}" if suite.path else ""
        yield f"    <testcase classname={_attribute(f'llmkit.{suite.suite}')} name={_attribute(self.name)}{where}>"
        text = _text("\n".join(self.said))
        short = f"message={_attribute(self.said[0])}"
        if self.kind == "skipped":
            yield f"      <skipped {short}/>"
        elif self.kind:
            yield f"      <{self.kind} type={_attribute(self.type)} {short}>{text}</{self.kind}>"
        else:
            yield f"      <system-out>{text}</system-out>"
        yield "    </testcase>"


def junit(report: GateReport) -> str:
    """Return the document. Characters that XML cannot hold are left out.

    An undecided metric is an ``error``, a ``failure`` or passes, by what ``--on-inconclusive`` makes of it. Where
    another metric failed first, it is ``skipped``: the gate had stopped.
    """
    suites = [(suite, _cases(report, suite)) for suite in report.suites]
    everything = [case for _, cases in suites for case in cases]
    head = f'<testsuites name="llmkit gate" {_counts(everything)} time="{report.wall_s:.3f}">'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    for suite, cases in suites:
        lines += _suite(report, suite, cases)
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _suite(report: GateReport, suite: SuiteVerdict, cases: list[_Case]) -> Iterator[str]:
    time = f' time="{report.wall_s:.3f}"' if len(report.suites) == 1 else ""
    yield f"  <testsuite name={_attribute(suite.suite)} {_counts(cases)}{time}>"
    yield "    <properties>"
    for name, value in _properties(report, suite):
        yield f"      <property name={_attribute(name)} value={_attribute(value)}/>"
    yield "    </properties>"
    for case in cases:
        yield from case.lines(suite)
    yield "  </testsuite>"


def _cases(report: GateReport, suite: SuiteVerdict) -> list[_Case]:
    if report.listed:
        return [_Case(WHOLE, "skipped", "", ["planned, not run (--list)"])]
    cases = [_case(report, suite, metric) for metric in suite.metrics]
    told = {"fail": "failure"}.get(suite.verdict, _undecided(report, suite) if suite.verdict == "undecided" else None)
    if suite.exit_code == words.BROKE:
        told = "error"
    if not cases or (told is not None and not any(case.kind == told for case in cases)):
        said = [words.outcome(suite)]
        said += [text for text in (suite.reason, suite.stopped_by and f"stopped by: {suite.stopped_by}") if text]
        if suite.missing:
            text, listed = words.missing(suite)
            said += [text, *listed]
        if len(said) > 1:  # the reason is worth more in the one line that a list of failures shows
            said[:2] = [f"{said[0]}: {said[1]}"]
        said += [*words.warning(suite), *_changes(suite), *words.basis(suite), *_advice(report, suite)]
        cases.append(_Case(WHOLE, told, _type(suite), said))
    return cases


def _case(report: GateReport, suite: SuiteVerdict, metric: MetricVerdict) -> _Case:
    kind: str | None = {"pass": None, "fail": "failure"}.get(metric.verdict, "skipped")
    if metric.verdict == "undecided" and suite.verdict != "fail":
        kind = _undecided(report, suite)
    said = [
        f"{words.word(metric)}: head − base {words.difference(metric)}, margin {words.amount(metric, metric.margin)}",
        *words.reasons(metric, suite),
        f"base {words.side(metric, metric.base)}, head {words.side(metric, metric.head)}, n={metric.n},"
        f" look {words.look(metric, suite)}, won/lost/tied {words.tallies(metric)}",
        *words.warning(suite),
    ]
    if metric.verdict == "undecided":  # the one line that a list of failures shows says why
        refused = metric.judged.refused if metric.judged is not None else None
        said[0] = f"not enough evidence: {refused or said[0].removeprefix('undecided: ')}"
    said += [f"{metric.signature} ({metric.method})"] if metric.signature else []
    if metric.verdict != "pass":
        said += _changes(suite)
        said += [
            line.text.plain
            for flip in suite.flips
            if flip.metric == metric.metric
            for line in flip_lines(flip, indent=0)
        ]
    said += _advice(report, suite) if metric.verdict == "undecided" else []
    return _Case(words.label(metric), kind, _type(suite, metric), said)


def _advice(report: GateReport, suite: SuiteVerdict) -> list[str]:
    advice = words.advice(report, suite)
    return [advice] if advice else []


def _undecided(report: GateReport, suite: SuiteVerdict) -> str | None:
    """Return what too little evidence is to the caller."""
    if suite.exit_code == 0:
        return None
    return "failure" if report.on_inconclusive == "fail" or suite.exit_code == 1 else "error"


def _type(suite: SuiteVerdict, metric: MetricVerdict | None = None) -> str:
    verdict = metric.verdict if metric is not None else suite.verdict
    if metric is None and suite.exit_code == words.BROKE:
        return "broke"
    return {"fail": "proven-worse", "pass": "pass", "undecided": "not-enough-evidence"}[verdict]


def _changes(suite: SuiteVerdict) -> list[str]:
    return [words.changed(change) for change in suite.changes]


def _properties(report: GateReport, suite: SuiteVerdict) -> Iterator[tuple[str, str]]:
    yield "base", report.base
    yield "head", report.head
    yield "verdict", suite.verdict
    yield "seed", str(report.seed)
    yield "alpha", f"{report.alpha:g}"
    yield "n", str(suite.n)
    if suite.planned is not None:
        yield "n_max", str(suite.planned.n_max)
    for name, side in (("base", suite.base), ("head", suite.head)):
        if side.run_id:
            yield f"{name}_run", side.run_id
        if side.model:
            yield f"{name}_model", side.model


def _counts(cases: list[_Case]) -> str:
    numbers = {kind: sum(case.kind == kind for case in cases) for kind in _KINDS}
    return (
        f'tests="{len(cases)}" failures="{numbers["failure"]}" errors="{numbers["error"]}"'
        f' skipped="{numbers["skipped"]}"'
    )


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("", text))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("", text))
