"""One ``llmkit gate`` at a terminal: what it says while it runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from llmkit.cli.console import err, say
from llmkit.cli.session import Line, this_command
from llmkit.gate.evidence import SideName
from llmkit.gate.experiment import GateHooks
from llmkit.reports.numbers import count
from llmkit.reports.progress import Progress
from llmkit.runs.state import Observer
from llmkit.stats.sequential.reading import Reading
from llmkit.verdicts import Planned

INTERRUPTIONS = (KeyboardInterrupt, asyncio.CancelledError)


class Gating(GateHooks):
    """Progress on standard error: a bar a side, and a line a look.

    Args:
        cache: Whether answers of earlier runs count, so that the same command goes on where it was interrupted.
    """

    def __init__(self, *, cache: bool) -> None:
        self._progress = Progress(err())
        self._cache = cache
        self._asked = False

    def __enter__(self) -> Self:
        self._progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, error, trace)
        if self._asked and kind is not None and issubclass(kind, INTERRUPTIONS):
            go_on = f", and the same command takes them from the cache: {this_command()}" if self._cache else ""
            say(f"interrupted; every answer is kept{go_on}")

    def planned(self, suite: str, planned: Planned) -> None:
        """Say what is about to be asked."""
        self._asked = True
        if sys.stderr.isatty():
            line = f"{suite}: up to {count(planned.n_max)} {planned.unit} on both sides, {count(planned.calls)} calls"
            err().print(line, style="dim", markup=False)

    def observer(self, suite: str, side: SideName) -> Observer | None:
        """Return a progress line for one side."""
        return Line(self._progress, f"{suite} · {side}")

    def looked(self, suite: str, look: int, looks: int, units: int, readings: Mapping[str, Reading]) -> None:
        """Say what a look found."""
        if sys.stderr.isatty():
            found = ", ".join(f"{name}: {reading.verdict}" for name, reading in readings.items())
            err().print(f"{suite}: look {look} of {looks} at {count(units)}: {found}", style="dim", markup=False)
