"""The bound on a request's tokens is above what tokenizers count."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.providers.bounds import PER_MESSAGE, PER_REQUEST, token_bound
from llmkit.types import Message, Request

messages = st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=200)))


@given(messages)
def test_it_is_at_least_the_bytes_and_grows_with_each_message(conversation):
    request = Request(tuple(conversation))
    size = sum(len(m.content.encode()) for m in conversation)
    assert token_bound(request) == PER_REQUEST + PER_MESSAGE * len(conversation) + size


def test_bytes_not_characters():
    one, two = (token_bound(Request((Message("user", text),))) for text in ("aaaa", "日日日日"))
    assert two - one == 8


def test_a_lone_surrogate_counts():
    assert token_bound(Request((Message("user", "\ud800"),))) > PER_REQUEST


def test_a_schema_that_the_server_writes_into_the_prompt_counts():
    schema = {"json_schema": {"type": "object", "properties": {f"field{i}": {"type": "string"} for i in range(50)}}}
    plain = Request((Message("user", "x"),))
    structured = Request(plain.messages, {"structured": schema})
    assert token_bound(structured) - token_bound(plain) >= len(json.dumps(schema))


@given(st.text(max_size=300))
def test_it_bounds_a_real_byte_level_tokenizer(text):
    tokenizers = pytest.importorskip("tokenizers")
    # A byte-level BPE with no merges at all is the worst that the family can do.
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    model = tokenizers.models.BPE(vocab={char: i for i, char in enumerate(alphabet)}, merges=[])
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert len(tokenizer.encode(text).ids) <= token_bound(Request((Message("user", text),))) - PER_REQUEST
