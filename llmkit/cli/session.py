"""One ``llmkit eval`` at a terminal: what it says while it runs, and what it prints at its end."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType

from llmkit.cli.console import err, out, print_json, say
from llmkit.cli.thresholds import Thresholds, exit_code
from llmkit.comparisons import Comparison
from llmkit.errors import LlmkitError, NotStoredError, UsageError
from llmkit.reports.comparison import print_comparison
from llmkit.reports.document import document
from llmkit.reports.layout import told_apart
from llmkit.reports.numbers import counted, dollars
from llmkit.reports.progress import Progress
from llmkit.reports.table import print_results
from llmkit.reports.transcript import transcript
from llmkit.runs.evaluate import Ending, Hooks
from llmkit.runs.plan import Plan
from llmkit.runs.state import Observer, State
from llmkit.text import labelled
from llmkit.types import RunResult, SampleResult

Compare = Callable[[str, str], Comparison]
"""Compares two stored runs, by their ids."""


class Session(Hooks):
    """Progress on standard error, results on standard output, also of what was interrupted.

    Args:
        as_json: One JSON document in place of the table.
        ask: Whether to ask, at a terminal, after ``--sample``.
        thresholds: Bounds to hold the results against.
        compare: Compares each suite's models with the first of them; None: they are not compared.
    """

    def __init__(self, *, as_json: bool, ask: bool, thresholds: Thresholds, compare: Compare | None = None) -> None:
        self._as_json, self._ask, self._thresholds, self._compare = as_json, ask, thresholds, compare
        self._progress = Progress(err())
        self._results: list[RunResult] = []
        self._names: dict[str, str] = {}
        self.verdict = 0

    def __enter__(self) -> Session:
        self._progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, error, trace)
        if self._results:
            self._print()
        unfinished = [r for r in self._results if r.status != "completed"]
        if unfinished:
            kept = sum(r.completed for r in unfinished)
            say(f"{counted(kept, 'answer')} {'is' if kept == 1 else 'are'} kept; go on with: {this_command()}")

    def planned(self, plans: Sequence[tuple[str, Plan]], resumed: Mapping[str, float]) -> None:
        """Say what will run, and refuse a bound on a metric that nothing has."""
        self._thresholds.check(sorted({name for _, plan in plans for name in plan.metrics}))
        for note in dict.fromkeys(note for _, plan in plans for note in plan.suite.notes()):
            say(note)
        told = told_apart((plan.model.name, plan.model.alias) for _, plan in plans)
        for run_id, plan in plans:
            name = told[plan.model.name, plan.model.alias]
            self._names[run_id] = f"{plan.suite.name} · {name}" if len(told) > 1 else plan.suite.name
            if sys.stderr.isatty():
                going_on = f", goes on with {run_id} ({dollars(resumed[run_id])} paid)" if run_id in resumed else ""
                said = f"{plan.suite.name} on {plan.model.label} (from {plan.origins['model']}){going_on}"
                err().print(said, style="dim", markup=False)

    def observer(self, run_id: str, plan: Plan) -> Observer | None:
        """Return a progress line for the run."""
        return Line(self._progress, self._names[run_id])

    def shown(self, plan: Plan, results: Sequence[SampleResult]) -> bool:
        """Print the samples in full and, at a terminal, ask whether to go on."""
        self._progress.__exit__(None, None, None)
        console = err()
        for result in results:
            console.print(transcript(result))
        go_on = True
        if self._ask and sys.stdin.isatty() and sys.stderr.isatty():
            go_on = confirmed("Go on with the rest?")
        self._progress.__enter__()
        return go_on

    def ended(self, ending: Ending) -> None:
        """Keep a run's result for the end."""
        self._results.append(ending.result)

    def _print(self) -> None:
        compared = list(self._compared())
        if self._as_json:
            print_json(document(self._results, compared))
        else:
            print_results(self._results, out())
            for comparison in compared:
                out().print()
                print_comparison(comparison, out(), signatures=False)
        judged = self._thresholds.judge(self._results)
        for one in judged:
            say(one.line())
        self.verdict = exit_code(judged)

    def _compared(self) -> Iterator[Comparison]:
        """Compare each suite's further models, or configurations of one, with its first; what cannot be is said."""
        first: dict[str, RunResult] = {}
        for run in self._results:
            base = first.setdefault(run.suite, run)
            if self._compare is None or (base.model, base.alias) == (run.model, run.alias):
                continue
            names = " and ".join(labelled(one.model, one.alias) for one in (base, run))
            if (base.model, base.digest) == (run.model, run.digest):
                say(f"{run.suite}: {names} are not compared: nothing that decides an answer differs between them")
                continue
            try:
                yield self._compare(base.run_id, run.run_id)
            except LlmkitError as error:
                say(f"{run.suite}: {names} are not compared: {error}")


def confirmed(question: str) -> bool:
    """Ask whether to go on.

    Raises:
        KeyboardInterrupt: On Ctrl-C, which the event loop, held up by the question, would not act on.
    """
    import typer

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm(question, default=True, err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


class Line:
    """Passes a run's state to its progress bar."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name = progress, name

    def update(self, state: State) -> None:
        """Take the state."""
        t = state.totals
        self._progress.update(
            state.done, state.total, state.metric, t.cost_usd, state.failed, state.from_cache, state.in_flight,
            run=self._name,
        )  # fmt: skip


def goes_on(error: BaseException | None) -> bool:
    """Whether the same command goes on after it was stopped so; what can only fail again does not."""
    stopped = isinstance(error, (KeyboardInterrupt, asyncio.CancelledError, LlmkitError))
    return stopped and not isinstance(error, (UsageError, NotStoredError))


def this_command() -> str:
    """Return the command line that was typed: the same one goes on."""
    return shlex.join(["llmkit", *(a for a in sys.argv[1:] if a != "--fresh")])
