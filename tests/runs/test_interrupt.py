"""Ctrl-C and SIGTERM: out within two seconds, with all that was answered kept and the command that goes on said."""

import asyncio
import shlex
import signal
import time
from types import SimpleNamespace

import pytest

from tests.providers.server import Server, hang
from tests.runs.process import ROOT, count, end, run, start, until
from tests.runs.project import MODEL, add, answering

PATIENCE_S = 2.0
COMMAND = ("eval", "sums.yaml", "-m", MODEL, "--concurrency", "4", "--json")


def hanging_from(number):
    """Answer sums below ``number``; hold all others for ever."""
    return answering(lambda text: add(text) if int(text.split("+")[0]) < number else hang)


async def interrupted(process, *signals):
    """Send signals, and return how the process ended and in how many seconds."""
    began = time.monotonic()
    for number in signals:
        process.send_signal(number)
    async with asyncio.timeout(30):
        ended = await end(process)
    return ended, time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_run_stops_within_two_seconds_and_keeps_all(project, number):
    project.suite(20)
    async with Server(default=hanging_from(10)) as server:
        process = await start(project.folder, server, *COMMAND)
        await server.wait_for(14)  # ten answers, and four calls that hang
        ended, seconds = await interrupted(process, number)
        assert ended.code == 130, ended.err
        assert seconds < PATIENCE_S
        assert (ended.document["status"], ended.document["stopped_by"]) == ("interrupted", "interrupted")
        assert ended.document["samples"]["completed"] == 10
        assert ended.document["metrics"]["exact_match"]["n"] == 10
        assert "Traceback" not in ended.err
        assert len(ended.err.splitlines()) <= 3
        server.log.clear()
        server.default = answering()
        line = next(line for line in ended.err.splitlines() if "go on with:" in line)
        assert "10 answers are kept" in line
        command = shlex.split(line.partition("go on with: ")[2])
        again = await run(project.folder, server, *command[1:])
    assert command[0] == "llmkit"
    assert again.code == 0, again.err
    assert again.document["run_id"] == ended.document["run_id"]
    assert (again.document["status"], again.document["samples"]["completed"]) == ("completed", 20)
    assert len(server.log) == 10


async def test_sigterm_stops_a_job_that_a_script_put_in_the_background(project):
    project.suite(20)
    async with Server(default=hanging_from(10)) as server:
        process = await start(project.folder, server, *COMMAND, ignored=signal.SIGINT)  # as `llmkit eval … &` does
        await server.wait_for(14)
        ended, seconds = await interrupted(process, signal.SIGTERM)
    assert ended.code == 130, ended.err
    assert seconds < PATIENCE_S
    assert ended.document["status"] == "interrupted"
    assert ended.document["samples"]["completed"] == 10


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops a process")
async def test_answers_that_came_before_the_interruption_are_kept_although_nobody_has_read_them(project):
    project.suite(20)
    stopped, sent = asyncio.Event(), []

    async def answer(exchange):
        if len(server.log) > 10:
            await stopped.wait()
        await answering()(exchange)
        sent.append(exchange.seen)

    async with Server(default=answer) as server:
        process = await start(project.folder, server, *COMMAND)
        await server.wait_for(14)  # ten answers are kept, and four are awaited
        process.send_signal(signal.SIGSTOP)
        stopped.set()
        await until(lambda: len(sent) == 14, process)
        ended, _ = await interrupted(process, signal.SIGINT, signal.SIGCONT)
    assert (ended.code, ended.document["samples"]["completed"]) == (130, 14)


async def test_an_interruption_before_the_first_answer_keeps_the_run(project):
    project.suite(20)
    async with Server(default=hang) as server:
        process = await start(project.folder, server, *COMMAND)
        await server.wait_for(4)
        ended, seconds = await interrupted(process, signal.SIGINT)
    assert (ended.code, ended.document["samples"]["completed"]) == (130, 0)
    assert seconds < PATIENCE_S


async def test_a_second_ctrl_c_ends_it_too(project):
    project.suite(20)
    async with Server(default=hanging_from(10)) as server:
        process = await start(project.folder, server, *COMMAND)
        await server.wait_for(14)
        ended, seconds = await interrupted(process, signal.SIGINT, signal.SIGINT)
        assert ended.code in (130, -signal.SIGINT)
        assert seconds < PATIENCE_S
        server.log.clear()
        server.default = answering()
        again = await run(project.folder, server, *COMMAND)
    assert (again.code, len(server.log)) == (0, 10)


@pytest.fixture
def slow(project):
    """Install the heavy scorer as an entry point of a distribution of its own, found by its folder alone.

    It makes the file ``began`` once it has work, and does none before there is the file ``go``.
    """
    site = project.folder / "site"
    info = site / "slow-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[llmkit.scorers]\nslow = tests.runs.slow_scorer:Slow\n")
    files = SimpleNamespace(began=project.folder / "began", go=project.folder / "go")
    project.monkeypatch.setenv("SLOW_SCORER_BEGAN", str(files.began))
    project.monkeypatch.setenv("SLOW_SCORER_GO", str(files.go))
    project.monkeypatch.setenv("SLOW_SCORER_S", "0.1")
    project.monkeypatch.setenv("EXTRA_PATH", str(site))
    return files


@pytest.mark.parametrize("each", ["0.02", "0.5"], ids=["batch of .6 s", "batch of 16 s"])
async def test_ctrl_c_during_a_heavy_scorer_keeps_the_answers(project, slow, each):
    project.monkeypatch.setenv("SLOW_SCORER_S", each)
    project.suite(60, scorers="[slow]")
    async with Server(default=answering()) as server:
        process = await start(project.folder, server, *COMMAND)
        await until(lambda: slow.began.exists() and count(project.store, "answers") == 60, process)
        process.send_signal(signal.SIGINT)
        slow.go.touch()
        ended, seconds = await interrupted(process)
        assert ended.code == 130, ended.err
        assert seconds < PATIENCE_S
        project.monkeypatch.setenv("SLOW_SCORER_S", "0")
        again = await run(project.folder, server, *COMMAND)
    assert again.code == 0, again.err
    assert again.document["metrics"]["slow"]["n"] == 60
    assert len(server.log) == 60


async def test_ctrl_c_during_a_rescoring_ends_its_run_and_no_evaluation_goes_on_with_it(project, slow):
    project.suite(60)
    async with Server(default=answering()) as server:
        first = await run(project.folder, server, *COMMAND)
        process = await start(project.folder, server, "rescore", "latest", "--scorer", "slow", "--json")
        await until(slow.began.exists, process)
        process.send_signal(signal.SIGINT)
        slow.go.touch()
        ended, seconds = await interrupted(process)
        assert ended.code == 130, ended.err
        assert seconds < PATIENCE_S
        assert "Traceback" not in ended.err
        assert "Exception ignored" not in ended.err
        assert "scores are kept" in ended.err
        assert ended.document["status"] == "interrupted"
        again = await run(project.folder, server, *COMMAND)
    assert again.document["run_id"] not in (first.document["run_id"], ended.document["run_id"])
    assert len(server.log) == 60


def test_the_scorer_is_where_the_entry_point_says():
    assert (ROOT / "tests" / "runs" / "slow_scorer.py").is_file()
