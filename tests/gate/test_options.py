"""Spans of time, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import UsageError
from llmkit.gate.options import seconds


@pytest.mark.parametrize(("text", "expected"), [("0s", 0), ("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800)])
def test_a_span_of_time(text, expected):
    assert seconds(text, "--max-age") == expected


@given(st.text(max_size=6).filter(lambda text: not text[:-1].isdecimal() or text[-1:] not in "smhd"))
def test_anything_else_is_said(text):
    with pytest.raises(UsageError, match="--max-age"):
        seconds(text, "--max-age")
