"""Log-likelihoods through ``/completions``, against a real server on loopback that answers as vLLM does."""

from itertools import pairwise

import pytest

from llmkit.errors import ProviderError
from llmkit.providers.base import ModelRef
from llmkit.providers.registry import create
from llmkit.types import Continuation, Continuations, Message, Request
from tests.providers.echoing import BOS, Vllm, likely, split
from tests.providers.server import Server, hang, status

OPTIONS = {"vllm": {}, "openai": {"loglikelihood": True}}
QUESTION = "Capital of France?"


def asked(*texts, prompt=QUESTION, chat=False, space=" ", given="", unconditional=None, **params):
    continuations = tuple(Continuation(text, space, given) for text in texts)
    return Request((Message("user", prompt),), params, Continuations(continuations, chat, unconditional))


async def measure(server, request, provider="vllm", **options):
    ref = ModelRef(f"{provider}/bigram", {}, {"base_url": server.url, **OPTIONS[provider], **options})
    async with create(ref) as model:
        return await model.loglikelihoods(request)


def after(before, text):
    """What the server's model says of a text after another, computed by hand."""
    tokens = split(before) + split(text)
    pairs = list(pairwise(tokens))[len(split(before)) - 1 :]
    return tuple((token, likely(last, token)) for last, token in pairs)


both = pytest.mark.parametrize("provider", ["vllm", "openai"])


@both
async def test_after_plain_text_continuations_are_as_likely_as_the_server_says(provider):
    async with Server(default=Vllm()) as server:
        completion = await measure(server, asked("Paris", "London, of course"), provider)
    assert [entry.top for entry in completion.logprobs] == [
        after(QUESTION, " Paris"),
        after(QUESTION, " London, of course"),
    ]
    assert [entry.logprob for entry in completion.logprobs] == [
        sum(value for _, value in entry.top) for entry in completion.logprobs
    ]


@both
async def test_all_continuations_are_prompts_of_one_call_that_generates_nothing(provider):
    async with Server(default=Vllm()) as server:
        await measure(server, asked("Paris", "London", "Paris", unconditional="Answer:"), provider)
    (call,) = [seen.body for seen in server.log if seen.path == "/v1/completions"]
    assert len(call["prompt"]) == (4 if provider == "vllm" else 6)
    assert (call["max_tokens"], call["echo"], call["logprobs"]) == (0, True, 1)


@both
async def test_a_token_at_the_beginning_of_prompts_changes_nothing(provider):
    async with Server(default=Vllm(bos=True)) as server:
        (entry,) = (await measure(server, asked("Paris"), provider)).logprobs
    assert entry.top == after(BOS + QUESTION, " Paris")


@both
async def test_a_token_over_the_boundary_belongs_to_the_continuation(provider):
    async with Server(default=Vllm()) as server:
        (entry,) = (await measure(server, asked("nce", prompt="in Fra", space=""), provider)).logprobs
    assert entry.top == after("in", " France")


@both
async def test_choices_may_come_in_any_order(provider):
    async with Server(default=Vllm(shuffled=True)) as server:
        completion = await measure(server, asked("Paris", "London"), provider)
    assert [entry.top[0][0] for entry in completion.logprobs] == [" Paris", " London"]


@both
async def test_without_the_question_continuations_are_measured_after_what_stands_in_its_place(provider):
    async with Server(default=Vllm()) as server:
        (entry,) = (await measure(server, asked("Paris", unconditional="Answer:"), provider)).logprobs
    assert entry.alone == likely(":", " Paris")


async def test_in_chat_the_template_stands_before_them():
    async with Server(default=Vllm()) as server:
        (entry,) = (await measure(server, asked("Paris", chat=True, space=""))).logprobs
        (begun,) = (await measure(server, asked("Paris", chat=True, given="It is"))).logprobs
    assert entry.top == (("Paris", likely("<|assistant|>", "Paris")),)
    assert begun.top == ((" Paris", likely(" is", " Paris")),)


@pytest.mark.parametrize(("given", "before"), [("", "<|assistant|>"), ("It is", " is")])
async def test_a_tokenizer_that_loses_its_template_is_sent_the_begun_answer(given, before):
    space = " " if given else ""
    async with Server(default=Vllm(lossy=True)) as server:
        (entry,) = (await measure(server, asked("Paris", chat=True, space=space, given=given))).logprobs
    assert entry.top == ((f"{space}Paris", likely(before, f"{space}Paris")),)
    assert any(seen.body.get("continue_final_message") for seen in server.log)


async def test_there_an_answer_cannot_begin_with_white_space_which_templates_may_drop():
    async with Server(default=Vllm(lossy=True)) as server:
        with pytest.raises(ProviderError, match="cannot begin with white space") as caught:
            await measure(server, asked("Paris", chat=True, space=" "))
    assert "separator: ''" in caught.value.hint


async def test_fields_of_the_template_go_where_the_template_is_applied():
    extra = {"chat_template_kwargs": {"enable_thinking": False}, "priority": 1}
    async with Server(default=Vllm()) as server:
        await measure(server, asked("Paris", chat=True, space="", extra=extra))
    told = {seen.path: seen.body for seen in reversed(server.log)}
    assert told["/tokenize"]["chat_template_kwargs"] == {"enable_thinking": False}
    assert "chat_template_kwargs" not in told["/v1/completions"]
    assert told["/v1/completions"]["priority"] == 1


async def test_a_server_whose_template_is_not_known_measures_plain_text_alone():
    async with Server(default=Vllm()) as server:
        with pytest.raises(ProviderError, match="chat template is not known"):
            await measure(server, asked("Paris", chat=True), "openai")
    assert server.log == []


async def test_no_text_before_the_continuations_is_an_error():
    async with Server(default=Vllm()) as server:
        with pytest.raises(ProviderError, match="no text stands before"):
            await measure(server, asked("Paris", prompt="", space=""), "openai")
        with pytest.raises(ProviderError, match="no token stands before"):
            await measure(server, asked("Paris", prompt="", space=""), "vllm")


@both
@pytest.mark.parametrize("wrong", [{"echo": False}, {"extra": True}])
async def test_a_server_that_does_not_echo_just_the_prompts_is_found_out(provider, wrong):
    async with Server(default=Vllm(**wrong)) as server:
        with pytest.raises(ProviderError) as caught:
            await measure(server, asked("Paris", "London"), provider)
    assert caught.value.fault in ("bad_request", "malformed")


@pytest.mark.parametrize("choices", [None, [], [{}, {}], [{"index": 0, "logprobs": None}, {"index": 1}]])
async def test_what_is_no_completion_is_malformed_or_no_echo(choices):
    async with Server(default=status(200, {"choices": choices})) as server:
        with pytest.raises(ProviderError) as caught:
            await measure(server, asked("Paris"), "openai")
    assert caught.value.fault in ("bad_request", "malformed")


@pytest.mark.parametrize(("code", "fault"), [(401, "auth"), (404, "not_found"), (429, "rate_limit"), (503, "server")])
async def test_what_a_server_refuses_is_named(code, fault):
    async with Server(default=status(code)) as server:
        with pytest.raises(ProviderError) as caught:
            await measure(server, asked("Paris"), "vllm")
    assert caught.value.fault == fault


async def test_a_server_that_hangs_times_out():
    async with Server(default=hang) as server:
        with pytest.raises(ProviderError) as caught:
            await measure(server, asked("Paris"), "openai", timeout_s=0.05)
    assert caught.value.fault == "timeout"


@both
async def test_usage_and_who_answered_are_the_servers(provider):
    async with Server(default=Vllm()) as server:
        completion = await measure(server, asked("Paris"), provider)
    assert completion.usage.output == 0
    assert completion.usage.input == len(split(QUESTION + " Paris")) + (
        len(split(QUESTION)) if provider == "openai" else 0
    )
    assert (completion.served_model, completion.text, completion.finish_reason) == ("bigram", "Paris", "compared")


def test_only_a_server_that_the_user_vouches_for_can_compare():
    def able(name, **options):
        return create(ModelRef(name, {}, {"base_url": "http://127.0.0.1:9/v1", **options})).capabilities.loglikelihood

    assert able("vllm/m") == {"chat", "none"}
    assert able("openai/m", loglikelihood=True) == {"none"}
    assert able("openai/m") == able("openai/m", api="responses", loglikelihood=True) == frozenset()
