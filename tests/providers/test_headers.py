"""When to come back, and how much is left."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.providers.base import RateLimits
from llmkit.providers.headers import rate_limits, reset_seconds, retry_after, waiting_time

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2026 07:29:30 GMT"}, 90.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 99 Oct 2026 07:00:00 GMT"}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after(headers, now=NOW) == seconds


def test_a_date_is_read_against_the_servers_own_clock():
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after(headers) == 30.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("7d", 7 * 86400.0),
        ("2m59.56s", 179.56),
        ("45", 45.0),
        ("2026-10-21T07:28:10Z", 10.0),
        ("2026-10-21T09:28:10+02:00", 10.0),
        ("2020-01-01T00:00:00Z", 0.0),
        ("", None),
        (None, None),
        ("later", None),
    ],
)
def test_resets(text, seconds):
    got = reset_seconds(text, now=NOW)
    assert got == (None if seconds is None else pytest.approx(seconds))


def test_openais_headers():
    headers = {
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert rate_limits(headers) == RateLimits(59, 149984, 1.0, 360.0)


def test_anthropics_headers():
    headers = {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "3"}
    assert rate_limits(headers) == RateLimits(0, None, 3.0, None)


def test_no_headers_and_nonsense():
    assert rate_limits({}) is None
    assert rate_limits({"x-ratelimit-remaining-requests": "many"}) == RateLimits()


@given(st.text(max_size=40))
def test_whatever_a_server_sends_is_read_or_left(text):
    for got in (retry_after({"retry-after": text}), retry_after({"retry-after-ms": text}), reset_seconds(text)):
        assert got is None or got >= 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(601.0, "11 min"), (3600.0, "1 h 0 min"), (99_960.0, "27 h 46 min"), (180_000.0, "2 d 2 h")]
)
def test_a_long_wait_is_written_for_people(seconds, text):
    assert waiting_time(seconds) == text
