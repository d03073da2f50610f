"""A/A runs: everything is asked twice, nothing serves both arms, and what was interrupted goes on."""

import asyncio

import pytest

from llmkit.errors import BudgetError, UsageError
from llmkit.plan.same import forecast_twice
from llmkit.runs.lock import RunLock
from llmkit.runs.options import Options
from llmkit.runs.store import Store
from tests.plan.noisy import side, twice
from tests.providers.server import Tokens
from tests.runs.project import MODEL, add, answering, asked

PRICED = '[prices."openai/adder"]\ninput = 3.0\noutput = 15.0\n'
LIMITED = {"params": {"max_tokens": 8}}


def answers(project, ran):
    with Store(project.store) as store:
        return [{row.answer.answer_id for row in store.samples(run) if row.answer} for run in ran.runs]


async def test_every_sample_is_asked_twice_and_no_answer_serves_both_arms(project, noisy):
    ran = await twice(project, noisy, project.suite(20))
    one, two = answers(project, ran)
    assert len(noisy.server.log) == 40
    assert len(one) == len(two) == 20
    assert not one & two


async def test_nothing_comes_from_the_cache(project, noisy):
    suite = project.suite(10)
    await project.one(noisy.server, suite)
    first = await twice(project, noisy, suite)
    second = await twice(project, noisy, suite)
    assert len(noisy.server.log) == 10 + 20 + 20
    assert first.aa != second.aa
    assert [e.result.from_cache for e in second.endings] == [0, 0]


async def test_its_answers_serve_no_plain_run(project, noisy):
    suite = project.suite(10)
    await twice(project, noisy, suite)
    result = await project.one(noisy.server, suite)
    assert (result.from_cache, result.usage.calls) == (0, 10)


async def test_epochs_and_limit_are_asked_twice_as_well(project, noisy):
    await twice(project, noisy, project.suite(10), limit=3, epochs=2)
    assert sorted(asked(noisy.server)) == sorted(4 * ["0+1", "1+1", "2+1"])


async def test_arms_and_epochs_have_sampling_seeds_of_their_own(project, noisy):
    await twice(project, noisy, project.suite(1), seed=5, epochs=2)
    assert sorted(seen.body["seed"] for seen in noisy.server.log) == [5, 6, 7, 8]


async def interrupted(project, noisy, suite, after):
    """Interrupt an A/A run once so many calls are under way; the rest is held."""
    held = asyncio.Event()
    answer = noisy.server.default

    async def behave(exchange):
        if len(noisy.server.log) > after:
            await held.wait()
        await answer(exchange)

    noisy.server.default = behave
    task = asyncio.create_task(twice(project, noisy, suite))
    await noisy.server.wait_for(after + 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    noisy.server.default = answer
    return len(noisy.server.log) - after  # in flight, and lost


async def test_an_interrupted_pair_goes_on_and_asks_nothing_again(project, noisy):
    suite = project.suite(20)
    lost = await interrupted(project, noisy, suite, 12)
    with Store(project.store) as store:
        begun = {run.run_id for run in store.runs()}
    ran = await twice(project, noisy, suite)
    assert set(ran.runs) == begun
    assert len(noisy.server.log) == 40 + lost
    with Store(project.store) as store:
        assert [store.run(run).status for run in ran.runs] == ["completed", "completed"]


async def test_an_arm_that_is_complete_is_not_asked_again(project, noisy):
    suite = project.suite(10)
    first = await twice(project, noisy, suite)
    with Store(project.store) as store:
        store.set_status(first.runs[1], "interrupted")
    second = await twice(project, noisy, suite)
    assert (second.aa, second.runs) == (first.aa, first.runs)
    assert len(noisy.server.log) == 20
    assert [e.result.run_id for e in second.endings] == [first.runs[1]]


async def test_another_prompt_starts_anew(project, noisy):
    suite = project.suite(10)
    lost = await interrupted(project, noisy, suite, 6)
    await twice(project, noisy, project.suite(10, prompt="What is {{question}}?"))
    assert len(noisy.server.log) == 6 + lost + 20


async def test_fresh_starts_anew(project, noisy):
    suite = project.suite(10)
    lost = await interrupted(project, noisy, suite, 6)
    await twice(project, noisy, suite, fresh=True)
    assert len(noisy.server.log) == 6 + lost + 20


async def test_a_pair_that_another_process_asks_is_left_alone(project, noisy):
    suite = project.suite(10)
    await interrupted(project, noisy, suite, 6)
    with Store(project.store) as store:
        busy = store.runs()[0].run_id
        store.set_status(busy, "running")
    lock = RunLock(project.store, busy)
    assert lock.acquire()
    try:
        ran = await twice(project, noisy, suite)
    finally:
        lock.release()
    assert busy not in ran.runs


async def test_a_gates_sides_are_no_a_a_run_to_go_on_with(project, noisy):
    suite = project.suite(5)
    await side(project, suite, {"gate": "g", "side": "base"})
    await twice(project, noisy, suite)
    assert len(noisy.server.log) == 10


async def test_the_cap_holds_over_both_arms_and_over_what_was_paid_before(project, noisy):
    project.configure(PRICED)
    noisy.server.default = answering(add, Tokens(40, 8))
    suite = project.suite(20)
    ran = await twice(project, noisy, suite, max_cost=0.004, **LIMITED)
    assert {type(e.error) for e in ran.endings} == {BudgetError}
    before = len(noisy.server.log)
    again = await twice(project, noisy, suite, max_cost=0.004, **LIMITED)
    assert again.aa == ran.aa
    with Store(project.store) as store:
        assert sum(store.spent(run) for run in again.runs) <= 0.004
    assert len(noisy.server.log) - before <= 1  # what fits beside what is spent
    done = await twice(project, noisy, suite, max_cost=1.0, **LIMITED)
    assert done.aa == ran.aa
    assert len(noisy.server.log) == 40


async def test_a_cap_on_unknown_prices_is_refused_before_any_call(project, noisy):
    with pytest.raises(UsageError, match="price of openai/adder is not known"):
        await twice(project, noisy, project.suite(5), max_cost=1.0, **LIMITED)
    assert noisy.server.log == []


async def test_the_forecast_is_of_both_arms_and_asks_nothing(project, noisy):
    project.configure(PRICED)
    project.at(noisy.server)
    suite = project.suite(20)
    await project.one(noisy.server, suite, **LIMITED)
    arms = await forecast_twice([suite], [MODEL], options=Options(**LIMITED))
    assert [(arm.calls, arm.cached) for arm in arms] == [(20, 0), (20, 0)]
    assert len(noisy.server.log) == 20
