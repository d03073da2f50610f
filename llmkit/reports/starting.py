"""Models that are starting, on stderr: a line that moves at a terminal, and a few plain ones in a log.

There is one terminal, and one display at a time redraws itself on it: where a run's bars do (``Progress``,
``Waiting``), they hold these lines, too; elsewhere they have a display of their own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner

from llmkit.reports.text import one_line

REFRESHES_PER_SECOND = 5
STARTED = "started"
"""The stage that ends a start which went well, as ``providers.starting`` says it."""
SOON_S = 5.0
"""A start that takes no longer is worth no line in a log."""
OFTEN_S = 5.0
"""A log gets no more than one line of a start in so many seconds."""
LONG_S = 30.0
"""A log gets a line at the latest after so many seconds, for a job that says nothing may be taken for dead."""

_starts: dict[str, _Start] = {}
_holders: list[Holder] = []
_drawn: list[Starting] = []


class Holder(Protocol):
    """A display that redraws itself, and shows ``lines`` among its own."""

    def redraw(self) -> None:
        """Draw it now."""
        ...


class _Start:
    def __init__(self, now: float) -> None:
        self.stage, self.began, self.said = "", now, now
        self.spinner = Spinner("dots")
        self.told = False
        self.alarm: threading.Timer | None = None


def hold(display: Holder) -> None:
    """Take the lines into a display that redraws itself; ``lines`` returns them. Two may not redraw one terminal."""
    _holders.append(display)
    for own in list(_drawn):
        own.draw()


def release(display: Holder) -> None:
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
        timer: Calls a function after so many seconds, in a thread; for tests.
    """

    def __init__(
        self,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        timer: Callable[[float, Callable[[], None]], threading.Timer] = threading.Timer,
    ) -> None:
        self._console, self._clock, self._timer = console, clock, timer
        self._live: Live | None = None
        self._lock = threading.RLock()  # weights are fetched in a thread

    def __call__(self, who: str, stage: str | None) -> None:
        """Take a stage; None ends the start, of which nothing is said: an error is, or it was a download alone."""
        with self._lock:
            start = _starts.get(who)
            over = stage is None or stage == STARTED
            if over:
                _starts.pop(who, None)
            elif start is None:
                start = _starts[who] = _Start(self._clock())
            if start is not None:
                start.stage = stage or start.stage
                if not self._console.is_terminal:
                    self._log(who, start, over=over)
            self.draw()
            for holder in _holders:
                holder.redraw()

    def _log(self, who: str, start: _Start, *, over: bool) -> None:
        """Write a line where it is time for one, and see to it that the next is not too long in coming."""
        now = self._clock()
        started = start.stage == STARTED
        due = start.told and started if over else now - start.began >= SOON_S and now - start.said >= OFTEN_S
        if due:
            seconds = _seconds(now - start.began)
            what = f"started in {seconds}" if started else f"{start.stage}, {seconds}"
            self._console.print(f"llmkit: {one_line(who)}: {one_line(what)}", markup=False, soft_wrap=True)
            start.said, start.told = now, True
        if start.alarm is not None and (due or over):
            start.alarm.cancel()
            start.alarm = None
        if start.alarm is None and not over:
            start.alarm = self._timer(LONG_S if start.told else SOON_S, lambda: self._remind(who, start))
            start.alarm.daemon = True  # the process does not wait for it
            start.alarm.start()

    def _remind(self, who: str, start: _Start) -> None:
        with self._lock:
            if _starts.get(who) is start:
                start.alarm = None
                self._log(who, start, over=False)

    def draw(self) -> None:
        """Begin to draw, where models start and nothing else redraws the terminal; or end it."""
        with self._lock:
            self._draw()

    def _draw(self) -> None:
        if _starts and self._live is None and not _holders and self._console.is_terminal:
            self._live = Live(
                console=self._console, get_renderable=lambda: Group(*lines()), transient=True, redirect_stdout=False,
                refresh_per_second=REFRESHES_PER_SECOND,
            )  # fmt: skip
            self._live.start()
            _drawn.append(self)
        elif self._live is not None and (not _starts or _holders):
            self._live.stop()
            self._live = None
            _drawn.remove(self)


def _seconds(seconds: float) -> str:
    return f"{max(0.0, seconds):,.0f} s"
