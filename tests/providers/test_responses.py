"""OpenAI's Responses wire."""

from __future__ import annotations

import pytest

from llmkit.errors import ProviderError, UsageError
from llmkit.providers.base import ModelRef
from llmkit.providers.faults import Peer
from llmkit.providers.http import Reply
from llmkit.providers.registry import create
from llmkit.providers.responses import read_response
from llmkit.types import TokenLogprob
from tests.providers.roads import ask

PEER = Peer("openai", "http://127.0.0.1:1/v1", "OPENAI_API_KEY")
SCHEMA = {"type": "object"}


@pytest.fixture
def responses():
    return create(ModelRef("openai/gpt-x", {}, {"base_url": "http://127.0.0.1:1/v1", "api": "responses"}))


def test_parameters_under_the_wires_names(responses):
    wire = responses.wire(ask("Hi", max_tokens=9, temperature=0.5, reasoning_effort="low", top_logprobs=2))
    assert wire == {
        "model": "gpt-x",
        "input": [{"role": "user", "content": "Hi"}],
        "store": False,
        "max_output_tokens": 9,
        "temperature": 0.5,
        "reasoning": {"effort": "low"},
        "top_logprobs": 2,
        "include": ["message.output_text.logprobs"],
    }


def test_answers_are_stored_at_the_maker_only_where_asked(responses):
    assert responses.wire(ask(extra={"store": True}))["store"] is True


def test_a_schema_is_one_level_higher_than_in_chat(responses):
    want = {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}
    chat = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
    assert responses.wire(ask(structured={"json_schema": SCHEMA}))["text"] == {"format": want}
    assert responses.wire(ask(response_format=chat))["text"] == {"format": want}
    assert responses.wire(ask(response_format={"type": "json_object"}))["text"] == {"format": {"type": "json_object"}}


@pytest.mark.parametrize(
    "params", [{"seed": 1}, {"stop": "x"}, {"presence_penalty": 1.0}, {"structured": {"regex": "a"}}]
)
def test_what_the_wire_has_no_field_for_is_refused(responses, params):
    with pytest.raises(UsageError, match="Responses API does not take"):
        responses.wire(ask(**params))


def response(*parts: dict[str, object], **fields: object):
    output = [{"type": "reasoning", "summary": []}, {"type": "message", "content": list(parts)}]
    return read_response(PEER, Reply({"status": "completed", "output": output, **fields}, {}, 0.1))


def test_reasoning_is_no_text_and_its_tokens_are_kept():
    usage = {"input_tokens": 8, "output_tokens": 90, "output_tokens_details": {"reasoning_tokens": 64}}
    got = response({"type": "output_text", "text": "42"}, usage=usage)
    assert (got.text, got.usage.output, got.usage.reasoning) == ("42", 90, 64)


def test_logprobs():
    entry = {"token": "42", "logprob": -0.25, "top_logprobs": [{"token": "43", "logprob": -2.0}]}
    got = response({"type": "output_text", "text": "42", "logprobs": [entry]})
    assert got.logprobs == (TokenLogprob("42", -0.25, (("43", -2.0),)),)


def test_a_refusal():
    with pytest.raises(ProviderError, match="cannot") as caught:
        response({"type": "refusal", "refusal": "I cannot."})
    assert caught.value.fault == "refused"


@pytest.mark.parametrize("status", ["in_progress", "queued", "cancelled"])
def test_an_answer_that_is_not_finished_is_malformed(status):
    with pytest.raises(ProviderError) as caught:
        response({"type": "output_text", "text": "4"}, status=status)
    assert caught.value.fault == "malformed"
