"""Kill -9 in a judged run: neither an answer nor a verdict that is committed is paid for again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.judges.project import project as judged_project
from tests.judges.seats import says
from tests.providers.server import Behaviour, Exchange, Server, ok
from tests.runs.process import count, end, run, start, until
from tests.runs.project import MODEL, Project, add, question, rows
from tests.runs.test_kill import CONCURRENCY

COUNT = 30
COMMAND = ("eval", "sums.yaml", "-m", MODEL, "--concurrency", str(CONCURRENCY), "--json")
PRICED = "".join(f'[prices."openai/{name}"]\ninput = 1.0\noutput = 2.0\n' for name in ("adder", "judge"))


def model_of(exchange: Exchange) -> str:
    return str(exchange.seen.body["model"])


def both() -> Behaviour:
    """The model adds, and the judge passes even sums; both take a little time."""

    async def behave(exchange: Exchange) -> None:
        await asyncio.sleep(0.001)  # a model's latency, not a way to wait for anything
        text = question(exchange.seen)
        if model_of(exchange) == "adder":
            await ok(add(text))(exchange)
            return
        even = text.split("</answer-")[0].rstrip()[-1] in "02468"
        await ok(says("pass" if even else "fail"))(exchange)

    return behave


@pytest.mark.parametrize("kills", [(("answers", 3), ("judging", 5))])
async def test_a_judged_run_that_was_killed_pays_for_nothing_twice(
    project: Project, tmp_path_factory: pytest.TempPathFactory, kills: tuple[tuple[str, int], ...]
) -> None:
    judged_project(project.folder, model="openai/judge")
    project.configure(PRICED)
    project.suite(rows(COUNT), scorers="[{judge: relevance}]")
    whole = tmp_path_factory.mktemp("whole")
    async with Server(default=both()) as server:
        expected = await run(project.folder, server, *COMMAND, "--store", str(whole))
        assert expected.code == 0, expected.err
        server.log.clear()
        for table, more in kills:
            process = await start(project.folder, server, *COMMAND)
            target = count(project.store, table) + more
            await until(lambda table=table, target=target: count(project.store, table) >= target, process)  # type: ignore[misc]
            assert process.returncode is None, "it ended before its kill"
            process.kill()
            await end(process)
        ended = await run(project.folder, server, *COMMAND)
        assert ended.code == 0, ended.err
        for model in ("adder", "judge"):
            requests = [question(seen) for seen in server.log if seen.body["model"] == model]
            assert len(set(requests)) == COUNT
            assert len(requests) - COUNT <= len(kills) * CONCURRENCY
    one, other = ended.document, expected.document
    assert one["metrics"] == other["metrics"]
    assert one["judging"]["relevance"]["calls"] == COUNT
    assert not Path(project.folder / "judges" / "relevance.lock").exists()
