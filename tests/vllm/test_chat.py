"""Answers, in process and over HTTP: the same tests put to both."""

from __future__ import annotations

import asyncio

import pytest

from llmkit.errors import ProviderError, UnknownNameError, UsageError
from llmkit.types import Request
from tests.vllm.models import ENGINE, PROMPTS, asked, folder, provider

pytestmark = pytest.mark.asyncio(loop_scope="session")
ENDLESS = {"extra": {"ignore_eos": True}}
LONG = "one two three four five six seven " * 300


async def test_an_answer_has_text_usage_latency_and_names(model):
    completion = await model.complete(asked("Say hello.", max_tokens=8))
    assert completion.text
    assert completion.usage.input > 5
    assert 1 <= completion.usage.output <= 8
    assert completion.latency_s > 0
    assert completion.served_model == str(folder())
    assert completion.request_id
    assert completion.logprobs is None


async def test_a_chat_template_goes_with_each_call_so_that_one_engine_serves_several(engine):
    template = "{% for message in messages %}{{ message.content }}{% endfor %}"
    request = asked("Count to 20.", max_tokens=4)
    own = await engine.complete(request)
    async with provider(chat_template=template) as other:
        assert other._engine is engine._engine
        bare = await other.complete(request)
        assert bare.usage.input < own.usage.input
        assert await other.count_tokens(request) == bare.usage.input
    assert (await engine.complete(request)).usage.input == own.usage.input


async def test_max_tokens_ends_with_length(model):
    completion = await model.complete(asked("Count to 100.", max_tokens=3, **ENDLESS))
    assert (completion.finish_reason, completion.usage.output) == ("length", 3)


async def test_the_models_own_end_is_stop(model):
    completion = await model.complete(asked("Pick.", structured={"choice": ["yes"]}, max_tokens=20))
    assert (completion.text, completion.finish_reason) == ("yes", "stop")


@pytest.mark.parametrize("stop", ["END", ["nowhere", "END"]])
async def test_a_stop_string_ends_before_itself(model, stop):
    request = asked("Go.", stop=stop, structured={"regex": "one END two"}, max_tokens=20)
    completion = await model.complete(request)
    assert (completion.text, completion.finish_reason) == ("one ", "stop")


async def test_a_seed_repeats_what_is_drawn_and_another_draws_otherwise(model):
    request = asked("Tell me a story.", temperature=1.0, seed=7, max_tokens=24, **ENDLESS)
    other = Request(request.messages, {**request.params, "seed": 8})
    one, again, another = [await model.complete(each) for each in (request, request, other)]
    assert one.text == again.text
    assert another.text != one.text


async def test_sampling_parameters_reach_the_engine(model):
    """With a logit bias of 100 towards one token nothing else is said; min_tokens goes beyond the model's end."""
    completion = await model.complete(
        asked("Say hello.", max_tokens=5, extra={"logit_bias": {"28": 100}, "ignore_eos": True})
    )
    assert len(set(completion.text)) == 1
    assert completion.usage.output == 5


async def test_logprobs_come_one_a_token_with_alternatives(model):
    completion = await model.complete(asked("Say hello.", max_tokens=4, top_logprobs=3, **ENDLESS))
    assert len(completion.logprobs) == 4
    assert "".join(entry.token for entry in completion.logprobs) == completion.text
    for entry in completion.logprobs:
        assert len(entry.top) == 3
        assert entry.logprob == max(logprob for _, logprob in entry.top) <= 0
        assert [logprob for _, logprob in entry.top] == sorted((each for _, each in entry.top), reverse=True)


async def test_logprobs_alone_come_without_alternatives(model):
    completion = await model.complete(asked("Say hello.", max_tokens=2, logprobs=True, **ENDLESS))
    assert [entry.top for entry in completion.logprobs] == [(), ()]


@pytest.mark.parametrize("system", [None, "Be brief. " * 30])
async def test_tokens_counted_before_are_those_of_the_call(engine, server, system):
    request = asked("Say hello.", system=system, max_tokens=1)
    counted = await engine.count_tokens(request)
    assert [(await each.complete(request)).usage.input for each in (engine, server)] == [counted, counted]


async def test_the_tokenizer_counts_as_the_model_does(model):
    def count():
        with model.tokenizer() as tokenizer:
            return [tokenizer.count(text) for text in ("a b c", "a b c d e f")]

    few, more = await asyncio.to_thread(count)
    assert 0 < few < more
    read = [(await model.complete(asked(text, max_tokens=1))).usage.input for text in ("a b c", "a b c d e f")]
    assert read[1] - read[0] == more - few


async def test_forty_calls_at_once_are_all_answered_as_alone(model):
    """In batches of other sizes sums differ in their last digits; where that matters the model was undecided."""
    texts = [f"{prompt} Number {n}." for n in range(5) for prompt in PROMPTS]
    requests = [asked(text, max_tokens=6, **ENDLESS) for text in texts]
    completions = await asyncio.gather(*(model.complete(request) for request in requests))
    assert [completion.usage.output for completion in completions] == [6] * 40
    alone = [await model.complete(request) for request in requests[:5]]
    assert sum(one.text == two.text for one, two in zip(alone, completions, strict=False)) >= 4


async def test_a_cancelled_call_leaves_room_for_others(model):
    endless = [asked(f"Story {n}.", max_tokens=900, **ENDLESS) for n in range(40)]
    tasks = [asyncio.ensure_future(model.complete(request)) for request in endless]
    await model.complete(asked("Say hello.", max_tokens=2, **ENDLESS))  # the others are under way
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended)
    async with asyncio.timeout(10):  # 40 stories take a minute
        assert (await model.complete(asked("Say hello.", max_tokens=2, **ENDLESS))).text


async def test_a_prompt_beyond_the_context_is_one_clear_error(model):
    with pytest.raises(ProviderError, match=str(ENGINE["max_model_len"])) as caught:
        await model.complete(asked(LONG, max_tokens=4))
    assert caught.value.fault == "context_overflow"
    assert not caught.value.retryable
    assert "\n" not in str(caught.value)


async def test_what_the_engine_refuses_is_one_line_and_the_next_call_is_answered(model):
    with pytest.raises(ProviderError, match="min_tokens") as caught:
        await model.complete(asked("Say hello.", extra={"min_tokens": -7}, max_tokens=2))
    assert caught.value.fault == "bad_request"
    assert "\n" not in str(caught.value)
    assert (await model.complete(asked("Say hello.", max_tokens=2))).text


async def test_a_regex_that_is_none_fails_alone(model):
    with pytest.raises(ProviderError) as caught:
        await model.complete(asked("Go.", structured={"regex": "(a"}, max_tokens=4))
    assert caught.value.fault == "bad_request"
    assert (await model.complete(asked("Say hello.", max_tokens=2))).text


async def test_a_parameter_that_vllm_has_not_is_refused_before_any_call(engine):
    with pytest.raises(UsageError, match="reasoning_effort"):
        await engine.complete(asked("Go.", reasoning_effort="low"))


async def test_an_unknown_extra_field_names_the_nearest(engine):
    with pytest.raises(UnknownNameError, match=r"extra\.repetition_penalty") as caught:
        await engine.complete(asked("Go.", extra={"repetition_penality": 1.2}))
    assert "\n" not in str(caught.value)
