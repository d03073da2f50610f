"""``pytest --llmkit``: gated suites as tests, with the gate's verdicts. Without the option it does nothing.

A suite file that pytest is given, or finds in the folders that it searches, is one test a gating metric. All of them
are decided by one gate, which runs before the first. A metric that fails fails its test; one that lacks evidence fails
too, unless ``--llmkit-on-inconclusive`` says otherwise. pytest loads this file at every start, so it imports nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from llmkit.verdicts import GateReport, MetricVerdict, SuiteVerdict

NAME = "llmkit-gate"
MEANINGS = ("fail", "warn", "pass")
ENDINGS = (".yaml", ".yml")
BROKE = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("llmkit", "llmkit: gated suites as tests")
    group.addoption("--llmkit", action="store_true", help="Collect suites that have gate: as tests, and gate them.")
    group.addoption(
        "--llmkit-base", metavar="REF", help="Branch, tag or commit. Default: the pull request's target, else main."
    )
    group.addoption(
        "--llmkit-baseline",
        metavar="FILE",
        action="append",
        default=[],
        help="Recorded answers in place of a base branch; one a suite.",
    )
    group.addoption(
        "--llmkit-offline", action="store_true", help="Decide from the cache or the baseline alone; needs no key."
    )
    group.addoption("--llmkit-max-cost", metavar="USD", type=float, help="Hard cap in dollars, over all suites.")
    group.addoption(
        "--llmkit-on-inconclusive",
        choices=MEANINGS,
        help="What too little evidence means: fail (the default), warn (the test is skipped) or pass.",
    )
    group.addoption("--llmkit-sandbox", metavar="NAME", help="Where models' programs run. Default: the best there is.")
    group.addoption(
        "--llmkit-unsafe-local",
        action="store_true",
        help="Run models' programs also where nothing can isolate them, as this user.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take part only where asked to."""
    if not config.getoption("--llmkit"):
        return
    cost = config.getoption("--llmkit-max-cost")
    if cost is not None and not 0 <= cost < float("inf"):
        raise pytest.UsageError("--llmkit-max-cost is an amount in dollars, 0 or more")
    if getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
        raise pytest.UsageError(
            "--llmkit runs one gate for all suites, and so in one process: leave -n out, or use -n0"
        )
    config.pluginmanager.register(Gating(config), NAME)


class Gating:
    """Collects the suites, gates them once, and keeps the report."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.report: GateReport | None = None
        self.error: Exception | None = None
        self.shown: dict[str, str] = {}  # suite → the test that shows its whole table

    @pytest.hookimpl
    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
        """Take YAML files that are gated suites."""
        if file_path.suffix not in ENDINGS:
            return None
        from llmkit.documents import MAX_BYTES
        from llmkit.gate.discover import is_gated

        if file_path.stat().st_size > MAX_BYTES or not is_gated(file_path.read_bytes()):
            return None
        return SuiteFile.from_parent(parent, path=file_path)

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what the gate came to in all: a pass is worth no less than a failure."""
        if self.report is None:
            return
        from llmkit.reports.actions import harmless
        from llmkit.reports.text import one_line
        from llmkit.reports.verdicts import conclusion, footing, outcome

        terminalreporter.section("llmkit gate")
        lines = [f"{self.report.base} → {self.report.head}"]
        lines += [f"note: {note}" for note in self.report.notes]
        warned = (suite for suite in self.report.suites if suite.warning)
        lines += [f"{suite.suite}: {outcome(suite)}: {suite.warning}" for suite in warned]
        lines += [footing(self.report)] if self.report.suites else []
        for line in (*lines, conclusion(self.report)):
            terminalreporter.write_line(harmless(one_line(line), os.environ))

    def verdicts(self, session: pytest.Session) -> GateReport:
        """Return the report; the first call runs the gate over the suites of all selected tests.

        Raises:
            GateError: The gate could not be run; every test of a suite says so.
        """
        if self.report is None and self.error is None:
            files = {item.path for item in session.items if isinstance(item, MetricItem)}
            try:
                self.report = self._run(sorted(files))
            except Exception as error:  # shown with each test: the gate runs but once
                self.error = error
        if self.report is None:
            raise _as_error(self.error) from self.error
        return self.report

    def _run(self, files: list[Path]) -> GateReport:
        from llmkit.gate.options import GateOptions
        from llmkit.gate.run import gate
        from llmkit.runs.evaluate import run_async
        from llmkit.sandbox.choose import asked

        option = self.config.getoption
        options = GateOptions(
            suites=tuple(_shown(path) for path in files),
            base=option("--llmkit-base"),
            baseline=tuple(option("--llmkit-baseline")),
            offline=option("--llmkit-offline"),
            max_cost=option("--llmkit-max-cost"),
            on_inconclusive=option("--llmkit-on-inconclusive"),
        )
        with asked(option("--llmkit-sandbox"), unsafe=option("--llmkit-unsafe-local")):
            found: GateReport = run_async(gate(options))
        return found


class GateError(Exception):
    """What a test's failure shows, with no traceback: it is not the test's code that is wrong."""


class SuiteFile(pytest.File):
    """A gated suite: a test a gating metric, its slices included."""

    def collect(self) -> Iterator[MetricItem]:
        """Yield the tests.

        Raises:
            CollectError: The suite is wrong; its line and the way to mend it.
        """
        from llmkit.errors import LlmkitError
        from llmkit.suites.gating import gating
        from llmkit.suites.load import load_suites

        try:
            found = [(suite, metric) for suite in load_suites(_shown(self.path)) for metric in gating(suite)]
        except LlmkitError as error:
            raise self.CollectError(str(error)) from error
        for suite, metric in found:
            yield MetricItem.from_parent(self, name=metric.name, suite=suite.name)


class _Shown:
    """A failure as pytest shows it: whole where it stands, its first line in the summary, which CI prints uncut."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.reprcrash = SimpleNamespace(message=text.partition("\n")[0])

    def __str__(self) -> str:
        return self._text

    def toterminal(self, writer: Any) -> None:
        """Print it."""
        writer.line(self._text)


class MetricItem(pytest.Item):
    """One gating metric of a suite."""

    def __init__(self, *, suite: str, **more: Any) -> None:
        super().__init__(**more)
        self.suite = suite

    def runtest(self) -> None:
        """Pass, fail or skip as the metric's verdict says; the first test runs the gate."""
        report = self._gating.verdicts(self.session)
        found = next((suite for suite in report.suites if suite.suite == self.suite), None)
        if found is None:
            self.add_report_section("call", "llmkit", "no change reaches this suite")
            return
        metrics = [metric for metric in found.metrics if metric.metric == self.name]
        verdict = _verdict(found, metrics)
        if verdict == "fail" or found.exit_code == BROKE:
            raise GateError(self._said(report, found, metrics))
        if verdict == "pass":
            return
        if found.verdict == "fail":
            pytest.skip("not decided: another metric of the suite failed first")
        if found.exit_code:  # not what --llmkit-on-inconclusive lets pass; a budget that ran out never is
            raise GateError(self._said(report, found, metrics))
        if found.new or report.on_inconclusive != "pass":
            pytest.skip(self._headline(found, metrics))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the gate's own table in place of a traceback."""
        if isinstance(excinfo.value, GateError):
            return _Shown(str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where the test comes from, and its name."""
        return self.path, None, f"{self.suite}: {self.name}"

    @property
    def _gating(self) -> Gating:
        plugin: Gating = self.config.pluginmanager.get_plugin(NAME)  # type: ignore[assignment]
        return plugin

    def _headline(self, suite: SuiteVerdict, metrics: list[MetricVerdict]) -> str:
        """Return one line: the verdict, and why."""
        from llmkit.reports import verdicts as words
        from llmkit.reports.text import one_line

        undecided = [metric for metric in metrics if metric.verdict != "pass"]
        said = [f"{words.label(m)}: {reason}" for m in undecided for reason in words.reasons(m, suite)[:1]]
        said += [text for text in (suite.reason, suite.stopped_by) if text]
        return one_line("; ".join([words.outcome(suite).lower(), *said]))

    def _said(self, report: GateReport, suite: SuiteVerdict, metrics: list[MetricVerdict]) -> str:
        """Return the suite's whole table for the first of its tests that fails; one line for the others."""
        from llmkit.reports.actions import harmless

        headline, first = self._headline(suite, metrics), self._gating.shown.setdefault(suite.suite, self.nodeid)
        if first == self.nodeid:
            more = _table(report, suite, self.config.get_terminal_writer().fullwidth)
        else:
            more = f"The suite's figures stand with {first}"
        return harmless(f"{headline}\n\n{more}", os.environ)


def _verdict(suite: SuiteVerdict, metrics: list[MetricVerdict]) -> str:
    """Return the worst verdict of a metric and its slices; the suite's, where it has no figures."""
    verdicts = {metric.verdict for metric in metrics} or {suite.verdict}
    return "fail" if "fail" in verdicts else "undecided" if "undecided" in verdicts else "pass"


def _table(report: GateReport, suite: SuiteVerdict, width: int) -> str:
    import io

    from rich.console import Console

    from llmkit.reports.gate import suite_table

    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None, highlight=False)
    console.print(suite_table(report, suite))
    return stream.getvalue().rstrip("\n")


def _shown(path: Path) -> str:
    """Shorten to what a user in the current folder would type."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _as_error(error: Exception | None) -> Exception:
    """Return an error whose one line is all that a failure shows; a bug's traceback stays."""
    from llmkit.errors import LlmkitError

    if isinstance(error, LlmkitError):
        return GateError(f"llmkit: {error}")
    return error or GateError("llmkit: the gate was not run")
