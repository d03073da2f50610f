"""What travels by value: everything plain, as the type that it is, and what cannot be read is refused."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import math
import pathlib
import uuid
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring.programs.inside.codec import DEEPEST, BadMessage, Encoder, TooLarge
from llmkit.scoring.programs.inside.decode import Decoder
from llmkit.scoring.programs.inside.peer import Peer

PEER = Peer(lambda operation, value, args: False, wary=True, channel=-1)
KEYS = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5)
VALUES = st.recursive(
    KEYS | st.floats(allow_nan=False) | st.complex_numbers(allow_nan=False) | st.decimals(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.sets(KEYS, max_size=4)
        | st.frozensets(KEYS, max_size=4)
    ),
    max_leaves=12,
)


def written(value: Any) -> bytes:
    encoder = Encoder(PEER)
    encoder.value(value)
    return bytes(encoder.out)


def read(data: bytes) -> Any:
    decoder = Decoder(data, PEER)
    value = decoder.value()
    decoder.end()
    return value


def alike(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return alike(list(one), list(other)) and alike(list(one.values()), list(other.values()))
    return bool(one == other)


@given(VALUES)
def test_a_plain_value_arrives_as_it_left(value: Any) -> None:
    assert alike(read(written(value)), value)


@given(st.binary(max_size=60))
def test_bytes_are_a_value_or_refused(data: bytes) -> None:
    try:
        read(data)
    except BadMessage:
        return
    assert data


@given(VALUES, st.data())
def test_a_message_that_was_cut_is_refused(value: Any, data: st.DataObject) -> None:
    whole = written(value)
    with pytest.raises(BadMessage):
        read(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize(
    "value",
    [
        2**4000, -1, 0, "a\ud800\0", bytearray(b"x"), range(1, 9, 3), slice(None, 2), ..., NotImplemented, 1.5 + 2j,
        float("inf"), decimal.Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=5), pathlib.PurePosixPath("a/b"),
        datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 1, 2, 3, 4, fold=1), datetime.time(1, 2),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2))), datetime.timedelta(1, 2),
        collections.Counter("aab"), collections.OrderedDict([("b", 1), ("a", 2)]), collections.deque([1, 2], maxlen=3),
        int, ValueError,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_so_do_values_of_the_standard_library(value: Any) -> None:
    back = read(written([value]))[0]
    assert alike(back, value)
    assert getattr(back, "maxlen", None) == getattr(value, "maxlen", None)
    assert getattr(back, "fold", None) == getattr(value, "fold", None)


def test_arrays_of_numbers_do_and_those_of_objects_do_not() -> None:
    array = np.arange(6, dtype=">i2").reshape(2, 3)
    back = read(written([array, np.float32(0.5)]))
    assert back[0].dtype == array.dtype
    assert (back[0] == array).all()
    assert back[1] == 0.5
    with pytest.raises(BadMessage):
        read(b"X\x0dnumpy.ndarrayt\x03s\x02|Ot\1i\1\1b\x08abcdefgh")


def test_a_default_keeps_its_factory() -> None:
    back = read(written(collections.defaultdict(list, a=[1])))
    assert back["b"] == []


def test_not_a_number_and_the_sign_of_zero() -> None:
    assert math.isnan(read(written(float("nan"))))
    assert math.copysign(1, read(written(-0.0))) == -1


def test_what_is_one_object_stays_one() -> None:
    inner = [1]
    first, second, again = read(written([inner, (inner,), {"x": inner}]))
    assert first is second[0] is again["x"]


def test_a_value_may_hold_itself() -> None:
    knot: list[Any] = []
    knot.append({"knot": knot})
    back = read(written(knot))
    assert back[0]["knot"] is back


def test_depth_and_size_are_bounded() -> None:
    deep: Any = 1
    for _ in range(DEEPEST):
        deep = (deep,)
    assert read(written(deep)) == deep
    with pytest.raises(TooLarge, match="levels"):
        written((deep,))
    with pytest.raises(TooLarge, match="MiB"):
        written("x" * (9 << 20))
    with pytest.raises(BadMessage, match="deep"):
        read(b"t\x01" * 1000 + b"N")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"?", b"l\xff\xff\xff\x7f", b"i\xff\xff\xff\xff\xff\xff\xff", b"s\x01\xff", b"f\x01x", b"S\x01l\0",
        b"d\x01d\0N", b"&\0", b"h\0", b"B\x04eval", b"K\x04eval", b"X\x09os.systemt\0", b"X\x0fdecimal.Decimalt\x01N",
        b"rt\x03NNN", b"rt\x03i\x01\0i\x01\1i\x01\0", b"xt\0", b"DT", b"qTl\0", b"qi\x01\xff\0", b"NN",
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused(data: bytes) -> None:
    with pytest.raises(BadMessage):
        read(data)
