"""Models that are starting, on stderr: a line that moves at a terminal, and a few plain ones in a log.

There is one terminal, and one display at a time redraws itself on it: where a run's bars do (``Progress``,
``Waiting``), they hold these lines, too; elsewhere they have a display of their own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner

from llmkit.reports.text import one_line

REFRESHES_PER_SECOND = 5
SOON_S = 5.0
"""A start that takes no longer is worth no line in a log."""
OFTEN_S = 5.0
"""A log gets no more than one line in so many seconds."""

_starts: dict[str, _Start] = {}
_holders: list[object] = []


class _Start:
    def __init__(self, now: float) -> None:
        self.stage, self.began, self.said = "", now, now
        self.spinner = Spinner("dots")
        self.told = False


def hold(display: object) -> None:
    """Take the lines into a display that redraws itself; ``lines`` returns them."""
    _holders.append(display)


def release(display: object) -> None:
    """Give them up."""
    if display in _holders:
        _holders.remove(display)


def lines() -> list[RenderableType]:
    """Return a line for each model that is starting now."""
    found: list[RenderableType] = []
    for who, start in list(_starts.items()):
        start.spinner.update(
            text=f"{one_line(who)} · {one_line(start.stage)} · {_seconds(time.monotonic() - start.began)}"
        )
        found.append(start.spinner)
    return found


class Starting:
    """Takes what starts say of themselves (``providers.starting.Watcher``).

    Args:
        console: Where to draw or write.
        clock: Seconds, for tests.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._live: Live | None = None
        self._lock = threading.Lock()  # weights are fetched in a thread

    def __call__(self, who: str, stage: str | None) -> None:
        """Take a stage; None ends the start."""
        with self._lock:
            start = _starts.get(who)
            if stage is None:
                _starts.pop(who, None)
            elif start is None:
                start = _starts[who] = _Start(self._clock())
            if start is not None:
                start.stage = stage or start.stage
                if not self._console.is_terminal:
                    self._log(who, start, over=stage is None)
            self._draw()

    def _log(self, who: str, start: _Start, *, over: bool) -> None:
        now = self._clock()
        if now - start.began < SOON_S or (not over and now - start.said < OFTEN_S):
            return
        if over and not start.told:
            return
        what = f"started in {_seconds(now - start.began)}" if over else f"{start.stage}, {_seconds(now - start.began)}"
        self._console.print(f"llmkit: {one_line(who)}: {one_line(what)}", markup=False, soft_wrap=True)
        start.said, start.told = now, True

    def _draw(self) -> None:
        if _starts and self._live is None and not _holders and self._console.is_terminal:
            self._live = Live(
                console=self._console, get_renderable=lambda: Group(*lines()), transient=True, redirect_stdout=False,
                refresh_per_second=REFRESHES_PER_SECOND,
            )  # fmt: skip
            self._live.start()
        elif self._live is not None and (not _starts or _holders):
            self._live.stop()
            self._live = None


def _seconds(seconds: float) -> str:
    return f"{max(0.0, seconds):,.0f} s"
