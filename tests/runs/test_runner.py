"""Suites on a model on loopback, end to end: what is asked, what is paid, what is kept, and how runs end."""

import asyncio
import json
import sqlite3

import pytest

from llmkit.errors import BudgetError, ProviderError, StoreError, UsageError
from llmkit.providers.base import ModelRef
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.evaluate import Hooks
from llmkit.runs.store import Store
from tests.providers.server import Server, Tokens, gate, hang, ok, status
from tests.runs import process
from tests.runs.project import MODEL, QUICK, add, answering, asked, question, rows

PRICED = '[prices."openai/adder"]\ninput = 1000000.0\noutput = 1000000.0\n'  # a dollar a token, so that sums are exact


def half_wrong(text):
    return "wrong" if text in {f"{n}+1" for n in range(0, 10, 2)} else add(text)


# --- the plain way ---


async def test_each_sample_is_asked_once_and_scored(project):
    async with Server(default=answering()) as server:
        result = await project.one(server, project.suite(20))
    assert sorted(asked(server)) == sorted(row["question"] for row in rows(20))
    assert (result.status, result.total, result.completed, result.failed) == ("completed", 20, 20, 0)
    metric = result.metrics["exact_match"]
    assert (metric.value, metric.n, metric.failed) == (1.0, 20, 0)


async def test_the_value_is_the_share_of_right_answers(project):
    async with Server(default=answering(half_wrong)) as server:
        result = await project.one(server, project.suite(10))
    assert result.metrics["exact_match"].value == 0.5


async def test_usage_is_the_sum_over_the_calls(project):
    async with Server(default=answering(tokens=Tokens(20, 3, cached=5))) as server:
        usage = (await project.one(server, project.suite(10))).usage
    assert (usage.input, usage.output, usage.cached, usage.calls, usage.http_attempts) == (200, 30, 50, 10, 10)


async def test_what_is_stored_is_what_was_asked_and_answered(project):
    async with Server(default=answering()) as server:
        result = await project.one(server, project.suite(3))
    with Store(project.store) as store:
        samples = list(store.samples(result.run_id))
    assert [s.sample_id for s in samples] == ["s0", "s1", "s2"]
    assert [s.messages[0].content for s in samples] == ["0+1", "1+1", "2+1"]
    assert [s.answer.completion.text for s in samples] == ["1", "2", "3"]
    assert [s.references for s in samples] == [("1",), ("2",), ("3",)]


async def test_limit_asks_only_the_first_rows(project):
    async with Server(default=answering()) as server:
        result = await project.one(server, project.suite(20), limit=4)
    assert (result.total, sorted(asked(server))) == (4, ["0+1", "1+1", "2+1", "3+1"])


async def test_slices_are_reported_each(project):
    suite = project.suite(10, mapped=", slices: [topic]")
    async with Server(default=answering(half_wrong)) as server:
        result = await project.one(server, suite)
    slices = result.metrics["exact_match"].slices["topic"]
    assert {name: (part.value, part.n) for name, part in slices.items()} == {"even": (0.0, 5), "odd": (1.0, 5)}


async def test_two_models_are_measured_side_by_side(project):
    async with Server(default=answering()) as server:
        endings = await project.run(server, project.suite(5), [MODEL, "openai/other"])
    assert [e.result.model for e in endings] == [MODEL, "openai/other"]
    assert [e.result.completed for e in endings] == [5, 5]
    assert [seen.body["model"] for seen in server.log].count("other") == 5


async def test_two_suites_run_in_the_order_given(project):
    suites = [project.suite(3, name="b"), project.suite(3, name="a", prompt="{{question}} ")]
    async with Server(default=answering()) as server:
        endings = await project.run(server, suites)
    assert [e.result.suite for e in endings] == ["b", "a"]


async def test_concurrency_is_what_was_asked_for(project):
    event = asyncio.Event()
    async with Server(default=gate(event, answering())) as server:
        running = asyncio.create_task(project.one(server, project.suite(30), concurrency=7))
        await server.wait_for(7)
        assert server.in_flight == 7
        event.set()
        await running
        assert server.max_in_flight == 7


async def test_concurrency_may_be_set_in_the_configuration(project):
    project.configure("concurrency = 3\n")
    event = asyncio.Event()
    async with Server(default=gate(event, answering())) as server:
        running = asyncio.create_task(project.one(server, project.suite(30)))
        await server.wait_for(3)
        event.set()
        await running
        assert server.max_in_flight == 3


# --- failures ---


async def test_a_bad_row_fails_alone(project):
    data = rows(10)
    del data[3]["question"]
    async with Server(default=answering()) as server:
        result = await project.one(server, project.suite(data))
    assert (result.completed, result.failed, len(server.log)) == (9, 1, 9)
    ((kind, (count, message)),) = result.faults.items()
    assert (kind, count) == ("prompt/render", 1)
    assert "sums.jsonl:4" in message
    assert "question" in message


async def test_a_line_that_is_no_json_fails_alone(project):
    suite = project.suite(10)
    path = project.folder / "sums.jsonl"
    path.write_text(path.read_text().replace('{"id": "s5"', '{"id: "s5"'))
    async with Server(default=answering()) as server:
        result = await project.one(server, suite)
    assert (result.completed, result.failed, list(result.faults)) == (9, 1, ["data/bad_row"])


async def test_both_readings_of_a_metric_with_failures(project):
    data = rows(10)
    del data[3]["question"]
    async with Server(default=answering()) as server:
        metric = (await project.one(server, project.suite(data))).metrics["exact_match"]
    assert (metric.value, metric.n, metric.failed, metric.value_failures_wrong) == (1.0, 9, 1, 0.9)


@pytest.mark.parametrize("text", ["", None, "  \n "])
async def test_an_answer_without_content_is_a_failure(project, text):
    async with Server(default=answering(lambda asked: text if asked == "4+1" else add(asked))) as server:

        async def behave(exchange):
            await ok(text if question(exchange.seen) == "4+1" else add(question(exchange.seen)))(exchange)

        server.default = behave
        result = await project.one(server, project.suite(10))
    assert (result.completed, result.failed) == (9, 1)
    assert list(result.faults) == ["provider/empty"]
    assert result.metrics["exact_match"].n == 9


async def test_an_answer_that_the_filter_took_is_a_failure(project):
    async with Server(
        default=answering(lambda text: ok("a part", finish="content_filter") if text == "4+1" else add(text))
    ) as server:
        result = await project.one(server, project.suite(10))
    assert (result.failed, list(result.faults)) == (1, ["provider/refused"])


async def test_answers_cut_off_are_counted_and_scored(project):
    async with Server(
        default=answering(lambda text: ok(add(text), finish="length") if text == "4+1" else add(text))
    ) as server:
        result = await project.one(server, project.suite(10))
    assert (result.truncated, result.completed, result.metrics["exact_match"].n) == (1, 10, 10)


async def test_lone_surrogates_in_an_answer_are_replaced_and_kept(project):
    def behave(text):
        async def raw(exchange):
            body = {"choices": [{"message": {"role": "assistant", "content": "SURROGATE"}, "finish_reason": "stop"}]}
            await exchange.send(200, json.dumps(body).replace("SURROGATE", "a\\ud800b").encode())

        return raw

    async with Server(default=answering(behave)) as server:
        result = await project.one(server, project.suite(2))
    with Store(project.store) as store:
        texts = {s.answer.completion.text for s in store.samples(result.run_id)}
    (text,) = texts
    assert text.encode() and text[0] == "a" and text[-1] == "b" and "\ud800" not in text


async def test_a_wrong_key_ends_the_run_at_once_with_one_error(project):
    async with Server(default=status(401)) as server:
        (ending,) = await project.run(server, project.suite(500), concurrency=8)
    assert isinstance(ending.error, ProviderError)
    assert (ending.error.fault, ending.result.status) == ("auth", "failed")
    assert len(server.log) <= 8


async def test_a_model_that_is_not_there_ends_the_run_at_once(project):
    async with Server(default=status(404)) as server:
        (ending,) = await project.run(server, project.suite(500), concurrency=4)
    assert (ending.error.fault, ending.result.status) == ("not_found", "failed")
    assert len(server.log) <= 4


async def test_a_server_that_only_fails_ends_the_run_after_a_few_calls(project):
    async with Server(default=status(500)) as server:
        (ending,) = await project.run(server, project.suite(1000), concurrency=4)
    assert (ending.error.fault, ending.result.status) == ("server", "failed")
    assert len(server.log) <= (10 + 4) * QUICK.max_attempts


async def test_failures_that_differ_do_not_end_the_run(project):
    async with Server(default=answering(lambda text: status(400 if int(text.split("+")[0]) % 2 else 500))) as server:
        (ending,) = await project.run(server, project.suite(30), concurrency=1)
    assert ending.error is None
    assert (ending.result.status, ending.result.failed) == ("completed", 30)


async def test_a_success_in_between_lets_the_run_go_on(project):
    wrong = {f"{n}+1" for n in range(100) if n % 10}
    async with Server(default=answering(lambda text: status(400) if text in wrong else add(text))) as server:
        result = await project.one(server, project.suite(100), concurrency=1)
    assert (result.status, result.completed, result.failed) == ("completed", 10, 90)


async def test_once_a_call_was_answered_rows_that_the_server_refuses_fail_alone(project):
    refused = {f"{n}+1" for n in range(5, 35)}
    suite = project.suite(60)
    async with Server(default=answering(lambda text: status(400) if text in refused else add(text))) as server:
        first = await project.one(server, suite, concurrency=1)
        again = await project.one(server, suite, concurrency=1)
    assert (first.status, first.completed, first.failed) == ("completed", 30, 30)
    assert (again.status, again.completed, again.failed, again.from_cache) == ("completed", 30, 30, 30)


@pytest.mark.parametrize("code", [401, 404, 500])
async def test_a_server_that_breaks_down_in_the_middle_ends_the_run(project, code):
    left = iter(range(20))
    dying = answering(lambda text: add(text) if next(left, None) is not None else status(code))
    async with Server(default=dying) as server:
        (ending,) = await project.run(server, project.suite(500), concurrency=1)
    assert (ending.result.status, ending.result.completed) == ("failed", 20)
    assert len(server.log) <= 20 + 10 * QUICK.max_attempts


async def test_what_is_answered_while_the_run_is_being_stopped_counts(project):
    left = iter(range(40))
    dying = answering(lambda text: add(text) if next(left, None) is not None else status(401))
    async with Server(default=dying) as server:
        (ending,) = await project.run(server, project.suite(200), concurrency=16)
    with Store(project.store) as store:
        kept = [s for s in store.samples(ending.result.run_id) if s.answer]
    assert ending.result.status == "failed"
    assert ending.result.completed == ending.result.usage.calls == len(kept) == 40


async def test_a_storm_of_429_ends_well(project):
    storm = [status(429) if n % 3 else answering() for n in range(300)]
    policy = RetryPolicy(max_attempts=50, base_s=0.0, limited_base_s=0.0, cap_s=0.0)
    async with Server(*storm, default=answering()) as server:
        result = await project.one(server, project.suite(100), retry=policy)
    assert (result.completed, result.failed, result.metrics["exact_match"].value) == (100, 0, 1.0)
    assert result.usage.http_attempts == len(server.log)


# --- cache, epochs, replicates ---


async def test_a_cached_re_run_asks_nothing_and_gives_equal_metrics(project):
    suite = project.suite(30, scorers="[exact_match, f1, bleu]")
    async with Server(default=answering(half_wrong)) as server:
        first = await project.one(server, suite)
        asked_once = len(server.log)
        again = await project.one(server, suite)
    assert (asked_once, len(server.log)) == (30, 30)
    assert again.run_id != first.run_id
    assert again.metrics == first.metrics
    assert again.from_cache == 30
    assert (again.usage.calls, again.usage.input) == (0, 0)


async def test_without_the_cache_everything_is_asked_anew(project):
    suite = project.suite(10)
    async with Server(default=answering()) as server:
        await project.one(server, suite)
        again = await project.one(server, suite, cache=False)
    assert (len(server.log), again.from_cache) == (20, 0)


async def test_epochs_are_replicates_of_their_own(project):
    async with Server(default=answering()) as server:
        result = await project.one(server, project.suite(4), epochs=3)
        assert len(server.log) == 12
        await project.one(server, project.suite(4), epochs=3)
        assert len(server.log) == 12
    assert (result.total, result.completed, result.metrics["exact_match"].n) == (12, 12, 4)


async def test_each_epoch_has_a_sampling_seed_of_its_own(project):
    async with Server(default=answering()) as server:
        await project.one(server, project.suite(1), epochs=3, seed=40)
    assert sorted(seen.body["seed"] for seen in server.log) == [40, 41, 42]


async def test_without_a_seed_none_is_sent(project):
    async with Server(default=answering()) as server:
        await project.one(server, project.suite(1), epochs=2)
    assert all("seed" not in seen.body for seen in server.log)


async def test_another_seed_misses_where_it_is_sent(project):
    suite = project.suite(5)
    async with Server(default=answering()) as server:
        await project.one(server, suite, seed=1)
        await project.one(server, suite, seed=2)
    assert len(server.log) == 10


async def test_another_seed_hits_where_it_is_not_sent(project):
    project.monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-x")
    suite = project.suite(5)
    async with Server(default=answering()) as server:
        model = ModelRef("anthropic/adder", {"max_tokens": 9}, {"base_url": server.origin})
        await project.one(server, suite, model, seed=1)
        again = await project.one(server, suite, model, seed=2)
    assert (len(server.log), again.from_cache) == (5, 5)


async def test_another_scorer_scores_the_same_answers(project):
    async with Server(default=answering(lambda text: f" {add(text)} apples")) as server:
        first = await project.one(server, project.suite(6))
        again = await project.one(server, project.suite(6, scorers="[includes]"))
    assert len(server.log) == 6
    assert (first.metrics["exact_match"].value, again.metrics["includes"].value) == (0.0, 1.0)


async def test_another_target_scores_the_same_answers_anew(project):
    wrong = [{**row, "answer": "0"} for row in rows(6)]
    async with Server(default=answering()) as server:
        first = await project.one(server, project.suite(6))
        again = await project.one(server, project.suite(wrong))
        back = await project.one(server, project.suite(6))
    assert len(server.log) == 6
    assert [r.metrics["exact_match"].value for r in (first, again, back)] == [1.0, 0.0, 1.0]


async def test_another_prompt_asks_anew(project):
    async with Server(default=answering()) as server:
        await project.one(server, project.suite(6))
        await project.one(server, project.suite(6, prompt="What is {{question}}?"))
    assert len(server.log) == 12


async def test_rows_that_ask_the_same_share_one_answer_and_it_is_paid_once(project):
    data = [{**row, "question": "1+1", "answer": "2"} for row in rows(200)]
    async with Server(default=answering()) as server:
        result = await project.one(server, project.suite(data))
    assert (result.completed, result.metrics["exact_match"].n) == (200, 200)
    assert len(server.log) == 1
    assert result.usage.calls == 1


async def test_an_answer_without_content_is_not_cached(project):
    replies = {"4+1": iter(["  ", "5"])}
    suite = project.suite(10)
    async with Server(default=answering(lambda text: next(replies[text]) if text in replies else add(text))) as server:
        first = await project.one(server, suite)
        again = await project.one(server, suite)
    assert (first.failed, again.failed, len(server.log)) == (1, 0, 11)


# --- money ---


@pytest.fixture
def priced(project):
    project.configure(PRICED)
    return project


async def test_the_cap_holds_at_concurrency_64(priced):
    cap, billed = 30_000.0, Tokens(100, 7)
    async with Server(default=answering(tokens=billed)) as server:
        (ending,) = await priced.run(server, priced.suite(500), max_cost=cap, params={"max_tokens": 10}, concurrency=64)
        paid = sum(sum(tokens) for tokens in server.billed)
    assert isinstance(ending.error, BudgetError)
    assert ending.error.exit_code == 3
    assert ending.result.status == "budget"
    assert paid <= cap
    assert paid > cap - 1000  # and what it allows is used: no call's worst case is that high
    assert ending.result.usage.cost_usd == paid
    assert ending.result.completed == len(server.billed)


async def test_a_run_out_of_money_goes_on_with_a_higher_cap_and_nothing_is_paid_twice(priced):
    suite = priced.suite(100)
    async with Server(default=answering(tokens=Tokens(100, 7))) as server:
        (first,) = await priced.run(server, suite, max_cost=5000.0, params={"max_tokens": 10})
        (second,) = await priced.run(server, suite, max_cost=5000.0, params={"max_tokens": 10})
        assert second.result.run_id == first.result.run_id
        assert second.result.status == "budget"
        assert sum(map(sum, server.billed)) <= 5000
        (third,) = await priced.run(server, suite, max_cost=50_000.0, params={"max_tokens": 10})
    assert (third.error, third.result.status, third.result.run_id) == (None, "completed", first.result.run_id)
    assert len(server.log) == 100
    assert third.result.usage.cost_usd == 100 * 107


async def test_what_was_paid_without_an_answer_counts_after_resuming(priced):
    suite = priced.suite(40)
    async with Server(default=answering(lambda text: ok(None), Tokens(100, 7))) as server:
        server.default = ok(None, Tokens(100, 7))
        caps = [1000.0, 1000.0, 1000.0]
        for cap in caps:
            (ending,) = await priced.run(server, suite, max_cost=cap, params={"max_tokens": 10}, concurrency=1)
            assert ending.result.status in ("budget", "failed")
        assert sum(map(sum, server.billed)) <= 1000


async def test_a_cap_without_max_tokens_is_refused_before_any_call(priced):
    async with Server(default=answering()) as server:
        with pytest.raises(UsageError, match="max_tokens"):
            await priced.run(server, priced.suite(5), max_cost=1.0)
    assert server.log == []


async def test_a_cap_without_a_price_is_refused_before_any_call(project):
    async with Server(default=answering()) as server:
        with pytest.raises(UsageError, match="price of openai/adder is not known"):
            await project.run(server, project.suite(5), max_cost=1.0, params={"max_tokens": 10})
    assert server.log == []


async def test_the_cap_covers_all_runs_of_a_command(priced):
    priced.configure(PRICED + PRICED.replace("adder", "other"))
    async with Server(default=answering(tokens=Tokens(100, 7))) as server:
        endings = await priced.run(
            server, priced.suite(20), [MODEL, "openai/other"], max_cost=3000.0, params={"max_tokens": 10}
        )
    assert sum(map(sum, server.billed)) <= 3000
    assert endings[-1].result.status == "budget"


async def test_the_cap_may_be_set_in_the_configuration(priced):
    priced.configure("[budget]\nmax_cost_usd = 1000.0\n" + PRICED)
    async with Server(default=answering(tokens=Tokens(100, 7))) as server:
        (ending,) = await priced.run(server, priced.suite(50), params={"max_tokens": 10})
    assert ending.result.status == "budget"
    assert sum(map(sum, server.billed)) <= 1000


async def test_an_unknown_price_is_unknown_and_not_nothing(project):
    async with Server(default=answering()) as server:
        result = await project.one(server, project.suite(5))
    assert result.usage.cost_usd is None


async def test_answers_from_the_cache_cost_nothing_and_say_what_they_cost(priced):
    suite = priced.suite(5)
    async with Server(default=answering(tokens=Tokens(100, 7))) as server:
        first = await priced.one(server, suite)
        again = await priced.one(server, suite)
    assert (first.usage.cost_usd, first.usage.cached_cost_usd) == (535.0, 0.0)
    assert (again.usage.cost_usd, again.usage.cached_cost_usd) == (0.0, 535.0)


# --- the first samples in full ---


class Sampling(Hooks):
    def __init__(self, go_on):
        self.go_on, self.seen = go_on, []

    def shown(self, plan, results):
        self.seen += results
        return self.go_on


async def test_samples_shown_first_are_not_paid_twice(project):
    hooks = Sampling(True)
    async with Server(default=answering()) as server:
        await project.run(server, project.suite(10), hooks=hooks, sample=3)
    assert [r.completion.text for r in hooks.seen] == ["1", "2", "3"]
    assert all(r.scores["exact_match"].value == 1.0 for r in hooks.seen)
    assert len(server.log) == 10


async def test_whoever_says_no_after_the_samples_pays_no_more_and_can_go_on(project):
    suite = project.suite(10)
    async with Server(default=answering()) as server:
        (ending,) = await project.run(server, suite, hooks=Sampling(False), sample=3)
        assert (ending.result.status, len(server.log)) == ("interrupted", 3)
        result = await project.one(server, suite)
    assert (result.run_id, len(server.log)) == (ending.result.run_id, 10)


async def test_samples_shown_before_an_interruption_are_kept_and_counted(project):
    class Interrupting(Sampling):
        def shown(self, plan, results):
            raise KeyboardInterrupt

        def ended(self, ending):
            self.seen.append(ending.result)

    hooks = Interrupting(True)
    async with Server(default=answering()) as server:
        with pytest.raises(KeyboardInterrupt):
            await project.run(server, project.suite(10), hooks=hooks, sample=3)
    (result,) = hooks.seen
    assert (result.status, result.completed, result.usage.calls) == ("interrupted", 3, 3)


async def test_money_that_runs_out_among_the_samples_shown_ends_the_run_as_out_of_money(priced):
    async with Server(default=answering(tokens=Tokens(100, 7))) as server:
        (ending,) = await priced.run(
            server, priced.suite(10), hooks=Sampling(True), sample=5, max_cost=400.0, params={"max_tokens": 10}
        )
    assert (ending.result.status, ending.error.exit_code) == ("budget", 3)


# --- the store in trouble ---


class FullDisk(Store):
    """A store whose file may grow no further once ``after`` answers are in: a real SQLITE_FULL."""

    after = 5

    def flush(self):
        super().flush()
        count = self._db.execute("SELECT count(*) FROM answers").fetchone()[0]
        if count >= self.after:
            pages = self._db.execute("PRAGMA page_count").fetchone()[0]
            self._db.execute(f"PRAGMA max_page_count={pages}")


@pytest.mark.parametrize("count", [30, 2000])
async def test_a_disk_that_fills_up_ends_the_run_and_nothing_hangs(project, monkeypatch, count):
    monkeypatch.setattr("llmkit.runs.evaluate.Store", FullDisk)
    long = "x" * 2000
    async with Server(default=answering(lambda text: add(text) + long)) as server:
        async with asyncio.timeout(60):
            with pytest.raises(StoreError, match="the disk is full"):
                endings = await project.run(server, project.suite(count), concurrency=8)
                raise endings[0].error
        before = len(server.log)
        monkeypatch.undo()
        project.at(server)
    assert before < count
    with sqlite3.connect(project.store / "store.sqlite3") as db:
        assert db.execute("SELECT count(*) FROM answers").fetchone()[0] >= FullDisk.after
    db.close()


async def test_everything_committed_before_the_disk_filled_up_is_used_afterwards(project):
    suite, long = project.suite(40), "x" * 2000
    async with Server(default=answering(lambda text: add(text) + long)) as server:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("llmkit.runs.evaluate.Store", FullDisk)
            with pytest.raises(StoreError):
                endings = await project.run(server, suite, concurrency=4)
                raise endings[0].error
        with Store(project.store) as store:
            kept = store._db.execute("SELECT count(*) FROM answers").fetchone()[0]
            (run,) = store.runs()
        before = len(server.log)
        result = await project.one(server, suite, concurrency=4)
    assert (result.run_id, result.completed) == (run.run_id, 40)
    assert len(server.log) - before == 40 - kept


async def test_a_hanging_call_does_not_keep_a_failing_store_from_ending_the_run(project, monkeypatch):
    monkeypatch.setattr("llmkit.runs.evaluate.Store", FullDisk)
    long = "x" * 2000
    hanging = answering(lambda text: hang if text == "0+1" else add(text) + long)
    async with Server(default=hanging) as server, asyncio.timeout(60):
        with pytest.raises(StoreError, match="the disk is full"):
            endings = await project.run(server, project.suite(100), concurrency=4)
            raise endings[0].error


async def test_rows_that_ask_the_same_share_a_failure_too(project):
    data = [{**row, "question": "1+1", "answer": "2"} for row in rows(9)]
    async with Server(default=status(400)) as server:
        (ending,) = await project.run(server, project.suite(data))
    assert (len(server.log), ending.result.failed, ending.result.completed) == (1, 9, 0)


async def test_rows_that_ask_the_same_are_graded_each_by_its_own_target(project):
    data = [{**row, "question": "1+1", "answer": "2" if n % 4 else "3"} for n, row in enumerate(rows(100))]
    async with Server(default=answering()) as server:
        result = await project.one(server, project.suite(data))
        again = await project.one(server, project.suite(data))
    assert (len(server.log), result.metrics["exact_match"].value) == (1, 0.75)
    assert again.metrics == result.metrics
    assert (again.from_cache, again.usage.calls) == (100, 0)


async def test_an_answer_that_rows_share_is_counted_once_in_the_cost(priced):
    data = [{**row, "question": f"{n % 3}+1"} for n, row in enumerate(rows(30))]
    async with Server(default=answering(tokens=Tokens(100, 7))) as server:
        first = await priced.one(server, priced.suite(data))
        again = await priced.one(server, priced.suite(data))
    assert (len(server.log), first.usage.calls, first.usage.cost_usd) == (3, 3, 321.0)
    assert (again.usage.cost_usd, again.usage.cached_cost_usd) == (0.0, 321.0)


async def test_a_store_that_fails_while_the_scorers_have_much_to_do_hangs_nothing(project, monkeypatch):
    """The queue to the scorers is full when the answers end, and then the scorers' own write fails."""
    from llmkit.runs import runner, settle

    monkeypatch.setattr(runner, "SCORE_BATCH", 1)
    suite, real = project.suite(40), settle.grade
    async with Server(default=answering()) as server:
        await project.one(server, suite)
        full = asyncio.Event()

        async def waiting(scorers, outcomes):
            await full.wait()
            await real(scorers, outcomes)
            raise StoreError("the disk is full")

        class Small(asyncio.Queue):
            def __init__(self, maxsize=0):
                super().__init__(maxsize and 5)

            async def put(self, item):
                if item is None and self.full():
                    full.set()  # the last word of all waits for room, and none will ever be made
                await super().put(item)

        monkeypatch.setattr(runner.asyncio, "Queue", Small)
        monkeypatch.setattr(settle, "grade", waiting)
        async with asyncio.timeout(60):
            (ending,) = await project.run(server, suite, limit=6)
    assert "the disk is full" in str(ending.error)


async def test_the_command_line_says_out_of_money_with_exit_3_and_goes_on_with_more(priced):
    priced.suite(20)
    command = ("eval", "sums.yaml", "-m", MODEL, "-M", "max_tokens=10", "--json", "--max-cost")
    async with Server(default=answering(tokens=Tokens(100, 7))) as server:
        first = await process.run(priced.folder, server, *command, "1000")
        second = await process.run(priced.folder, server, *command, "10000")
    assert (first.code, first.document["status"]) == (3, "budget")
    assert (second.code, second.document["status"]) == (0, "completed")
    assert second.document["run_id"] == first.document["run_id"]
    assert (len(server.log), second.document["cost_usd"]) == (20, 2140.0)


async def test_calls_given_up_in_flight_stay_charged_at_their_worst_case(priced):
    suite = priced.suite(20)
    held = answering(lambda text: add(text) if int(text.split("+")[0]) < 10 else hang, Tokens(100, 7))
    async with Server(default=held) as server:
        running = asyncio.create_task(
            priced.run(server, suite, max_cost=9000.0, params={"max_tokens": 10}, concurrency=4)
        )
        await server.wait_for(14)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        with Store(priced.store) as store:
            (run,) = store.runs()
            attempts, known = store.lost(run.run_id)
            spent = store.spent(run.run_id)
    assert (run.status, attempts, known) == ("interrupted", 4, None)
    assert spent >= 10 * 107 + 4 * 107


async def test_an_interrupted_run_keeps_its_result_so_far(project):
    suite = project.suite(20)
    async with Server(default=answering(lambda text: add(text) if len(text) < 4 else hang)) as server:
        running = asyncio.create_task(project.run(server, suite, concurrency=4))
        await server.wait_for(14)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    with Store(project.store) as store:
        run = store.run("latest")
        assert len(list(store.samples(run.run_id))) == 10
    assert (run.status, run.result["completed"], run.result["metrics"]["exact_match"]["n"]) == ("interrupted", 10, 10)
