"""Suites with a judge: what it is asked, what it costs, how its figures are told, and how such runs end and go on."""

import asyncio

import pytest

from llmkit.errors import BudgetError, MissingKeyError, ProviderError, UsageError
from llmkit.judges.scorer import scorer_of
from llmkit.runs.evaluate import Hooks
from llmkit.runs.judging import Bench
from llmkit.runs.rescore import rescore
from llmkit.runs.result import result_of
from llmkit.runs.store import Store
from tests.judges.seats import says
from tests.providers.server import Server, hang, status
from tests.runs.judged import PRICES, answer_in, asked_of, both, with_judge
from tests.runs.project import QUICK, add


def judged_suite(project, data=10, *, more="", mapped="", **fields):
    return project.suite(data, scorers=with_judge(project, **fields), more=more, mapped=mapped)


async def again(project, server, run_id, scorers=None, **how):
    project.at(server)
    with Store(project.store) as store:
        run = store.run(run_id)
        result = await rescore(store, run, scorers, **{"retry": QUICK, **how})
        assert result_of(store.run(result.run_id)) == result
        return result


def mended(server):
    """Let everything be answered from here on, and the log begin anew."""
    server.default = both()
    server.log.clear()


# --- what a judge says ---


async def test_each_answer_is_judged_and_the_raw_rate_is_the_share_that_passes(project):
    async with Server(default=both()) as server:
        result = await project.one(server, judged_suite(project))
    judged = asked_of(server, "judge")
    assert sorted(int(answer_in(text)) for text in judged) == list(range(1, 11))
    metric = result.metrics["relevance"]
    assert (metric.value, metric.n, metric.failed) == (0.5, 10, 0)
    assert metric.signature.startswith("judge:relevance|kind:pass_fail|model:openai/judge|definition:")
    assert result.metrics["exact_match"].value == 1.0


async def test_without_a_lock_the_judge_is_uncalibrated_and_nothing_is_corrected(project):
    async with Server(default=both()) as server:
        result = await project.one(server, judged_suite(project, mapped=", slices: [topic]"))
    for metric in (result.metrics["relevance"], result.metrics["relevance"].slices["topic"]["odd"]):
        assert metric.judged is not None
        assert (metric.judged.status, metric.judged.lock, metric.judged.rate) == ("uncalibrated", None, None)
        assert "never measured against people" in metric.judged.why
        assert metric.judged.worst == 0.0
    assert result.metrics["exact_match"].judged is None


async def test_what_the_judge_cannot_tell_or_read_is_counted_apart_and_never_wrong(project):
    def judge(answer):
        return {"1": says("cannot_tell"), "2": "hm", "3": "hm"}.get(answer, says("pass"))

    async with Server(default=both(judge)) as server:
        result = await project.one(server, judged_suite(project, mapped=", slices: [topic]"))
    metric = result.metrics["relevance"]
    assert (metric.value, metric.n, metric.failed) == (1.0, 7, 3)
    assert metric.value_failures_wrong is None  # nobody knows whether they are wrong
    assert (metric.judged.cannot_tell, metric.judged.unread) == (1, 2)
    assert metric.slices["topic"]["even"].failed == 2  # 1 and 3
    assert result.broken == 2  # what could not be read; an abstention is none
    assert {name: count for name, (count, _) in result.faults.items()} == {
        "scorer/cannot_tell": 1,
        "scorer/no_verdict": 2,
    }


async def test_a_sample_without_an_answer_is_wrong_where_failures_are_counted_so(project):
    def model(text):
        return status(400) if text == "0+1" else add(text)

    async with Server(default=both(lambda answer: says("pass"), model)) as server:
        result = await project.one(server, judged_suite(project))
    metric = result.metrics["relevance"]
    assert (metric.value, metric.n, metric.failed, metric.value_failures_wrong) == (1.0, 9, 1, 0.9)


async def test_samples_that_are_shown_first_are_judged_once(project):
    class Shown(Hooks):
        def shown(self, plan, results):
            self.scores = [sample.scores["relevance"].value for sample in results]
            return True

    hooks = Shown()
    async with Server(default=both()) as server:
        await project.run(server, judged_suite(project, 4), sample=2, hooks=hooks)
    assert hooks.scores == [1.0, 0.0]
    assert len(asked_of(server, "judge")) == 4


# --- what it costs ---


async def test_judges_calls_have_a_bill_of_their_own(project):
    project.configure(PRICES)
    async with Server(default=both()) as server:
        result = await project.one(server, judged_suite(project))
    assert (result.usage.calls, result.usage.cost_usd) == (10, 10.0)
    bill = result.judging["relevance"]
    assert (bill.calls, bill.output, bill.cost_usd) == (10, 100, pytest.approx(1.0))


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_one_cap_holds_over_answers_and_verdicts(project, concurrency):
    project.configure(PRICES)
    suite, how = judged_suite(project), {"max_cost": 5.45, "params": {"max_tokens": 10}, "concurrency": concurrency}
    async with Server(default=both()) as server:
        (ending,) = await project.run(server, suite, **how)
        spent = ending.result.usage.cost_usd + ending.result.judging["relevance"].cost_usd
        assert isinstance(ending.error, BudgetError)
        assert ending.result.status == "budget"
        assert spent <= 5.45
        with Store(project.store) as store:
            assert store.spent(ending.result.run_id) == pytest.approx(spent)
        before = len(server.log)
        result = await project.one(server, suite, **{**how, "max_cost": 11.0})
    assert (result.status, result.metrics["relevance"].n) == ("completed", 10)
    assert len(server.log) == 20, f"{len(server.log) - before} calls when it went on: nothing was paid twice"


async def test_a_cap_needs_a_limit_of_the_judge_too(project):
    project.configure(PRICES)
    suite = judged_suite(project, params={})
    async with Server(default=both()) as server:
        with pytest.raises(UsageError, match="max_tokens") as caught:
            await project.run(server, suite, max_cost=5.0, params={"max_tokens": 10})
    assert "relevance.yaml" in str(caught.value)
    assert not server.log


async def test_a_judges_missing_key_is_said_before_the_first_call(project):
    suite = judged_suite(project, model="anthropic/claude-x")
    project.monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    async with Server(default=both()) as server:
        with pytest.raises(MissingKeyError, match="ANTHROPIC_API_KEY"):
            await project.run(server, suite)
    assert not server.log


# --- how it goes wrong, and on ---


async def test_a_judge_whose_server_is_dead_ends_the_run_soon_and_what_was_answered_is_kept(project):
    async with Server(default=both(lambda answer: status(500))) as server:
        suite = judged_suite(project, 200)
        (ending,) = await project.run(server, suite, concurrency=4)
        assert isinstance(ending.error, ProviderError)
        assert ending.result.status == "failed"
        assert len(asked_of(server, "judge")) < 100
        answered = len(asked_of(server, "adder"))
        assert ending.result.usage.calls == answered
        mended(server)
        result = await project.one(server, suite)
        assert len(asked_of(server, "adder")) == 200 - answered
    assert (result.metrics["relevance"].n, result.metrics["relevance"].failed) == (200, 0)


async def test_one_verdict_that_the_server_fails_fails_alone_and_is_asked_again_by_the_next_run(project):
    async with Server(default=both(lambda answer: status(400) if answer == "3" else says("pass"))) as server:
        first = await project.one(server, judged_suite(project))
        assert (first.metrics["relevance"].n, first.metrics["relevance"].failed) == (9, 1)
        assert first.faults["scorer/judge_failed"][0] == 1
        mended(server)
        second = await project.one(server, str(project.folder / "sums.yaml"), fresh=True)
    assert (second.metrics["relevance"].n, len(server.log)) == (10, 1)


async def test_an_interrupted_run_keeps_its_answers_and_goes_on_without_paying_twice(project):
    suite = judged_suite(project)
    async with Server(default=both(lambda answer: hang if int(answer) > 5 else says("pass"))) as server:
        running = asyncio.create_task(project.run(server, suite))
        async with server.arrived:
            await server.arrived.wait_for(lambda: len(server.log) == 20)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        with Store(project.store) as store:
            stored = result_of(store.runs()[0])
        assert (stored.status, stored.completed, stored.usage.calls) == ("interrupted", 10, 10)
        mended(server)
        result = await project.one(server, suite)
        assert len(asked_of(server, "adder")) == 0
        assert sorted(int(answer_in(text)) for text in asked_of(server, "judge")) == [6, 7, 8, 9, 10]
    assert (result.run_id, result.judging["relevance"].calls) == (stored.run_id, 10)


async def test_a_second_run_takes_the_verdicts_that_stand(project):
    suite = judged_suite(project)
    async with Server(default=both()) as server:
        first = await project.one(server, suite)
        second = await project.one(server, suite)
    assert len(server.log) == 20
    assert second.metrics["relevance"] == first.metrics["relevance"]


async def test_a_slow_verdict_holds_up_none_but_its_own(project):
    over = asyncio.Event()

    async def late(exchange):
        await over.wait()
        await both()(exchange)

    async with Server(default=both(lambda answer: late if answer == "1" else says("fail"))) as server:
        running = asyncio.create_task(project.one(server, judged_suite(project, 40), concurrency=2))
        async with server.arrived:
            await server.arrived.wait_for(lambda: len(server.log) == 80)  # all others are answered and judged meanwhile
        over.set()
        result = await running
    assert result.metrics["relevance"].n == 40


# --- scored anew ---


async def test_a_changed_judge_scores_stored_answers_anew_without_a_call_to_the_model(project):
    async with Server(default=both()) as server:
        first = await project.one(server, judged_suite(project))
        with_judge(project, guideline="An answer passes where it is even.")
        mended(server)
        second = await again(project, server, first.run_id)
        assert (len(asked_of(server, "judge")), len(asked_of(server, "adder"))) == (10, 0)
        third = await again(project, server, second.run_id)  # the same judge: no call
        assert len(server.log) == 10
    assert second.metrics["relevance"].signature != first.metrics["relevance"].signature
    assert (second.judging["relevance"].calls, third.judging) == (10, {})
    assert third.metrics == second.metrics


async def test_rescoring_asks_the_judge_again_where_that_is_asked_for(project):
    async with Server(default=both()) as server:
        first = await project.one(server, judged_suite(project))
        await again(project, server, first.run_id, anew=True)
        assert len(asked_of(server, "judge")) == 10
        await again(project, server, first.run_id, anew=True, cache=False)
        assert len(asked_of(server, "judge")) == 20


async def test_rescoring_under_a_cap_keeps_what_was_judged(project):
    project.configure(PRICES)
    project.suite(10)
    async with Server(default=both()) as server:
        first = await project.one(server, project.suite(10))
        with_judge(project)
        ended = []
        with pytest.raises(BudgetError):
            await again(
                project,
                server,
                first.run_id,
                [{"judge": "relevance"}],
                max_cost=0.45,
                ended=ended.append,
                concurrency=1,
            )
        assert (ended[0].status, ended[0].metrics["relevance"].n) == ("budget", 4)
        result = await again(project, server, first.run_id, [{"judge": "relevance"}], max_cost=0.65)
        assert len(asked_of(server, "judge")) == 10
    assert (result.metrics["relevance"].n, result.usage.calls) == (10, 0)


async def test_offline_takes_what_is_stored_and_says_what_is_not(project):
    from llmkit.config import load_settings
    from llmkit.runs.outcome import outcome_of
    from llmkit.runs.settle import Settler
    from llmkit.runs.state import State

    async with Server(default=both()) as server:
        first = await project.one(server, judged_suite(project, 4))
        entry = {"judge": "relevance"}
        changed = with_judge(project, guideline="Other criteria.")
    assert changed
    with Store(project.store) as store:
        async with Bench(store, load_settings(), run_id="r", offline=True) as bench:
            settler = Settler(store, "r", [scorer_of(entry)], (), state=State(), bench=bench)
            await settler.settle([outcome_of(row) for row in store.samples(first.run_id)])
        assert bench.missing == 4
    assert settler.state.faults["scorer/not_stored"][0] == 4
    assert settler.stopped is None


# --- what is kept of it ---


async def test_a_judges_word_is_kept_with_each_score(project):
    async with Server(default=both()) as server:
        result = await project.one(server, judged_suite(project, 2))
    with Store(project.store) as store:
        answers = [row.answer.answer_id for row in store.samples(result.run_id)]
        scores = store.find_scores(answers)
    said = {answer: score.answer for (answer, _, name), score in scores.items() if name.startswith("judge:")}
    assert [said[answer] for answer in answers] == ["pass", "fail"]


async def test_two_suites_with_one_judge_open_it_once_and_pay_once_for_equal_answers(project):
    entry = with_judge(project)
    suites = [project.suite(5, name="one", scorers=entry), project.suite(5, name="two", scorers=entry)]
    async with Server(default=both()) as server:
        endings = await project.run(server, suites)
    assert len(asked_of(server, "judge")) == 5
    assert [ending.result.metrics["relevance"].value for ending in endings] == [0.6, 0.6]
