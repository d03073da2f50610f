"""The Chat Completions wire: what is sent for which parameter, and what is read from which answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import ProviderError, UsageError
from llmkit.providers.base import ModelRef, ReportsLimits, SpeaksWire, Starts
from llmkit.providers.chat import clean, count, read_chat
from llmkit.providers.faults import Peer
from llmkit.providers.http import Reply
from llmkit.providers.registry import create
from llmkit.types import Message, Request, TokenLogprob
from tests.providers.roads import ask

PEER = Peer("openai", "http://127.0.0.1:1/v1", "OPENAI_API_KEY")
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def read(choice: object, **fields: object):
    return read_chat(PEER, Reply({"choices": [choice], **fields}, {}, 0.1))


def said(content: object, **fields: object) -> dict[str, object]:
    return {"message": {"role": "assistant", "content": content}, "finish_reason": "stop", **fields}


@pytest.fixture
def openai(monkeypatch):
    """Providers of openai/m, by base URL."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    return lambda url=None, **options: create(
        ModelRef("openai/m", {}, {**({"base_url": url} if url else {}), **options})
    )


@pytest.fixture
def vllm():
    return create(ModelRef("vllm/m@http://127.0.0.1:1"))


def test_it_offers_the_small_protocols(openai):
    assert all(isinstance(openai(), kind) for kind in (SpeaksWire, Starts, ReportsLimits))


def test_messages_and_parameters_under_the_wires_names(openai):
    request = Request(
        (Message("system", "Be short."), Message("user", "Hi"), Message("assistant", "Yes?")),
        {"temperature": 0.2, "top_p": 0.9, "stop": ["\n"], "seed": 7, "presence_penalty": 0.1, "logprobs": True},
    )
    assert openai("http://h/v1").wire(request) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Yes?"},
        ],
        "temperature": 0.2,
        "top_p": 0.9,
        "stop": ["\n"],
        "seed": 7,
        "presence_penalty": 0.1,
        "logprobs": True,
    }


@pytest.mark.parametrize(
    ("url", "field"),
    [
        (None, "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://me.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("http://127.0.0.1:8000/v1", "max_tokens"),
        ("https://api.openai.com.evil.example/v1", "max_tokens"),
    ],
)
def test_the_limit_is_spelt_as_the_server_wants_it(openai, url, field):
    wire = openai(url).wire(ask(max_tokens=9))
    assert wire[field] == 9
    assert len({"max_tokens", "max_completion_tokens"} & set(wire)) == 1


def test_the_spelling_of_the_limit_can_be_set(openai):
    wire = openai("http://h/v1", max_tokens_field="max_completion_tokens").wire(ask(max_tokens=9))
    assert wire["max_completion_tokens"] == 9


def test_top_k_goes_to_compatible_servers_only(openai):
    assert openai("http://h/v1").wire(ask(top_k=5))["top_k"] == 5
    with pytest.raises(UsageError, match="does not take top_k"):
        openai().wire(ask(top_k=5))


def test_top_logprobs_switch_logprobs_on(openai):
    assert openai("http://h/v1").wire(ask(top_logprobs=3))["logprobs"] is True


def test_extra_is_merged_as_it_is(openai):
    assert openai("http://h/v1").wire(ask(extra={"min_p": 0.1}))["min_p"] == 0.1


def test_a_schema(openai, vllm):
    request = ask(structured={"json_schema": SCHEMA})
    assert openai("http://h/v1").wire(request)["response_format"]["json_schema"]["schema"] == SCHEMA
    assert vllm.wire(request)["structured_outputs"] == {"json": SCHEMA}


@pytest.mark.parametrize("shape", [{"regex": "[0-9]+"}, {"choice": ["a", "b"]}, {"grammar": "root ::= 'a'"}])
def test_other_shapes_are_vllms(openai, vllm, shape):
    assert vllm.wire(ask(structured=shape))["structured_outputs"] == shape
    with pytest.raises(UsageError, match=f"does not take structured.{next(iter(shape))}"):
        openai("http://h/v1").wire(ask(structured=shape))


def test_vllm_by_its_variable(monkeypatch):
    monkeypatch.setenv("VLLM_BASE_URL", "http://gpu:8000")
    provider = create(ModelRef("vllm/org/m"))
    assert provider.identity()["endpoint"] == "http://gpu:8000/v1"
    assert not provider.capabilities.billed


async def test_a_provider_that_is_not_started_says_so(openai):
    with pytest.raises(RuntimeError, match="async with"):
        await openai("http://h/v1").complete(ask())


@pytest.mark.parametrize(
    ("wire", "ours"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_calls"),
        ("eos", "other"),
        (None, "other"),
        ({}, "other"),
    ],
)
def test_finish_reasons(wire, ours):
    assert read(said("x", finish_reason=wire)).finish_reason == ours


def test_content_in_parts():
    assert read(said([{"type": "text", "text": "4"}, {"type": "text", "text": "2"}])).text == "42"


def test_whitespace_is_content():
    assert read(said(" ")).text == " "


def test_lone_surrogates_become_what_utf8_can_hold():
    assert read(said("a\ud83d b")).text == "a\ufffd b"
    assert clean("\ud83d\ude00") == "\N{GRINNING FACE}"


@given(st.text(st.characters()))
def test_clean_text_can_be_stored_and_right_text_is_untouched(text):
    cleaned = clean(text)
    cleaned.encode()
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert cleaned == text


def test_usage_with_all_its_parts():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    got = read(said("x"), usage=usage).usage
    assert (got.input, got.output, got.cached, got.reasoning) == (100, 50, 64, 40)


@pytest.mark.parametrize(("value", "tokens"), [(3, 3), (3.0, 3), (-1, None), (True, None), ("3", None), (None, None)])
def test_a_count_is_a_count_or_unknown(value, tokens):
    assert count(value) == tokens


def test_logprobs():
    content = [
        {"token": "4", "logprob": -0.5, "top_logprobs": [{"token": "5", "logprob": -1.5}]},
        {"token": "2", "logprob": float("-inf"), "top_logprobs": []},
    ]
    got = read(said("42", logprobs={"content": content}))
    assert got.logprobs == (TokenLogprob("4", -0.5, (("5", -1.5),)), TokenLogprob("2", -1e9))


@pytest.mark.parametrize("entry", [{}, {"token": "4", "logprob": "no"}, {"token": "4", "logprob": float("nan")}, 3])
def test_logprobs_of_another_shape_are_malformed(entry):
    with pytest.raises(ProviderError) as caught:
        read(said("4", logprobs={"content": [entry]}))
    assert caught.value.fault == "malformed"


def test_a_refusal_in_words():
    choice = {"message": {"role": "assistant", "content": None, "refusal": "I cannot help."}, "finish_reason": "stop"}
    with pytest.raises(ProviderError, match="I cannot help") as caught:
        read(choice)
    assert caught.value.fault == "refused"


@pytest.mark.parametrize("choice", [None, 3, {}, {"message": None}, {"message": "text"}, said(3), said({"a": 1})])
def test_choices_of_another_shape_are_malformed(choice):
    with pytest.raises(ProviderError) as caught:
        read(choice)
    assert caught.value.fault == "malformed"


def test_no_choices_are_an_empty_answer():
    with pytest.raises(ProviderError) as caught:
        read_chat(PEER, Reply({"choices": []}, {}, 0.1))
    assert caught.value.fault == "empty"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "logprobs", "error", "text"]), inner
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["choices", "usage", "model", "id", "output", "content", "status"]), json_values)
)
def test_any_json_object_is_an_answer_or_a_provider_error(document):
    from llmkit.providers.anthropic import read_message
    from llmkit.providers.responses import read_response

    for reader in (read_chat, read_message, read_response):
        try:
            assert reader(PEER, Reply(document, {}, 0.1)).text
        except ProviderError as error:
            assert error.fault in ("malformed", "empty", "refused")
