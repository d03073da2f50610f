"""The progress of runs."""

import io
import time

import pytest
from rich.console import Console

from llmkit.reports import progress
from llmkit.reports.progress import Progress
from tests.reports.records import printed


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def shown(bars, width=120):
    return [" ".join(line.split()) for line in printed(bars.render(), width).splitlines()]


def test_a_bar_shows_count_metric_failures_rate_time_left_and_cost(clock):
    bars = Progress(Console(file=io.StringIO()))
    bars.update(0, 1_200, run="quickstart · local/smol")
    clock.now += 10
    bars.update(200, 1_200, ("exact_match", 0.8251), 0.0123, 3, 40, 16, run="quickstart · local/smol")
    head, details = shown(bars)
    assert head == "quickstart · local/smol exact_match 0.825 40 from the cache 3 failed"
    assert details.lstrip("━╸╺ ") == "200/1,200 · 20.0/s · 50.0 s left · $0.0123 · 16 in flight"


def test_each_run_has_its_bar(clock):
    bars = Progress(Console(file=io.StringIO()))
    bars.update(1, 10, run="first")
    bars.update(2, 20, run="second")
    assert [line.split()[0] for line in shown(bars)[::2]] == ["first", "second"]


def test_a_bar_fits_in_eighty_columns(clock):
    bars = Progress(Console(file=io.StringIO(), width=80))
    bars.update(0, 12_000)
    clock.now += 10
    bars.update(2_000, 12_000, ("exact_match", 0.8), 0.0123, 3, 400, 64)
    assert len(shown(bars, 80)) == 2


def test_what_a_resumed_run_had_before_is_no_speed(clock):
    bars = Progress(Console(file=io.StringIO()))
    bars.update(900, 1_000)
    clock.now += 5
    bars.update(950, 1_000)
    assert "950/1,000 · 10.0/s · 5.0 s left" in shown(bars)[1]


def test_a_finished_run_keeps_its_rate(clock):
    bars = Progress(Console(file=io.StringIO()))
    bars.update(0, 10, cost=0.0)
    clock.now += 5
    bars.update(10, 10, cost=0.0)
    clock.now += 500
    assert shown(bars)[1].endswith(" 10/10 · 2.0/s · $0")


def test_an_unknown_total_and_cost_are_unknown(clock):
    bars = Progress(Console(file=io.StringIO()))
    bars.update(7, None)
    assert shown(bars)[1].endswith(" 7/? · 0.0/s · cost unknown")


def test_where_nobody_watches_it_is_silent():
    stream = io.StringIO()
    with Progress(Console(file=stream, force_terminal=False)) as bars:
        for done in range(50):
            bars.update(done, 50)
    assert stream.getvalue() == ""


def test_a_terminal_sees_the_last_state_and_then_a_clean_screen():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, legacy_windows=False)
    with Progress(console) as bars:
        bars.update(50, 50, ("em", 0.5), run="quick")
    assert "50/50" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")
    assert "\x1b[?25h" in stream.getvalue()  # the cursor is back


def test_the_screen_is_clean_after_an_interruption_too():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, legacy_windows=False)
    with pytest.raises(KeyboardInterrupt), Progress(console) as bars:
        bars.update(1, 50)
        raise KeyboardInterrupt
    assert "\x1b[?25h" in stream.getvalue()


def test_stdout_is_left_alone(capsys):
    console = Console(file=io.StringIO(), force_terminal=True)
    with Progress(console) as bars:
        bars.update(1, 2)
        print('{"runs": []}')  # noqa: T201
    assert capsys.readouterr().out == '{"runs": []}\n'


def test_names_are_shown_not_obeyed(clock):
    bars = Progress(Console(file=io.StringIO()))
    bars.update(1, 2, ("[red]m", 0.5), run="[bold]\x1b[2J")
    head = shown(bars)[0]
    assert head.startswith(r"[bold]\x1b[2J")
    assert "[red]m" in head


def test_an_update_draws_nothing_by_itself():
    """A run calls it for every sample, so drawing is left to a few refreshes a second."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    with Progress(console) as bars:
        began, drawn = time.monotonic(), 0
        for done in range(20_000):
            bars.update(done, 20_000, run="quick")
        drawn = stream.getvalue().count("quick")
        assert drawn <= 2 + progress.REFRESHES_PER_SECOND * (time.monotonic() - began)
    assert progress.REFRESHES_PER_SECOND <= 10
