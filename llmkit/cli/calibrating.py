"""One ``llmkit judge calibrate`` at a terminal: what it says before, and while, it asks."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from llmkit.calibration.options import CalibrateHooks, Outlay
from llmkit.cli.console import err, out, print_json, say
from llmkit.cli.session import confirmed, goes_on, this_command
from llmkit.reports.outlook import outlook_document, print_outlook
from llmkit.reports.progress import Progress


class Calibrating(CalibrateHooks):
    """The outlook before the first call, then a bar a stage on standard error.

    Args:
        dry_run: Show the outlook on standard output, and stop.
        ask: Ask whether to go on, at a terminal.
        as_json: Whether the outlook of ``--dry-run`` is a JSON document.
        cache: Whether answers of earlier calls count, so that the same command goes on where it was interrupted.
    """

    def __init__(self, *, dry_run: bool, ask: bool, as_json: bool, cache: bool) -> None:
        self._dry_run, self._ask, self._as_json, self._cache = dry_run, ask, as_json, cache
        self._progress = Progress(err())
        self._asked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, error, trace)
        if self._asked and self._cache and goes_on(error):
            say(f"what is paid for is kept, and no lock is written; go on with: {this_command()}")

    def planned(self, judge: str, outlay: Outlay) -> bool:
        """Show what the labels can reach and what would be asked; returns whether to ask it."""
        if self._dry_run and self._as_json:
            print_json(outlook_document(judge, outlay))
            return False
        print_outlook(judge, outlay, out() if self._dry_run else err())
        if self._dry_run:
            return False
        self._asked = not self._ask or confirmed("Ask this?")
        if self._asked:
            self._progress.__enter__()
        return self._asked

    def stage(self, name: str, done: int, total: int, cost_usd: float | None) -> None:
        """Take how far a stage is."""
        self._progress.update(done, total, cost=cost_usd, run=name)
