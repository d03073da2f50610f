"""The progress of runs on stderr: one bar a run. Where nobody watches, it is silent."""

from __future__ import annotations

import time
from types import TracebackType
from typing import NamedTuple, Self

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from llmkit.reports import starting
from llmkit.reports.numbers import count, dollars, duration, figure
from llmkit.reports.text import one_line

REFRESHES_PER_SECOND = 5
_NARROWEST_BAR, _WIDEST_BAR = 8, 30


class _State(NamedTuple):
    done: int
    total: int | None
    metric: tuple[str, float] | None
    cost: float | None
    failed: int
    from_cache: int
    in_flight: int
    note: str = ""


class Progress:
    """Bars that redraw themselves a few times a second, from what :meth:`update` last said.

    ``update`` itself only keeps its arguments, so it may be called for every sample. On a console that is no
    terminal nothing is written at all.

    Args:
        console: Where to draw; a console on stderr by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._states: dict[str, _State] = {}
        self._began: dict[str, float] = {}
        self._first: dict[str, int] = {}
        self._ended: dict[str, float] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            starting.hold(self)
            self._live = Live(
                console=self._console,
                get_renderable=self.render,
                refresh_per_second=REFRESHES_PER_SECOND,
                transient=True,  # the result table says it all again
                redirect_stdout=False,  # stdout belongs to the results, also where stderr is the terminal
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

    def update(
        self,
        done: int,
        total: int | None,
        metric: tuple[str, float] | None = None,
        cost: float | None = None,
        failed: int = 0,
        from_cache: int = 0,
        in_flight: int = 0,
        *,
        run: str = "",
        note: str = "",
    ) -> None:
        """Say where a run stands. A run's first update starts its bar.

        Args:
            done: Samples answered or failed.
            total: Samples planned; None while it is not known.
            metric: Name and running value of one metric.
            cost: Dollars paid so far; None where a price is unknown.
            failed: Samples without an answer.
            from_cache: Samples that came from the cache.
            in_flight: Calls under way.
            run: The run's name; one bar each.
            note: What else its line says.
        """
        if run not in self._states:
            self._began[run] = time.monotonic()
            self._first[run] = done
        self._states[run] = _State(done, total, metric, cost, failed, from_cache, in_flight, note)
        if done == total and run not in self._ended:
            self._ended[run] = time.monotonic()

    def render(self) -> RenderableType:
        """Return the bars as they stand now."""
        lines: list[RenderableType] = starting.lines()
        for run, state in list(self._states.items()):
            seconds = self._ended.get(run, time.monotonic()) - self._began[run]
            details = Text(_details(state, seconds, state.done - self._first[run]))
            room = self._console.width - cell_len(details.plain) - 1
            bar = ProgressBar(
                total=state.total,
                completed=state.done,
                width=min(_WIDEST_BAR, max(_NARROWEST_BAR, room)),
                pulse=state.total is None,
            )
            row = Table.grid(padding=(0, 1, 0, 0))
            row.add_row(bar, details)
            lines += [_head(run, state), row]
        return Group(*lines)


def _head(run: str, state: _State) -> Text:
    text = Text(one_line(run), style="bold")
    if state.metric is not None:
        name, value = state.metric
        text.append(f"  {one_line(name)} {figure(value, 3 if abs(value) < 10 else 1)}", style="not bold cyan")
    if state.from_cache:
        text.append(f"  {count(state.from_cache)} from the cache", style="not bold")
    if state.failed:
        text.append(f"  {count(state.failed)} failed", style="not bold yellow")
    if state.note:
        text.append(f"  {one_line(state.note)}", style="not bold")
    return text


def _details(state: _State, seconds: float, new: int) -> str:
    """Write rate and time left from what this process did itself; what a resumed run had before costs no time."""
    rate = new / seconds if seconds > 0 else 0.0
    total = "?" if state.total is None else count(state.total)
    parts = [f"{count(state.done)}/{total}", f"{figure(rate, 1 if rate < 100 else 0)}/s"]
    if rate > 0 and state.total is not None and state.done < state.total:
        parts.append(f"{duration((state.total - state.done) / rate)} left")
    parts.append("cost unknown" if state.cost is None else dollars(state.cost))
    if state.in_flight:
        parts.append(f"{count(state.in_flight)} in flight")
    return " · ".join(parts)
