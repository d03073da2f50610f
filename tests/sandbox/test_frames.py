"""Pieces of several streams in one."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.sandbox.inside.frames import CHANNEL, ERR, HEADER, OUT, Pieces, send

PIECES = st.lists(st.tuples(st.sampled_from([CHANNEL, OUT, ERR]), st.binary(max_size=40)), max_size=8)


@given(PIECES, st.lists(st.integers(1, 30)))
def test_they_come_apart_as_they_were_put_together(pieces: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    stream = b"".join(HEADER.pack(kind, len(data)) + data for kind, data in pieces)
    taken, found = Pieces(), []
    for cut in cuts:
        found += taken.take(stream[:cut])
        stream = stream[cut:]
    assert found + taken.take(stream) == pieces


def test_what_is_sent_is_a_piece() -> None:
    reading, writing = os.pipe()
    send(writing, OUT, b"text")
    os.close(writing)
    with open(reading, "rb") as stream:
        assert Pieces().take(stream.read()) == [(OUT, b"text")]


def test_a_piece_that_is_too_long_is_none_of_ours() -> None:
    with pytest.raises(ValueError, match="longer than any"):
        Pieces(longest=10).take(HEADER.pack(OUT, 11))
