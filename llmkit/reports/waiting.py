"""The line that says what one generation waits for. Where nobody watches, it is silent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from llmkit.generations import Attempt
from llmkit.reports import starting
from llmkit.reports.bill import verdict
from llmkit.reports.issues import issue_text, safe
from llmkit.reports.numbers import duration
from llmkit.text import cut

REFRESHES_PER_SECOND = 5


class Waiting:
    """One line that redraws itself: which attempt is under way, for how long, and what was wrong with the last.

    Args:
        console: Where to draw; on one that is no terminal nothing is written at all.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner = Spinner("dots")
        self._attempts: Sequence[Attempt] = ()
        self._under_way: Attempt | None = None
        self._began = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            starting.hold(self)
            self._live = Live(
                console=self._console,
                get_renderable=self.render,
                refresh_per_second=REFRESHES_PER_SECOND,
                transient=True,  # the bill says it all again
                redirect_stdout=False,  # standard output belongs to the answer
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
            starting.release(self)

    def redraw(self) -> None:
        """Draw it now: a model's start has come to another stage."""
        if self._live is not None:
            self._live.refresh()

    def update(self, attempts: Sequence[Attempt], under_way: Attempt | None) -> None:
        """Take the attempts so far, and the one that is under way."""
        if under_way is not None:
            self._began = time.monotonic()
        self._attempts, self._under_way = tuple(attempts), under_way

    def render(self) -> RenderableType:
        """Return the line as it stands now; before it, those of models that are starting."""
        line = Text(no_wrap=True, overflow="ellipsis")
        if self._under_way is not None:
            line.append(f"attempt {self._under_way.number}", style="bold")
            line.append(f" · {safe(self._under_way.model)} · {self._under_way.strategy}")
            line.append(f" · {duration(time.monotonic() - self._began)}", style="dim")
        if self._attempts and not self._attempts[-1].valid:
            line.append(f" · before: {_wrong(self._attempts[-1])}", style="yellow")
        self._spinner.update(text=line)
        begun = starting.lines()
        return Group(*begun, self._spinner) if begun else self._spinner


def _wrong(attempt: Attempt) -> str:
    return cut(issue_text(attempt.issues[0]).plain, 80) if attempt.issues else verdict(attempt)
