"""JSON objects, one a line, over a socket."""

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.providers.vllm import lines
from llmkit.providers.vllm.lines import Lines

MESSAGES = st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=40), max_size=3), max_size=8)


@pytest.fixture
async def pair():
    one, two = socket.socketpair()
    ends = await Lines.over(one), await Lines.over(two)
    yield ends
    for end in ends:
        end.close()


async def test_messages_arrive_whole_and_in_order(pair):
    one, two = pair
    sent = [{"n": n, "text": "x\n\u2028" * n} for n in range(20)]
    for message in sent:
        one.send(message)
    assert [await two.receive() for _ in sent] == sent


async def test_long_ones_do_too_in_both_directions(pair):
    one, two = pair
    long = {"text": "y" * 5_000_000}
    one.send(long)
    two.send(long)
    assert await two.receive() == await one.receive() == long


async def test_the_other_sides_end_is_told_to_everybody_who_asks(pair):
    one, two = pair
    one.close()
    assert await two.receive() is None
    assert await two.receive() is None


async def test_last_words_are_received_from_a_side_that_ended_with_something_unread():
    one, two = socket.socketpair()
    mine = await Lines.over(one)
    mine.send({"never": "read"})
    two.sendall(b'{"failed": "why"}\n')
    two.close()  # with a message unread: the connection is reset
    assert await mine.receive() == {"failed": "why"}
    assert await mine.receive() is None
    mine.close()


async def test_one_beyond_all_measure_is_said_to_be_and_no_more_is_read(monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 1 << 20)
    one, two = socket.socketpair()
    mine, theirs = await Lines.over(one), await Lines.over(two)
    theirs.send({"text": "x" * (8 << 20)})
    assert await mine.receive() == {"failed": "a message of more than 1 MiB"}
    assert theirs._transport.get_write_buffer_size() > 0
    theirs.close()
    mine.close()


async def test_last_words_are_received_from_a_side_that_could_not_be_written_to_any_more():
    one, two = socket.socketpair()
    mine = await Lines.over(one)
    two.sendall(b'{"failed": "why"}\n')
    two.close()
    mine.send({"too": "late"})  # before anything was read
    assert await mine.receive() == {"failed": "why"}
    assert await mine.receive() is None


async def test_a_line_that_was_cut_off_is_none():
    one, two = socket.socketpair()
    mine = await Lines.over(one)
    two.sendall(b'{"failed": "wh')
    two.close()
    assert await mine.receive() is None
    mine.close()


@given(MESSAGES, st.integers(1, 7))
def test_however_they_are_cut_on_the_way(messages, step):
    async def arrived():
        one, two = socket.socketpair()
        mine, sender = await Lines.over(one), Lines()
        written = []
        sender._transport = type(
            "Written", (), {"is_closing": lambda _: False, "write": lambda _, x: written.append(x)}
        )()
        for message in messages:
            sender.send(message)
        data = b"".join(written)
        for at in range(0, len(data), step):
            mine.data_received(data[at : at + step])
        two.close()
        found = []
        while (message := await mine.receive()) is not None:
            found.append(message)
        mine.close()
        return found

    assert asyncio.run(arrived()) == messages
