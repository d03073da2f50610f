"""Secrets are in no text that is shown or stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit import redact as module
from llmkit.redact import redact, remember, strip_credentials


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(module, "_known", set())


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Incorrect API key provided: sk-proj-abcdefghijklmnop.", "abcdefghijklmnop"),
        ("Incorrect API key provided: sk-abc***************wxyz", "wxyz"),
        ("bad key sk-ant-api03-AAAA_BBBB-cccc", "AAAA_BBBB"),
        ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
        ("{'authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        ('{"x-api-key": "0123456789"}', "0123456789"),
        ("https://user:hunter22@host/v1", "hunter22"),
        ("https://tokenonly@host/v1", "tokenonly"),
        ("GET /v1?api_key=s3cr3t&x=1", "s3cr3t"),
        ("GET /v1?zone=eu&access_token=s3cr3t", "s3cr3t"),
        ("hf_abcdefghijklmnop", "abcdefghijklmnop"),
        ("ghp_abcdefghijklmnop1234", "abcdefghijklmnop1234"),
        ("AIzaSyA1234567890abcdef", "SyA1234567890"),
        ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text, secret):
    assert secret not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit reached for gpt-4o in organization org-x: Limit 500, Used 500",
        "the task is basic arithmetic; ask-me-anything",
        "https://host:8000/v1/chat/completions?zone=eu",
        "maximum context length is 8192 tokens",
        "max_tokens=16",
    ],
)
def test_plain_words_stay(text):
    assert redact(text) == text


@given(st.text(st.characters(codec="utf-8"), min_size=6, max_size=60), st.text(max_size=40), st.text(max_size=40))
def test_a_remembered_key_is_masked_wherever_it_stands(key, before, after):
    module._known.clear()
    remember(key)
    assert key not in redact(f"{before} {key} {after}").replace("***", "\0")


def test_a_remembered_key_is_masked_in_a_url_too():
    remember("a/b+c=d&e")
    assert "a%2Fb%2Bc" not in redact("https://h/?q=a%2Fb%2Bc%3Dd%26e")


def test_a_key_that_is_a_common_word_does_not_blot_out_text():
    remember("x")
    remember("none")
    assert redact("none of the six boxes") == "none of the six boxes"


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://user:pw@host:8/v1", "https://host:8/v1"),
        ("https://host/v1?key=abc&zone=eu", "https://host/v1?zone=eu"),
        ("https://host/v1#token", "https://host/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://a@b@host/v1", "https://host/v1"),
    ],
)
def test_a_url_without_its_credentials(url, plain):
    assert strip_credentials(url) == plain
