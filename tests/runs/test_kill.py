"""Kill -9 at any moment: what is committed is neither lost nor paid for again, and the result is the same.

Each round starts the command line, kills it at a chosen stage, and repeats the same command until it ends by itself.
Stages are seen from outside: the number of requests that the server has taken, or of rows that the store's file holds.
"""

import asyncio
import contextlib
import os
import random

import pytest

from llmkit.runs.store import Store
from tests.providers.server import Server, Tokens, hang
from tests.runs.process import count, end, run, start, until
from tests.runs.project import MODEL, answering, asked, rows

COUNT, CONCURRENCY = 60, 4
COMMAND = ("eval", "sums.yaml", "-m", MODEL, "--concurrency", str(CONCURRENCY), "--json")
ROWS = [*rows(COUNT), *({**row, "id": f"again {row['id']}"} for row in rows(6))]  # six ask what others ask
DIFFERENT = ("run_id", "started_at", "wall_s")  # between a run and another one; all else must be equal
PRICED = '[prices."openai/adder"]\ninput = 1.0\noutput = 2.0\n'


def slowly():
    """Answer in a time that leaves room for a kill between any two answers, wrongly now and then."""
    right = answering(lambda text: "no" if text.startswith(("3", "7")) else str(sum(map(int, text.split("+")))))

    async def behave(exchange):
        await asyncio.sleep(0.001)  # a model's latency, not a way to wait for anything
        await right(exchange)

    return behave


def compared(document):
    return {key: value for key, value in document.items() if key not in DIFFERENT}


def killing_at_requests(extra):
    async def wait(server, store, process):
        target = len(server.log) + extra
        await until(lambda: len(server.log) >= target, process)

    return wait


def killing_at_rows(table, more):
    async def wait(server, store, process):
        target = count(store, table) + more
        await until(lambda: count(store, table) >= target, process)

    return wait


def killing_after(seconds):
    """The stages that nothing shows outside: importing, reading the suite, writing the report."""

    async def wait(server, store, process):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)

    return wait


def killing_at_the_report(extra):
    """Once the last sample is stored, or the result is being written, printed, or the process is leaving."""

    async def wait(server, store, process):
        await until(lambda: count(store, "samples") >= len(ROWS), process)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), extra)

    return wait


def plans(seed):
    """The kills of one round, each at the next start of the same command."""
    draw = random.Random(seed)
    return {
        "start": [killing_after(draw.uniform(0.0, 0.35)) for _ in range(4)],
        "store made": [killing_at_rows("sqlite_master", 1), killing_at_rows("runs", 1), killing_at_requests(1)],
        "calls": [killing_at_requests(draw.randint(1, 9)) for _ in range(4)],
        "commits": [killing_at_rows("answers", draw.randint(1, 9)) for _ in range(4)],
        "samples": [killing_at_rows("samples", draw.randint(1, 9)) for _ in range(3)],
        "scores": [killing_at_rows("scores", draw.randint(1, 9)) for _ in range(4)],
        "report": [killing_at_the_report(0.0), *(killing_at_the_report(draw.uniform(0.0, 0.03)) for _ in range(2))],
        "some": [killing_at_requests(9), killing_at_rows("samples", 4), killing_at_rows("answers", 2)],
    }


async def uninterrupted(project, folder, server):
    """Run the same suite to its end with a store of its own."""
    ended = await run(project.folder, server, *COMMAND, "--store", str(folder))
    assert ended.code == 0, ended.err
    document = ended.document
    server.log.clear()
    server.billed.clear()
    return document


@pytest.mark.parametrize("stage", plans(0) if os.environ.get("ALL_KILLS") else ["some"])
async def test_a_run_killed_again_and_again_ends_like_one_that_was_not(project, tmp_path_factory, stage):
    project.configure(PRICED)
    project.suite(ROWS, scorers="[exact_match, f1, bleu]", mapped=", slices: [topic], cluster: topic")
    async with Server(default=slowly()) as server:
        expected = await uninterrupted(project, tmp_path_factory.mktemp("whole"), server)
        killed = 0
        for kill in plans(20261122)[stage]:
            process = await start(project.folder, server, *COMMAND)
            await kill(server, project.store, process)
            if process.returncode is None:
                process.kill()
                killed += 1
            await end(process)
        ended = await run(project.folder, server, *COMMAND)
        assert ended.code == 0, ended.err
    assert killed >= len(plans(0)[stage]) - 1  # a report may be out before its kill arrives
    requests = asked(server)
    assert set(requests) == {row["question"] for row in rows(COUNT)}
    assert len(requests) - COUNT <= killed * CONCURRENCY
    document = ended.document
    if document["samples"]["from_cache"]:  # every kill came too late: the last command found a finished run
        assert document["samples"]["from_cache"] == len(ROWS)
        assert stage == "report"
        assert document["metrics"] == expected["metrics"]
    else:
        assert compared(document) == compared(expected)


async def test_every_stage_is_killed_at_often_enough():
    assert sum(len(kills) for kills in plans(0).values()) >= 24


async def test_two_runs_at_once_on_one_store_both_end_right(project):
    project.configure(PRICED)
    project.suite(rows(COUNT), scorers="[exact_match, f1]")
    async with Server(default=slowly()) as server:
        several = [await start(project.folder, server, *COMMAND) for _ in range(2)]
        ended = [await end(process) for process in several]
    assert [e.code for e in ended] == [0, 0], [e.err for e in ended]
    one, other = (e.document for e in ended)
    assert one["run_id"] != other["run_id"]
    assert one["metrics"] == other["metrics"]
    assert [d["samples"]["completed"] for d in (one, other)] == [COUNT, COUNT]
    assert COUNT <= len(server.log) <= 2 * COUNT


async def test_two_suites_at_once_on_one_store_do_not_mix(project):
    project.suite(rows(40), name="one")
    project.suite(rows(40), name="two", prompt="What is {{question}}?")
    async with Server(default=answering(tokens=Tokens(10, 1))) as server:
        several = [
            await start(project.folder, server, "eval", f"{name}.yaml", "-m", MODEL, "--json")
            for name in ("one", "two")
        ]
        ended = [await end(process) for process in several]
    assert [e.code for e in ended] == [0, 0], [e.err for e in ended]
    assert [e.document["suite"] for e in ended] == ["one", "two"]
    assert [e.document["metrics"]["exact_match"]["value"] for e in ended] == [1.0, 1.0]
    assert len(server.log) == 80


async def test_a_cap_holds_over_a_kill_because_calls_in_flight_stay_charged(project):
    project.configure('[prices."openai/adder"]\ninput = 1000000.0\noutput = 1000000.0\n')  # a dollar a token
    project.suite(30)
    command = ("eval", "sums.yaml", "-m", MODEL, "--concurrency", "3", "-M", "max_tokens=10", "--max-cost", "3500")
    async with Server(default=hang) as server:
        process = await start(project.folder, server, *command)
        await server.wait_for(3)
        process.kill()
        await end(process)
        with Store(project.store) as store:
            run_id = store.runs()[0].run_id
            assert store.spent(run_id) == 0.0  # nothing was answered, and nobody had the time to write more
        server.default = answering(tokens=Tokens(100, 7))
        ended = await run(project.folder, server, *command, "--json")
    with Store(project.store) as store:
        spent, (lost, unknown) = store.spent(run_id), store.lost(run_id)
    paid = sum(map(sum, server.billed))
    assert (ended.code, ended.document["status"]) == (3, "budget")
    assert (lost, unknown) == (1, None)
    assert spent - paid > 3 * 10  # the worst cases of three calls: more than their answers alone
    assert spent <= 3500
