"""One ``llmkit judge run`` at a terminal: what it says while a judge is asked."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from llmkit.cli.console import err, say
from llmkit.cli.session import goes_on, this_command
from llmkit.reports.progress import Progress


class Watching:
    """A bar for what is judged, on standard error; and, where it was stopped, how to go on.

    Args:
        cache: Whether answers of earlier calls count, so that the same command goes on.
    """

    def __init__(self, *, cache: bool) -> None:
        self._progress = Progress(err())
        self._cache, self._asked = cache, False

    def __enter__(self) -> Self:
        self._progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, error, trace)
        if self._asked and self._cache and goes_on(error):
            say(f"what is paid for is kept; go on with: {this_command()}")

    def told(self, what: str, done: int, total: int, cost_usd: float | None) -> None:
        """Take how far a judging is."""
        self._asked = True
        self._progress.update(done, total, cost=cost_usd, run=what)
