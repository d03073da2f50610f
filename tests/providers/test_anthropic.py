"""Anthropic's Messages wire."""

from __future__ import annotations

import pytest

from llmkit.errors import ProviderError, UsageError
from llmkit.providers.anthropic import MAX_TOKENS, message_usage, read_message
from llmkit.providers.base import ModelRef
from llmkit.providers.faults import Peer
from llmkit.providers.http import Reply
from llmkit.providers.registry import create
from llmkit.types import Message, Request
from tests.providers.roads import ask
from tests.providers.server import Server

PEER = Peer("anthropic", "http://127.0.0.1:1", "ANTHROPIC_API_KEY")


@pytest.fixture
def claude():
    return create(ModelRef("anthropic/claude-x", {}, {"base_url": "http://127.0.0.1:1"}))


def test_max_tokens_is_always_sent(claude):
    assert claude.wire(ask())["max_tokens"] == MAX_TOKENS
    assert claude.wire(ask(max_tokens=7))["max_tokens"] == 7


def test_system_messages_travel_apart(claude):
    request = Request((Message("system", "Be short."), Message("system", "Be kind."), Message("user", "Hi")))
    wire = claude.wire(request)
    assert wire["system"] == "Be short.\n\nBe kind."
    assert wire["messages"] == [{"role": "user", "content": "Hi"}]


def test_a_system_message_after_others_is_refused_for_its_place_would_be_lost(claude):
    with pytest.raises(UsageError, match="top of the prompt"):
        claude.wire(Request((Message("user", "Hi"), Message("system", "Be short."))))


def test_parameters_under_the_wires_names(claude):
    wire = claude.wire(
        ask(
            temperature=0.5, top_k=4, stop="\n", reasoning_effort="high", structured={"json_schema": {"type": "object"}}
        )
    )
    assert (wire["temperature"], wire["top_k"], wire["stop_sequences"]) == (0.5, 4, ["\n"])
    assert wire["output_config"] == {"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}}


@pytest.mark.parametrize("name", ["seed", "presence_penalty", "logprobs", "response_format"])
def test_what_the_wire_has_no_field_for_is_refused(claude, name):
    with pytest.raises(UsageError, match=f"anthropic does not take {name}"):
        claude.wire(ask(**{name: {} if name == "response_format" else 1}))


def test_input_holds_cached_tokens_which_the_wire_counts_apart():
    usage = message_usage(
        {
            "input_tokens": 10,
            "cache_read_input_tokens": 200,
            "cache_creation_input_tokens": 30,
            "output_tokens": 5,
            "output_tokens_details": {"thinking_tokens": 4},
        }
    )
    assert (usage.input, usage.cached, usage.cache_write, usage.output, usage.reasoning) == (240, 200, 30, 5, 4)


def message(reason: str | None, *blocks: dict[str, object]):
    return read_message(PEER, Reply({"content": list(blocks), "stop_reason": reason}, {}, 0.1))


@pytest.mark.parametrize(
    ("wire", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "other"),
        (None, "other"),
    ],
)
def test_stop_reasons(wire, ours):
    assert message(wire, {"type": "text", "text": "x"}).finish_reason == ours


def test_text_blocks_are_joined_and_thinking_is_left_out():
    got = message(
        "end_turn", {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "4"}, {"type": "text", "text": "2"}
    )
    assert got.text == "42"


def test_a_refusal_without_text():
    with pytest.raises(ProviderError) as caught:
        message("refusal")
    assert caught.value.fault == "refused"


async def test_a_bearer_token_by_its_variable(monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-0123456789")
    async with Server() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.origin)
        async with create(ModelRef("anthropic/claude-x")) as provider:
            await provider.complete(ask())
        assert server.log[0].headers["authorization"] == "Bearer token-0123456789"
