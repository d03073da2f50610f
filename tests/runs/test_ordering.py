"""Prompts with a common beginning follow each other where the engine reuses it, and that changes nothing else."""

import hashlib
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.config import load_settings
from llmkit.errors import UsageError
from llmkit.prompts.fingerprint import messages_json
from llmkit.providers.base import ModelRef
from llmkit.providers.budget import Budget
from llmkit.providers.limits import Limiter
from llmkit.providers.local import LocalOptions
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.runs.begin import begin, caller_for
from llmkit.runs.evaluate import Hooks
from llmkit.runs.options import Options
from llmkit.runs.ordering import Grouped
from llmkit.runs.pairs import pairs_of
from llmkit.runs.records import Job
from llmkit.runs.render import pieces
from llmkit.runs.resume import plan_run
from llmkit.runs.runner import Runner
from llmkit.runs.store import Store
from llmkit.types import Message, Request, Sample
from tests.providers.server import Server
from tests.runs.project import MODEL, QUICK, answering, asked, question

PROMPT = "{{context}}: {{question}}"


def interleaved(contexts="abc", each=4):
    """Question 0 about each context, then question 1 …"""
    return [
        {"id": f"{context}{n}", "context": context * 20, "question": f"{n}+1", "answer": str(n + 1)}
        for n in range(each)
        for context in contexts
    ]


def contexts(texts):
    return "".join(text[0] for text in texts)


async def alone(project, server, model, data=None, **how):
    """Run one call at a time, so that the server's log is the order."""
    suite = project.suite(data or interleaved(), prompt=PROMPT)
    return await project.one(server, suite, model, concurrency=1, **how)


def vllm(server):
    return f"vllm/adder@{server.url}"


def noted(project, result):
    """Return what the store says of a run's requests."""
    with Store(project.store) as store:
        return store.run(result.run_id).about["requests_fingerprint"]


# --- what is asked when ---


async def test_a_vllm_server_is_asked_context_by_context(project):
    async with Server(default=answering()) as server:
        await alone(project, server, vllm(server))
    assert contexts(asked(server)) == "aaaabbbbcccc"


async def test_other_servers_are_asked_in_the_order_of_the_data(project):
    async with Server(default=answering()) as server:
        await alone(project, server, MODEL)
    assert contexts(asked(server)) == "abcabcabcabc"


async def test_the_epochs_of_a_sample_follow_each_other_with_seeds_of_their_own(project):
    async with Server(default=answering()) as server:
        await alone(project, server, vllm(server), interleaved(each=2), epochs=3, params={"seed": 7})
    texts = asked(server)
    assert [texts[n] for n in range(0, 18, 3)] == sorted(set(texts))
    assert [seen.body["seed"] for seen in server.log] == [7, 8, 9] * 6


async def test_beyond_a_window_the_data_s_order_holds(project, monkeypatch):
    monkeypatch.setattr("llmkit.runs.runner.ordering", lambda provider: Grouped(jobs=6))
    async with Server(default=answering()) as server:
        await alone(project, server, vllm(server))
    assert contexts(asked(server)) == "aabbcc" * 2


async def test_of_a_long_data_set_a_window_is_held_back_and_no_more(project, monkeypatch):
    held = []

    class Counting(Grouped):
        def add(self, job):
            ready = super().add(job)
            held.append(len(self._held))
            return ready

    monkeypatch.setattr("llmkit.runs.runner.ordering", lambda provider: Counting(jobs=64))
    async with Server(default=answering()) as server:
        result = await project.one(server, project.suite(interleaved(each=100), prompt=PROMPT), vllm(server))
    assert (result.completed, len(held), max(held)) == (300, 300, 64)


async def test_a_part_of_a_run_is_asked_in_the_order_given(project):
    """A gate's looks are in an order drawn at random, and what a sequential test says rests on that."""
    async with Server(default=answering()) as server:
        suite = project.suite(interleaved(), prompt=PROMPT)
        options = Options(retry=QUICK, concurrency=1)
        ((plan, provider),) = pairs_of(suite, vllm(server), options, load_settings())
        async with provider:
            with Store(project.store) as store, ExitStack() as locks:
                planned = plan_run(plan, provider, options, store, locks)
                begin(planned, provider, store)
                call = caller_for(provider, planned.run_id, store, QUICK, Limiter(1), Budget(None), Prices({}))
                runner = Runner(plan, planned.run_id, provider, call, store, workers=1)
                await runner.run(list(pieces(plan, provider))[::-1])
    assert contexts(asked(server)) == "cbacbacbacba"


# --- what does not change with it ---


async def test_results_are_those_of_the_data_s_order(project):
    def sometimes(text):
        return "wrong" if text.startswith("b") else str(eval_sum(text))

    async with Server(default=answering(sometimes)) as server:
        grouped, plain = [await alone(project, server, model) for model in (vllm(server), MODEL)]
    assert contexts(asked(server)) == "aaaabbbbcccc" + "abcabcabcabc"
    assert grouped.metrics == plain.metrics
    with Store(project.store) as store:
        one, two = (
            [(s.sample_id, s.answer.completion.text) for s in store.samples(r.run_id)] for r in (grouped, plain)
        )
    assert one == two


def eval_sum(text):
    return sum(map(int, text.split(": ")[1].split("+")))


async def test_the_requests_fingerprint_is_that_of_the_data_s_order(project):
    async with Server(default=answering()) as server:
        grouped, plain = [await alone(project, server, model) for model in (vllm(server), MODEL)]
    assert noted(project, grouped) == noted(project, plain) is not None


async def test_answers_are_found_again_whoever_asked_first(project):
    data = interleaved()
    async with Server(default=answering()) as server:
        await alone(project, server, vllm(server), data, limit=5)
        again = await alone(project, server, vllm(server), data)
    assert again.from_cache == 5
    assert contexts(asked(server)) == "aabbc" + "aabbccc"


async def test_samples_shown_before_the_run_are_the_data_s_first_and_the_rest_is_asked_once(project):
    class Shown(Hooks):
        def shown(self, plan, results):
            self.ids = [result.sample_id for result in results]
            return True

    hooks = Shown()
    async with Server(default=answering()) as server:
        suite = project.suite(interleaved(), prompt=PROMPT)
        (ending,) = await project.run(server, suite, vllm(server), concurrency=1, sample=3, hooks=hooks)
    assert hooks.ids == ["a0", "b0", "c0"]
    assert contexts(asked(server)) == "abc" + "aaabbbccc"
    assert ending.result.completed == 12


async def test_a_run_that_was_stopped_goes_on_with_what_is_left(project):
    class Stopping(Hooks):
        def shown(self, plan, results):
            return False

    async with Server(default=answering()) as server:
        suite = project.suite(interleaved(), prompt=PROMPT)
        (stopped,) = await project.run(server, suite, vllm(server), sample=2, hooks=Stopping(), concurrency=1)
        result = await project.one(server, suite, vllm(server), concurrency=1)
    assert isinstance(stopped.error, UsageError)
    assert (result.run_id, result.completed) == (stopped.result.run_id, 12)
    assert contexts(asked(server)) == "ab" + "aaabbbcccc"


async def test_samples_that_ask_the_same_are_asked_once_and_all_scored(project):
    data = [{**row, "id": f"{n}", "context": row["context"][:1] * 20} for n, row in enumerate(interleaved() * 2)]
    async with Server(default=answering()) as server:
        result = await alone(project, server, vllm(server), data)
    assert (result.completed, len(server.log), len(set(map(question, server.log)))) == (24, 12, 12)


async def test_a_row_that_cannot_be_asked_fails_alone(project):
    data = interleaved()
    del data[4]["question"]
    async with Server(default=answering()) as server:
        result = await alone(project, server, vllm(server), data)
    assert (result.completed, result.failed, contexts(asked(server))) == (11, 1, "aaaabbbcccc")


# --- who is asked so ---


@pytest.mark.parametrize("reused", [False, True])
def test_the_embedded_engine_says_whether_it_reuses_beginnings(project, reused):
    provider = create(ModelRef("local/smollm2-135m-instruct", options={"prompt_cache": reused}))
    assert isinstance(provider.options, LocalOptions)
    assert provider.capabilities.reuses_prefixes is reused


# --- the window ---


def job(index, text, epoch=1):
    messages = (Message("user", text),)
    digest = hashlib.sha256(f"{index} {epoch} {text}".encode()).digest()
    written = messages_json(messages)
    return Job(Sample(f"{index}", index, {}), epoch, Request(messages), digest, digest, digest, "{}", "[]", written)


def through(window, jobs):
    """Return what a window lets go, a list at a time."""
    return [list(batch) for batch in (*(window.add(each) for each in jobs), window.rest()) if batch]


texts = st.lists(st.text("ab", max_size=4), max_size=30)


@given(texts, st.integers(1, 3), st.integers(1, 12), st.integers(0, 200))
def test_what_goes_in_comes_out_once_in_sorted_windows(said, epochs, jobs, text):
    given_ = [job(index, each, epoch) for index, each in enumerate(said) for epoch in range(1, epochs + 1)]
    batches = through(Grouped(jobs, text), given_)
    assert sorted(j.key for batch in batches for j in batch) == sorted(j.key for j in given_)
    for batch in batches:
        assert [j.messages for j in batch] == sorted(j.messages for j in batch)
        assert len(batch) <= jobs


@given(texts, st.integers(1, 3), st.integers(3, 12))
def test_a_window_never_parts_a_sample(said, epochs, jobs):
    given_ = [job(index, each, epoch) for index, each in enumerate(said) for epoch in range(1, epochs + 1)]
    batches = through(Grouped(jobs), given_)
    places = {}
    for number, batch in enumerate(batches):
        for each in batch:
            places.setdefault(each.sample.index, set()).add(number)
    assert all(len(found) == 1 for found in places.values())


def test_equal_prompts_keep_their_order():
    (batch,) = through(Grouped(), [job(n, "same", epoch) for n in range(3) for epoch in (1, 2)])
    assert [(j.sample.index, j.epoch) for j in batch] == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]


def test_long_prompts_fill_a_window_sooner():
    batches = through(Grouped(text=100), [job(n, "x" * 30) for n in range(6)])
    assert [len(batch) for batch in batches] == [2, 2, 2]


def test_a_prompt_longer_than_a_window_goes_alone():
    batches = through(Grouped(text=10), [job(n, "x" * 30) for n in range(3)])
    assert [len(batch) for batch in batches] == [1, 1, 1]


def test_a_sample_of_more_epochs_than_a_window_holds_is_let_go():
    batches = through(Grouped(jobs=4), [job(0, "a", epoch) for epoch in range(1, 11)])
    assert [len(batch) for batch in batches] == [4, 4, 2]
