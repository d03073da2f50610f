"""The public fake, as users test with it."""

import asyncio
import json
from collections import Counter

import pytest

from llmkit.errors import ProviderError, UnknownNameError, UsageError
from llmkit.providers.base import Counts, Provider, SpeaksWire
from llmkit.providers.scripted import Scripted
from llmkit.types import Completion, Continuation, Continuations, Message, Request, TokenLogprob, Usage


def asked(text="2 + 2?", **params):
    return Request((Message("system", "Be short."), Message("user", text)), params)


@pytest.fixture
def answers(tmp_path):
    def write(*lines):
        path = tmp_path / "answers.jsonl"
        path.write_text("\n".join(map(json.dumps, lines)))
        return str(path)

    return write


async def fault_of(provider, request):
    try:
        await provider.complete(request)
    except ProviderError as error:
        return error.fault
    return None


async def test_a_file_answers(answers):
    provider = Scripted("mine", {"file": answers({"match": "2 + 2", "text": "4"})})
    completion = await provider.complete(asked())
    assert (completion.text, completion.finish_reason, completion.served_model) == ("4", "stop", "mine")


async def test_a_function_answers_with_a_text():
    provider = Scripted(function=lambda request: request.messages[-1].content.upper())
    assert (await provider.complete(asked("hello"))).text == "HELLO"


async def test_a_function_may_be_asynchronous_and_return_a_completion():
    async def answer(request):
        return Completion("4", finish_reason="length", usage=Usage(input=1, output=2))

    assert await Scripted(function=answer).complete(asked()) == await answer(asked())


async def test_echo_and_constant_need_no_script():
    assert (await Scripted("echo").complete(asked("hello"))).text == "hello"
    assert (await Scripted("constant", {"text": "42"}).complete(asked("hello"))).text == "42"


async def test_tokens_are_a_quarter_of_the_bytes_rounded_up():
    provider = Scripted("constant", {"text": "ÄÖÜ"})
    completion = await provider.complete(asked("abc"))
    assert completion.usage == Usage(input=3, output=2)  # 9 + 3 bytes; 6 bytes
    assert await provider.count_tokens(asked("abc")) == 3


async def test_a_line_sets_usage_finish_reason_and_logprobs(answers):
    line = {
        "match": "2",
        "text": "4",
        "finish_reason": "length",
        "usage": {"input": 7, "output": 1, "cached": 5},
        "logprobs": [{"token": "4", "logprob": -0.5, "top": [["4", -0.5], ["5", -1.5]]}],
    }
    provider = Scripted("mine", {"file": answers(line)})
    completion = await provider.complete(asked())
    assert completion.finish_reason == "length"
    assert completion.usage == Usage(input=7, output=1, cached=5)
    assert completion.logprobs == (TokenLogprob("4", -0.5, (("4", -0.5), ("5", -1.5))),)
    assert provider.capabilities.logprobs


async def test_no_answer_is_an_error_that_names_the_nearest(answers):
    provider = Scripted("mine", {"file": answers({"match": "2 + 3?", "text": "5"})})
    with pytest.raises(ProviderError, match=r"answers.jsonl:1, for '2 \+ 3\?'") as caught:
        await provider.complete(asked("2 + 2?"))
    assert caught.value.fault == "not_found"


async def test_a_default_answers_what_no_line_does(answers):
    provider = Scripted("mine", {"file": answers({"match": "2", "text": "4"}), "default": "?"})
    assert (await provider.complete(asked("x"))).text == "?"


async def test_an_empty_text_is_a_fault_as_on_real_servers(answers):
    provider = Scripted("mine", {"file": answers({"match": "2", "text": ""})})
    assert await fault_of(provider, asked()) == "empty"


async def test_a_line_can_fail_first_and_answer_then(answers):
    lines = {"match": "2", "fault": "rate_limit", "retry_after": 1.5, "times": 1}, {"match": "2", "text": "4"}
    provider = Scripted("mine", {"file": answers(*lines)})
    with pytest.raises(ProviderError) as caught:
        await provider.complete(asked())
    assert (caught.value.fault, caught.value.status, caught.value.retry_after) == ("rate_limit", 429, 1.5)
    assert (await provider.complete(asked())).text == "4"


async def test_the_kth_call_fails():
    provider = Scripted("echo", {"faults_at": "2:timeout, 3:server"})
    assert [await fault_of(provider, asked()) for _ in range(4)] == [None, "timeout", "server", None]


async def test_a_fault_leaves_the_script_as_it_was(answers):
    provider = Scripted("mine", {"file": answers({"match": "2", "text": "4", "times": 1}), "faults_at": {1: "server"}})
    assert await fault_of(provider, asked()) == "server"
    assert (await provider.complete(asked())).text == "4"


async def test_drawn_faults_come_at_their_rates():
    provider = Scripted("echo", {"faults": {"rate_limit": 0.2, "server": 0.1}})
    seen = Counter([await fault_of(provider, asked(f"row {i}")) for i in range(2_000)])
    # Three standard deviations of a binomial share.
    assert seen["rate_limit"] == pytest.approx(400, abs=3 * (2000 * 0.2 * 0.8) ** 0.5)
    assert seen["server"] == pytest.approx(200, abs=3 * (2000 * 0.1 * 0.9) ** 0.5)


async def test_drawn_faults_do_not_depend_on_the_order_of_calls():
    async def faults(order):
        provider = Scripted("echo", {"faults": "server:0.5", "fault_seed": 7})
        return {i: await fault_of(provider, asked(f"row {i}")) for i in order}

    assert await faults(range(50)) == await faults(reversed(range(50)))


async def test_another_seed_draws_other_faults():
    async def faults(seed):
        provider = Scripted("echo", {"faults": "server:0.5", "fault_seed": seed})
        return [await fault_of(provider, asked(f"row {i}")) for i in range(50)]

    assert await faults(1) == await faults(1)
    assert await faults(1) != await faults(2)


async def test_latency_holds_the_call_and_is_told():
    provider = Scripted("echo", {"latency_s": 30})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await provider.complete(asked())
    assert isinstance(provider.calls[0].error, asyncio.CancelledError)
    assert (await Scripted("echo", {"latency_s": 0.001}).complete(asked())).latency_s == 0.001


async def test_calls_are_logged_in_order():
    provider = Scripted("echo", {"faults_at": {2: "server"}})
    for text in "abc":
        await fault_of(provider, asked(text))
    assert [call.request.messages[-1].content for call in provider.calls] == ["a", "b", "c"]
    assert provider.calls[0].completion.text == "a"
    assert provider.calls[1].error.fault == "server"


async def test_the_log_is_bounded_and_the_count_is_not():
    provider = Scripted("echo", {"log": 2})
    for text in "abc":
        await provider.complete(asked(text))
    assert [call.number for call in provider.calls] == [2, 3]
    assert provider.made == 3


def test_the_wire_carries_all_of_the_request():
    provider = Scripted("echo")
    assert isinstance(provider, SpeaksWire) and isinstance(provider, Counts)
    assert provider.wire(asked("a", seed=1)) != provider.wire(asked("a", seed=2))
    assert provider.wire(asked("a")) != provider.wire(asked("b"))


def test_the_identity_is_the_script_not_its_path(answers, tmp_path):
    first = Scripted("mine", {"file": answers({"match": "2", "text": "4"})}).identity()
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"match": "2", "text": "4"}))
    assert Scripted("mine", {"file": other}).identity() == first
    other.write_text(json.dumps({"match": "2", "text": "5"}))
    assert Scripted("mine", {"file": other}).identity() != first
    assert Scripted("mine", {"file": other, "default": "6"}).identity() != Scripted("mine", {"file": other}).identity()


def test_two_functions_never_share_an_identity_unless_a_revision_says_so():
    def answer(request):
        return "4"

    assert Scripted(function=answer).identity() != Scripted(function=answer).identity()
    named = {"revision": "1"}
    assert Scripted(options=named, function=answer).identity() == Scripted(options=named, function=answer).identity()


def test_constants_differ_in_identity():
    assert Scripted("constant", {"text": "a"}).identity() != Scripted("constant", {"text": "b"}).identity()


def test_billing_and_concurrency_are_capabilities():
    provider: Provider = Scripted("echo", {"billed": True, "concurrency": 3})
    assert provider.capabilities.billed
    assert provider.capabilities.fixed_concurrency == 3
    assert not Scripted("echo").capabilities.billed


def test_an_unknown_behaviour_names_the_known():
    with pytest.raises(UnknownNameError, match=r"file=answers\.jsonl; built in are constant and echo"):
        Scripted("ecko")


def test_options_are_checked():
    with pytest.raises(UnknownNameError, match=r"unknown option of scripted 'latency'\. Did you mean 'latency_s'"):
        Scripted("echo", {"latency": 1})
    with pytest.raises(UsageError, match="faults"):
        Scripted("echo", {"faults": "server:2"})
    with pytest.raises(UsageError, match="faults"):
        Scripted("echo", {"faults": "nonsense:0.1"})
    with pytest.raises(UsageError, match="Give one of them"):
        Scripted("mine", {"file": "x.jsonl"}, function=lambda request: "")


def compared(*texts, prompt="Capital of France?", chat=True, given="", unconditional=None):
    continuations = tuple(Continuation(text, " " if given else "", given) for text in texts)
    return Request((Message("user", prompt),), {}, Continuations(continuations, chat, unconditional))


async def test_a_function_tells_how_likely_continuations_are():
    provider = Scripted(likelihood=lambda request, text: -float(len(text)))
    assert provider.capabilities.loglikelihood == {"chat", "none"}
    completion = await provider.loglikelihoods(compared("London", "Paris"))
    assert (completion.text, completion.finish_reason) == ("Paris", "compared")
    assert [entry.logprob for entry in completion.logprobs] == [-6.0, -5.0]


async def test_that_function_sees_what_stands_before_a_continuation():
    seen = []

    def likelihood(request, text):
        seen.append(([(m.role, m.content) for m in request.messages], text))
        return -1.0

    provider = Scripted(likelihood=likelihood)
    await provider.loglikelihoods(compared("Paris", given="It is", unconditional="Answer:"))
    await provider.loglikelihoods(compared("Paris", given="It is", chat=False))
    assert seen == [
        ([("user", "Capital of France?"), ("assistant", "It is")], " Paris"),
        ([("user", "Answer:"), ("assistant", "It is")], " Paris"),
        ([("assistant", "Capital of France? It is")], " Paris"),
    ]


async def test_a_file_tells_how_likely_continuations_are(answers):
    file = answers({"match": "France", "loglikelihoods": {"Paris": -0.5, "London": -3}})
    provider = Scripted("mine", {"file": file})
    for chat in (True, False):
        completion = await provider.loglikelihoods(compared("London", "Paris", chat=chat))
        assert [entry.logprob for entry in completion.logprobs] == [-3.0, -0.5]


async def test_a_continuation_that_no_line_has_is_said(answers):
    provider = Scripted("mine", {"file": answers({"match": "France", "loglikelihoods": {"Paris": -0.5}})})
    with pytest.raises(ProviderError, match="no scripted log-likelihood of 'Rome'") as caught:
        await provider.loglikelihoods(compared("Rome", "Paris"))
    assert caught.value.fault == "not_found" and "'Paris'" in caught.value.hint


async def test_lines_of_texts_and_of_likelihoods_stand_side_by_side(answers):
    text = {"match": "France", "text": "Paris"}
    likelihoods = {"match": "France", "loglikelihoods": {"Paris": -0.5, "Rome": -2}, "times": 1}
    provider = Scripted("mine", {"file": answers(text, likelihoods)})
    request = compared("Rome", "Paris")
    assert (await provider.complete(Request(request.messages))).text == "Paris"
    assert (await provider.loglikelihoods(request)).text == "Paris"
    with pytest.raises(ProviderError, match="is used up"):
        await provider.loglikelihoods(request)


async def test_a_script_without_likelihoods_compares_nothing(answers):
    provider = Scripted("mine", {"file": answers({"match": "France", "text": "Paris"})})
    assert provider.capabilities.loglikelihood == frozenset()
    with pytest.raises(ProviderError, match="no scripted answer"):
        await provider.loglikelihoods(compared("Rome", "Paris"))


async def test_comparisons_fail_as_scripted_too(answers):
    provider = Scripted(options={"faults_at": {1: "rate_limit"}}, likelihood=lambda request, text: -1.0)
    with pytest.raises(ProviderError) as caught:
        await provider.loglikelihoods(compared("a", "b"))
    assert caught.value.fault == "rate_limit"
    assert (await provider.loglikelihoods(compared("a", "b"))).text == "a"
    assert provider.made == 2
