"""Models that are starting: a moving line at a terminal, few plain ones in a log."""

import io

import pytest
from rich.console import Console, Group

import llmkit.providers.starting as told
from llmkit.reports import starting
from llmkit.reports.progress import Progress
from llmkit.reports.starting import STARTED, Starting


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Alarm:
    """A timer that goes off when it is told to."""

    def __init__(self, seconds, function):
        self.seconds, self.function = seconds, function
        self.started = self.cancelled = False
        alarms.append(self)

    def start(self):
        self.started = True

    def cancel(self):
        self.cancelled = True


alarms: list[Alarm] = []


@pytest.fixture(autouse=True)
def nothing_starts():
    starting._starts.clear()
    alarms.clear()
    yield


def waiting():
    return [alarm for alarm in alarms if alarm.started and not alarm.cancelled]


@pytest.fixture
def log():
    return Console(file=io.StringIO(), width=80, force_terminal=False)


@pytest.fixture
def terminal():
    return Console(file=io.StringIO(), width=80, force_terminal=True, legacy_windows=False)


def shown(lines):
    console = Console(file=io.StringIO(), width=80)
    console.print(Group(*lines))
    return console.file.getvalue()


def test_a_start_that_is_soon_over_leaves_no_line_in_a_log(log):
    clock = Clock()
    watcher = Starting(log, clock, Alarm)
    for at, stage in ((0, "starting"), (2, "loading weights"), (4.9, STARTED)):
        clock.now = 100 + at
        watcher("vllm/m", stage)
    assert log.file.getvalue() == ""


def test_a_long_one_has_a_line_at_a_new_stage_now_and_then_and_one_at_its_end(log):
    clock = Clock()
    watcher = Starting(log, clock, Alarm)
    for at, stage in (
        (0, "starting"),
        (6, "loading weights"),
        (7, "compiling"),
        (30, "capturing CUDA graphs"),
        (42, STARTED),
        (42, None),
    ):
        clock.now = 100 + at
        watcher("vllm/m", stage)
    assert log.file.getvalue().splitlines() == [
        "llmkit: vllm/m: loading weights, 6 s",
        "llmkit: vllm/m: capturing CUDA graphs, 30 s",
        "llmkit: vllm/m: started in 42 s",
    ]


def test_a_terminal_shows_who_starts_and_what_it_does(terminal):
    watcher = Starting(terminal)
    watcher("vllm/m", "loading weights")
    assert "vllm/m · loading weights · 0" in shown(starting.lines())
    watcher("vllm/m", None)


def test_two_starts_have_a_line_each(terminal):
    watcher = Starting(terminal)
    watcher("vllm/one", "loading weights")
    watcher("local/two", "fetching weights")
    assert len(starting.lines()) == 2
    watcher("vllm/one", None)
    assert len(starting.lines()) == 1
    watcher("local/two", None)


def test_where_bars_are_drawn_they_hold_the_lines(terminal):
    watcher = Starting(terminal)
    with Progress(terminal) as progress:
        watcher("vllm/m", "loading weights")
        assert "vllm/m · loading weights" in shown([progress.render()])
        assert watcher._live is None
        watcher("vllm/m", None)


def test_the_display_of_its_own_ends_with_the_last_start(terminal):
    watcher = Starting(terminal)
    watcher("vllm/m", "loading weights")
    assert watcher._live is not None
    watcher("vllm/m", None)
    assert watcher._live is None
    assert starting.lines() == []
    assert "\x1b[?25h" in terminal.file.getvalue()  # the cursor is back


def test_what_a_log_says_cannot_command_a_terminal(log):
    clock = Clock()
    watcher = Starting(log, clock, Alarm)
    watcher("vllm/m", "starting")
    clock.now += 9
    watcher("vllm/m", "loading\x1b[2J\nllmkit: passed")
    watcher("vllm/m", None)
    assert "\x1b" not in log.file.getvalue()
    assert len(log.file.getvalue().splitlines()) == 1


def test_a_stage_that_is_long_is_said_once_it_is_and_again_so_that_nobody_thinks_it_dead(log):
    clock = Clock()
    watcher = Starting(log, clock, Alarm)
    watcher("vllm/m", "loading weights")
    (alarm,) = waiting()
    assert alarm.seconds == 5.0
    clock.now += 5
    alarm.function()
    assert log.file.getvalue() == "llmkit: vllm/m: loading weights, 5 s\n"
    later = alarms[-1]
    assert later.seconds == 30.0
    clock.now += 30
    later.function()
    assert log.file.getvalue().splitlines()[1:] == ["llmkit: vllm/m: loading weights, 35 s"]


def test_no_alarm_outlives_its_start(log):
    watcher = Starting(log, Clock(), Alarm)
    watcher("vllm/m", "loading weights")
    watcher("vllm/m", None)
    assert waiting() == []
    alarms[0].function()
    assert log.file.getvalue() == ""


def test_a_start_that_fails_is_not_called_started(log):
    clock = Clock()
    watcher = Starting(log, clock, Alarm)

    def fail():
        try:
            watcher("vllm/m", "starting")
            clock.now += 9
            watcher("vllm/m", "loading weights")
            raise RuntimeError("out of memory")
        finally:
            watcher("vllm/m", None)

    with pytest.raises(RuntimeError):
        fail()
    assert log.file.getvalue() == "llmkit: vllm/m: loading weights, 9 s\n"


def test_a_download_alone_is_no_start(log):
    clock = Clock()
    watcher = Starting(log, clock, Alarm)
    watcher("vllm/m", "fetching config.json, file 1 of 3")
    clock.now += 9
    watcher("vllm/m", "fetching model.safetensors, file 3 of 3")
    watcher("vllm/m", None)
    assert log.file.getvalue() == "llmkit: vllm/m: fetching model.safetensors, file 3 of 3, 9 s\n"


def test_the_word_for_a_start_that_went_well_is_the_providers():
    assert told.STARTED == STARTED


def test_bars_that_begin_while_a_model_starts_take_over_its_line(terminal):
    watcher = Starting(terminal)
    watcher("vllm/m", "loading weights")
    with Progress(terminal) as progress:
        assert watcher._live is None
        assert "vllm/m · loading weights" in shown([progress.render()])
    watcher("vllm/m", None)
