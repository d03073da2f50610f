"""Names of failures that are hard to bring about on loopback, and the words around all of them."""

from __future__ import annotations

import aiohttp
import httpx2
import pytest

from llmkit.providers import faults, http, sdk
from llmkit.providers.faults import Peer, fault_of, from_error_object, from_status
from llmkit.text import MESSAGE_CHARS, one_line

PEER = Peer("openai", "https://user:hunter22@host/v1", "OPENAI_API_KEY")


def anthropic_error(cause: Exception) -> Exception:
    """What Anthropic's SDK raises on top of its HTTP library."""
    import anthropic

    request = httpx2.Request("POST", "http://host")
    kind = anthropic.APITimeoutError if isinstance(cause, httpx2.TimeoutException) else anthropic.APIConnectionError
    error = kind(request=request)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "fault", "billed"),
    [
        (httpx2.ConnectTimeout("x"), "timeout", False),
        (httpx2.PoolTimeout("x"), "timeout", False),
        (httpx2.ReadTimeout("x"), "timeout", True),
        (httpx2.ConnectError("x"), "connection", False),
        (httpx2.ReadError("x"), "connection", True),
        (httpx2.RemoteProtocolError("Server disconnected without sending a response."), "connection", True),
        (httpx2.RemoteProtocolError("peer closed connection without sending complete message body"), "malformed", True),
    ],
)
def test_an_sdks_exception_by_its_cause(cause, fault, billed):
    for error in (anthropic_error(cause), cause):
        named = sdk.from_exception(PEER, error)
        assert (named.fault, named.maybe_billed) == (fault, billed)


def test_an_exception_of_ones_own_is_not_renamed():
    assert sdk.from_exception(PEER, ZeroDivisionError()) is None


@pytest.mark.parametrize(
    ("error", "fault", "billed"),
    [
        (aiohttp.ConnectionTimeoutError("x"), "timeout", False),
        (aiohttp.SocketTimeoutError("x"), "timeout", True),
        (TimeoutError(), "timeout", True),
        (aiohttp.ServerDisconnectedError(), "connection", True),
        (ConnectionResetError(), "connection", True),
        (aiohttp.ClientPayloadError("cut"), "malformed", True),
        (aiohttp.InvalidURL("x"), "bad_request", False),
    ],
)
def test_aiohttps_exceptions(error, fault, billed):
    named = http._transport(PEER, error)
    assert (named.fault, named.maybe_billed) == (fault, billed)
    assert "hunter22" not in str(named)


async def test_a_name_that_does_not_resolve_was_not_billed():
    peer = Peer("openai", "http://no-such-host.invalid/v1", "OPENAI_API_KEY")
    session = http.Http(peer, {}, timeout_s=5, connect_timeout_s=5)
    async with session:
        with pytest.raises(faults.ProviderError) as caught:
            await session.post("http://no-such-host.invalid/v1/chat/completions", {})
    assert (caught.value.fault, caught.value.maybe_billed) == ("connection", False)


@pytest.mark.parametrize("status", [408, 502, 504, 524])
def test_a_gateway_that_gave_up_may_have_cost_money(status):
    assert from_status(PEER, status, {}, b"").maybe_billed


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
def test_a_server_that_said_no_cost_nothing(status):
    assert not from_status(PEER, status, {}, b"").maybe_billed


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "in openai\'s form"}}', "in openai's form"),
        (b'{"error": "as text"}', "as text"),
        (b'{"message": "bare"}', "bare"),
        (b'{"detail": "as FastAPI says it"}', "as FastAPI says it"),
        (b'{"detail": [{"loc": ["body"], "msg": "field required"}]}', "field required"),
        (b"plain text", "plain text"),
        (b"<html><body>Bad gateway</body></html>", "an HTML page"),
        (b"[1]", "[1]"),
        (b"\xff\xfe", "answered 500"),
        (b"", "answered 500"),
    ],
)
def test_a_servers_reason_is_found_in_any_of_the_usual_forms(body, words):
    assert words in str(from_status(PEER, 500, {}, body))


def test_a_long_reason_is_cut():
    assert len(one_line("word " * 10_000)) == MESSAGE_CHARS


def test_hints_say_what_to_do():
    assert "OPENAI_API_KEY" in str(from_status(PEER, 401, {}, b""))
    assert "https://host/v1" in str(from_status(PEER, 404, {}, b""))
    assert "hunter22" not in str(from_status(PEER, 404, {}, b""))


def test_an_error_object_with_a_numeric_code_is_that_status():
    assert from_error_object(PEER, {"error": {"code": 429, "message": "slow down"}}).fault == "rate_limit"
    assert from_error_object(PEER, {"error": {"code": 400, "type": "exceed_context_size_error"}}).fault == (
        "context_overflow"
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens"),
        (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096"),
        (400, "request (2055 tokens) exceeds the available context size (1024 tokens), try increasing it"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        (422, "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000"),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096"),
        (400, "Input is too long for requested model."),
        (413, "Please reduce the length of the messages or completion."),
    ],
    ids=["openai", "vllm", "llama.cpp", "anthropic", "gemini", "tgi", "tgi sum", "bedrock", "groq"],
)
def test_a_prompt_that_is_too_long_is_known_by_any_servers_words(status, words):
    assert fault_of(status, words) == "context_overflow"


@pytest.mark.parametrize("words", ["rate limit: tokens per min", "max_tokens must be positive", "unknown parameter"])
def test_other_400s_are_not_taken_for_a_long_prompt(words):
    assert fault_of(400, words) == "bad_request"


def test_the_environments_proxy_is_used_but_not_for_this_machine(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert http._proxy("https://api.openai.com/v1") == "http://proxy:3128"
    assert http._proxy("https://inside.example/v1") is None
    assert http._proxy("https://127.0.0.1/v1") is None
