"""Runs side by side: in rounds, with no answer in common, and each of them kept whatever happens."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.config import load_settings
from llmkit.errors import BudgetError
from llmkit.providers.budget import Budget
from llmkit.providers.limits import Limiter
from llmkit.providers.pricing import Prices
from llmkit.runs.begin import started
from llmkit.runs.evaluate import Hooks
from llmkit.runs.options import Options
from llmkit.runs.pairs import pairs_of
from llmkit.runs.resume import plan_run
from llmkit.runs.store import Store
from llmkit.runs.together import Abreast, Shared, together
from tests.providers.server import Server, Tokens, status
from tests.runs.project import MODEL, QUICK, answering, asked

PRICED = '[prices."openai/adder"]\ninput = 3.0\noutput = 15.0\n'
LIMITED = {"params": {"max_tokens": 8}}


@pytest.fixture
async def server():
    async with Server(default=answering(tokens=Tokens(40, 8))) as server:
        yield server


async def both(project, server, suite, *, cap=None, limiter=None, **how):
    """Run two arms of one plan together."""
    project.at(server)
    options, settings = Options(**{"retry": QUICK, **LIMITED, **how}), load_settings()
    ((plan, provider),) = pairs_of(suite, MODEL, options, settings)
    with Store(project.store) as store, ExitStack() as locks:
        arms = [replace(plan, experiment={"aa": "x", "arm": arm}) for arm in (1, 2)]
        planned = [plan_run(arm, provider, options, store, locks) for arm in arms]
        async with started(provider):
            budget, prices = Budget(cap), Prices(settings.prices)
            shared = Shared(provider, limiter or Limiter(4), budget, prices, store, options.retry)
            return await together(planned, shared, Hooks()), budget


async def test_no_answer_serves_both(project, server):
    endings, _ = await both(project, server, project.suite(10))
    assert [e.result.usage.calls for e in endings] == [10, 10]
    assert sorted(asked(server)) == sorted(2 * [f"{n}+1" for n in range(10)])


async def test_answers_of_other_runs_serve_neither(project, server):
    suite = project.suite(10)
    await project.one(server, suite, **LIMITED)
    await both(project, server, suite)
    again, _ = await both(project, server, suite)
    assert [e.result.from_cache for e in again] == [0, 0]
    assert len(server.log) == 10 + 20 + 20


async def test_calls_of_both_arms_alternate_in_time(project, server):
    await both(project, server, project.suite(50), limiter=Limiter(1))
    log = asked(server)
    assert [len(set(log[at : at + 2])) for at in range(0, 100, 2)] == [1] * 50


async def test_a_run_that_has_less_to_ask_holds_up_nobody(project, server):
    suite = project.suite(10)
    abreast = Abreast(2)
    abreast.over(1)
    for _ in range(5):
        await asyncio.wait_for(abreast.turn(0), 5)
    endings, _ = await both(project, server, suite)
    assert [e.result.status for e in endings] == ["completed", "completed"]


def begun(sides: int, rounds: int, seed: int = 0) -> list[int]:
    """Let each side begin so many calls, many at once, and return who began when."""
    order: list[int] = []

    async def main() -> None:
        abreast = Abreast(sides, seed)

        async def call(side: int) -> None:
            await abreast.turn(side)
            order.append(side)

        await asyncio.gather(*(call(side) for side in range(sides) for _ in range(rounds)))

    asyncio.run(main())
    return order


@given(st.integers(2, 4), st.integers(1, 30), st.integers(0, 100))
def test_each_round_has_every_side_once(sides, rounds, seed):
    order = begun(sides, rounds, seed)
    for at in range(0, len(order), sides):
        assert sorted(order[at : at + sides]) == list(range(sides))


def test_neither_side_is_always_the_first():
    firsts = begun(2, 400)[::2]
    assert 160 <= sum(firsts) <= 240  # four standard deviations of 400 fair draws


async def test_a_cap_holds_over_both(project, server):
    project.configure(PRICED)
    endings, budget = await both(project, server, project.suite(20), cap=0.005)
    assert {type(e.error) for e in endings} == {BudgetError}
    paid = sum(e.result.usage.cost_usd for e in endings)
    assert 0 < paid == pytest.approx(budget.spent_usd)
    assert paid <= 0.005


async def test_a_server_that_fails_everything_ends_both(project, server):
    server.default = status(401)
    endings, _ = await both(project, server, project.suite(20))
    assert [e.result.status for e in endings] == ["failed", "failed"]
    assert len(server.log) < 40


async def test_an_interruption_keeps_and_concludes_both(project, server):
    held = asyncio.Event()
    answer = answering(tokens=Tokens(40, 8))

    async def behave(exchange):
        if len(server.log) > 10:
            await held.wait()
        await answer(exchange)

    server.default = behave
    task = asyncio.create_task(both(project, server, project.suite(20)))
    await server.wait_for(12)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with Store(project.store) as store:
        runs = store.runs()
        assert [run.status for run in runs] == ["interrupted", "interrupted"]
        assert sum(run.result["completed"] for run in runs) == 10
