"""How fast a run's own calls were answered, and what an engine's drafts came to in it."""

import asyncio
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import EngineError, StoreError
from llmkit.paired.compare import compare
from llmkit.providers.base import ModelRef, Speculates
from llmkit.providers.registry import create
from llmkit.runs.drafting import counting, drafted
from llmkit.runs.export import rows
from llmkit.runs.pace import speculation_of, union
from llmkit.runs.rescore import rescore
from llmkit.runs.store import Store
from llmkit.speculation import Speculation
from tests.providers.server import Server, hang
from tests.runs.project import add, answering

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), max_size=12)


def drafting():
    """Return a server that draws up ten drafts of four tokens with each answer, of which two are accepted."""
    server = Server(default=answering())

    def metrics():
        drafts = 5 + 10 * len(server.log)
        counts = (("drafts", drafts), ("draft_tokens", 4 * drafts), ("accepted_tokens", 2 * drafts))
        return "".join(f'vllm:spec_decode_num_{name}_total{{engine="0"}} {float(n)}\n' for name, n in counts)

    server.metrics = metrics
    return server


@given(SPANS)
def test_time_that_spans_cover_together_is_counted_once(spans):
    covered = {second for begin, end in spans for second in range(begin, end)}
    assert union(spans) == len(covered)


async def run(project, server, **how):
    return await project.one(server, "sums.yaml", f"vllm/adder@{server.origin}", **how)


async def test_the_counts_of_a_run_are_those_made_while_it_went(project):
    project.suite(3)
    async with drafting() as server:
        result = await run(project, server)
    found = result.speculation
    assert (found.drafts, found.drafted, found.accepted) == (30, 120, 60)
    assert (found.acceptance_rate, found.accepted_length) == (0.5, 3.0)


async def test_a_file_of_the_run_has_the_counts_too(project):
    project.suite(3)
    async with drafting() as server:
        result = await run(project, server)
    with Store(project.store) as store:
        written = [row["setup"]["speculation"] for row in rows(store, store.run(result.run_id))]
    assert written == [{"drafts": 30, "drafted": 120, "accepted": 60, "by_position": []}] * 3


async def test_a_server_that_shows_no_metrics_tells_nothing_and_fails_nothing(project):
    project.suite(3)
    async with Server(default=answering()) as server:
        result = await run(project, server)
    assert (result.status, result.completed, result.speculation) == ("completed", 3, None)


async def test_a_server_whose_metrics_hang_holds_no_run():
    class Silent:
        async def speculation(self):
            await asyncio.Event().wait()

    assert isinstance(Silent(), Speculates)
    assert await drafted(Silent(), patience=0.01) is None


async def test_where_the_count_before_a_run_is_unknown_what_a_server_did_earlier_is_not_the_runs(project):
    project.suite(3)
    async with drafting() as server:
        told = server.metrics
        server.metrics = lambda: told() if server.log else ""
        result = await run(project, server)
    assert (result.completed, result.speculation) == (3, None)


async def test_what_ended_a_run_is_not_hidden_by_a_store_that_fails_too(project):
    class Engine:
        async def speculation(self):
            return Speculation(next(counts), 40, 20)

    class Full:
        def run(self, run_id):
            raise StoreError("the disk is full")

    counts = iter((10, 20))
    with pytest.raises(EngineError, match="died"):
        async with counting(Engine(), "r1", Full()):
            raise EngineError("the engine died")


async def test_samples_that_are_shown_before_the_run_count(project):
    project.suite(3)
    async with drafting() as server:
        result = await run(project, server, sample=2)
    assert result.speculation.drafts == 30


async def test_an_interrupted_run_keeps_what_it_came_to_and_one_that_goes_on_adds_to_it(project):
    project.suite(4)
    async with drafting() as server:
        plain = server.default
        server.default = answering(lambda text: hang if text == "2+1" else add(text))
        task = asyncio.create_task(run(project, server, concurrency=1))
        await server.wait_for(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with Store(project.store) as store:
            kept = speculation_of(store.run("latest"))
        server.default = plain
        result = await run(project, server, concurrency=1)
        with Store(project.store) as store:
            assert len(store.runs()) == 1
    assert kept.drafts == 30  # the call that hung was drafted for, too
    assert result.speculation.drafts == 50


async def test_a_run_that_asks_nothing_drafts_nothing(project):
    project.suite(3)
    async with drafting() as server:
        await run(project, server)
        again = await run(project, server, fresh=True)
    assert (again.from_cache, again.speculation) == (3, None)


async def test_pace_is_over_the_calls_of_the_run_itself(project):
    project.suite(8)
    async with drafting() as server:
        result = await run(project, server, concurrency=2)
        again = await run(project, server, fresh=True)
    with Store(project.store) as store:
        pace = store.pace(store.run(result.run_id))
        assert store.pace(store.run(again.run_id)) is None
    assert (pace.calls, pace.output_tokens) == (8, result.usage.output)
    assert 0 < pace.busy_s <= result.wall_s
    assert 1 <= pace.in_flight <= 2.001
    assert pace.output_rate == pytest.approx(result.usage.output / pace.busy_s)


async def test_two_runs_are_compared_by_their_calls_and_by_each_answers_own_time(project):
    project.suite(8)
    async with drafting() as server:
        one = await run(project, server, concurrency=2)
        two = await run(project, server, concurrency=2, cache=False, fresh=True)
    found = compare(one.run_id, two.run_id, store=project.store).speed
    assert (found.a.calls, found.b.calls, found.n) == (8, 8, 8)
    assert found.ratio == pytest.approx(found.b_each / found.a_each)
    assert found.interval.low <= found.ratio <= found.interval.high
    assert found.b.speculation.drafts == 80


async def test_where_a_sides_answers_come_from_the_cache_there_is_no_ratio(project):
    project.suite(4)
    async with drafting() as server:
        one = await run(project, server)
        two = await run(project, server, fresh=True)
    found = compare(one.run_id, two.run_id, store=project.store).speed
    assert (found.b, found.ratio) == (None, None)
    assert "b come from the cache" in found.unknown


async def test_attempts_at_a_form_are_calls_and_their_sum_is_none(project):
    project.suite(4, more='format: "regex:[a-z]+"\n')
    async with Server(default=answering(lambda text: "4")) as server:
        result = await run(project, server, concurrency=1)
    with Store(project.store) as store:
        pace = store.pace(store.run(result.run_id))
    assert (pace.calls, pace.output_tokens) == (len(server.log), 2 * len(server.log))
    assert len(server.log) > result.total == 4
    assert pace.in_flight == pytest.approx(1, abs=0.05)


async def test_a_rescored_run_is_as_fast_as_the_run_that_asked(project):
    project.suite(4)
    async with drafting() as server:
        one = await run(project, server)
    with Store(project.store) as store:
        again = await rescore(store, store.run(one.run_id))
    found = compare(one.run_id, again.run_id, store=project.store).speed
    assert found.b == found.a
    assert found.b.calls == 4


async def test_a_store_of_the_first_release_tells_pace(project):
    project.suite(4)
    async with drafting() as server:
        result = await run(project, server)
    with sqlite3.connect(project.store / "store.sqlite3") as db:
        db.execute("DROP TABLE generations")
        db.execute("DROP TABLE judging")
    with Store(project.store, read_only=True) as store:
        assert store.pace(store.run(result.run_id)).calls == 4


def test_a_service_has_no_speed_of_its_own():
    assert not hasattr(create(ModelRef("scripted/echo")), "speculation")
