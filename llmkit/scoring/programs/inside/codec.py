"""Values as bytes, strictly: what one process says of another's values, read with no code run and no type believed.

Plain values travel by value and by exact type; a list, dict, set, bytearray or deque that stands twice in a message is
one object on the other side, too. Whatever else there is travels as a number: the other side holds a handle to it.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmkit.scoring.programs.inside.peer import Peer

MOST_BYTES = 8 << 20
"""Of one message: a list of two million small numbers."""

DEEPEST = 200
"""Levels of values within values: half of the frames that Python allows by default go to reading them."""

SHARED = frozenset({"list", "dict", "set", "bytearray", "deque", "defaultdict", "Counter", "OrderedDict"})


class BadMessage(BaseException):  # no Exception: tests that expect one must not catch this
    """The other side did not keep to the protocol."""


class TooLarge(ValueError):  # it is what a program sees of a value that it gives
    """A value cannot travel: it is too large, or nests too deep."""


class Encoder:
    """Writes the values of one message.

    Args:
        peer: Numbers what does not travel by value.
        shared: The containers of the message that this one answers; they are referred to, not written again.
    """

    def __init__(self, peer: Peer, shared: Iterable[Any] = ()) -> None:
        self.peer = peer
        self.out = bytearray()
        self.shared = list(shared)
        self._numbers = {id(each): number for number, each in enumerate(self.shared)}

    def value(self, value: Any, depth: int = 0) -> None:
        """Write one value.

        Raises:
            TooLarge: It is too large, or nests too deep.
        """
        if depth > DEEPEST:
            raise TooLarge(f"a value nests deeper than {DEEPEST} levels")
        write = WRITERS.get(type(value))
        if write is not None:
            write(self, value, depth)
        else:
            self._other(value, depth)
        if len(self.out) > MOST_BYTES:
            raise TooLarge(f"a value takes more than {MOST_BYTES >> 20} MiB")

    def number(self, number: int) -> None:
        """Write a number that is not negative: seven bits a byte, the lowest first."""
        while number > 127:
            self.out.append(number & 127 | 128)
            number >>= 7
        self.out.append(number)

    def text(self, data: bytes) -> None:
        """Write bytes with their length."""
        if len(data) > MOST_BYTES:
            raise TooLarge(f"a value takes more than {MOST_BYTES >> 20} MiB")
        self.number(len(data))
        self.out += data

    def known(self, value: Any) -> bool:
        """Refer to a container that was written before; else remember this one."""
        number = self._numbers.get(id(value))
        if number is not None:
            self.out += b"&"
            self.number(number)
            return True
        self._numbers[id(value)] = len(self.shared)
        self.shared.append(value)
        return False

    def many(self, values: Iterable[Any], count: int, depth: int) -> None:
        """Write as many values."""
        self.number(count)
        for each in values:
            self.value(each, depth + 1)

    def _other(self, value: Any, depth: int) -> None:
        kind = type(value)
        name = kind.__qualname__ if isinstance(kind.__qualname__, str) else ""
        module = sys.modules.get(kind.__module__) if isinstance(kind.__module__, str) else None
        if module is not None and getattr(module, name, None) is kind:
            if kind.__module__ == "collections" and name in SHARED:
                return _collection(self, name, value, depth)
            taken = TAKEN_APART.get(f"{kind.__module__}.{name}")
            if taken is not None and (parts := taken(value)) is not None:
                self.out += b"X"
                self.text(f"{kind.__module__}.{name}".encode())
                return self.value(parts, depth + 1)
            if kind.__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "item"):
                return self.value(value.item(), depth + 1)
        self.peer.write(self, value, depth)


def flat(value: Any) -> Any:
    """Return the plain value that an object of a subclass of a plain type holds; None where it holds none."""
    for base, take in FLAT:
        if isinstance(value, base):
            return take(value)
    return None


def _int(to: Encoder, value: int, depth: int) -> None:
    to.out += b"i"
    to.text(value.to_bytes((value.bit_length() + 8) // 8, "big", signed=True))


def _str(to: Encoder, value: str, depth: int) -> None:
    to.out += b"s"
    to.text(value.encode("utf-8", "surrogatepass"))


def _float(to: Encoder, value: float, depth: int) -> None:
    to.out += b"f"
    to.text(value.hex().encode())


def _complex(to: Encoder, value: complex, depth: int) -> None:
    to.out += b"c"
    _float(to, value.real, depth)
    _float(to, value.imag, depth)


def _bytes(to: Encoder, value: bytes, depth: int) -> None:
    to.out += b"b"
    to.text(value)


def _bytearray(to: Encoder, value: bytearray, depth: int) -> None:
    if not to.known(value):
        to.out += b"y"
        to.text(bytes(value))


def _list(to: Encoder, value: list[Any], depth: int) -> None:
    if not to.known(value):
        to.out += b"l"
        to.many(value, len(value), depth)


def _tuple(to: Encoder, value: tuple[Any, ...], depth: int) -> None:
    to.out += b"t"
    to.many(value, len(value), depth)


def _set(to: Encoder, value: set[Any], depth: int) -> None:
    if not to.known(value):
        to.out += b"S"
        to.many(value, len(value), depth)


def _frozenset(to: Encoder, value: frozenset[Any], depth: int) -> None:
    to.out += b"Z"
    to.many(value, len(value), depth)


def _dict(to: Encoder, value: dict[Any, Any], depth: int) -> None:
    if not to.known(value):
        to.out += b"d"
        _items(to, value, depth)


def _items(to: Encoder, value: dict[Any, Any], depth: int) -> None:
    to.number(len(value))
    for key, each in value.items():
        to.value(key, depth + 1)
        to.value(each, depth + 1)


def _collection(to: Encoder, name: str, value: Any, depth: int) -> None:
    if name == "deque":
        if not to.known(value):
            to.out += b"q"
            to.value(value.maxlen, depth + 1)
            to.many(value, len(value), depth)
    elif not to.known(value):
        to.out += {"OrderedDict": b"O", "Counter": b"C", "defaultdict": b"D"}[name]
        if name == "defaultdict":
            to.value(value.default_factory, depth + 1)
        _items(to, value, depth)


def _keys(to: Encoder, value: Any, depth: int) -> None:
    to.out += b"k"
    to.many(value, len(value), depth)


def _pairs(to: Encoder, value: Any, depth: int) -> None:
    to.out += b"p"
    to.number(len(value))
    for key, each in value:
        to.value(key, depth + 1)
        to.value(each, depth + 1)


def _range(to: Encoder, value: range, depth: int) -> None:
    to.out += b"r"
    _tuple(to, (value.start, value.stop, value.step), depth)


def _slice(to: Encoder, value: slice, depth: int) -> None:
    to.out += b"x"
    _tuple(to, (value.start, value.stop, value.step), depth)


def _named(tag: bytes) -> Callable[[Encoder, Any, int], None]:
    """Write what the builtins have by its name there."""

    def write(to: Encoder, value: Any, depth: int) -> None:
        name: str = value.__name__
        if vars(builtins).get(name, to) is value:
            to.out += tag
            to.text(name.encode())
        else:
            to.peer.write(to, value, depth)

    return write


def _constant(tag: bytes) -> Callable[[Encoder, Any, int], None]:
    def write(to: Encoder, value: Any, depth: int) -> None:
        to.out += tag

    return write


WRITERS: dict[type, Callable[[Encoder, Any, int], None]] = {
    type(None): _constant(b"N"),
    type(...): _constant(b"e"),
    type(NotImplemented): _constant(b"n"),
    bool: lambda to, value, depth: to.out.append(84 if value else 70),  # T and F
    int: _int,
    float: _float,
    complex: _complex,
    str: _str,
    bytes: _bytes,
    bytearray: _bytearray,
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
    type({}.keys()): _keys,
    type({}.items()): _pairs,
    range: _range,
    slice: _slice,
    type: _named(b"B"),
    type(len): _named(b"K"),
}

FLAT: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    # The base's own methods: a subclass may say of itself what it likes.
    (int, int.__index__),
    (float, float.__float__),
    (complex, complex.__pos__),
    (str, str.__str__),
    (bytes, lambda value: bytes(memoryview(value))),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
    (bytearray, lambda value: bytearray(memoryview(value))),
    (list, lambda value: list(list.__iter__(value))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: set(set.__iter__(value))),
)
UNCHANGING = (int, float, complex, str, bytes, tuple, frozenset)


def _zone(value: Any) -> Any:
    # Other zones than fixed ones are rules of their own: they stay where they are.
    return value if value is None or type(value).__name__ == "timezone" else False


def _moment(value: Any) -> Any:
    if _zone(value.tzinfo) is False:
        return None
    return (value.isoformat(), value.fold)


TAKEN_APART: dict[str, Callable[[Any], Any]] = {
    "decimal.Decimal": lambda value: (str(value),),
    "fractions.Fraction": lambda value: (value.numerator, value.denominator),
    "datetime.date": lambda value: (value.isoformat(),),
    "datetime.datetime": _moment,
    "datetime.time": _moment,
    "datetime.timedelta": lambda value: (value.days, value.seconds, value.microseconds),
    "datetime.timezone": lambda value: (value.utcoffset(None),),
    "uuid.UUID": lambda value: (value.hex,),
    "pathlib.PurePosixPath": lambda value: (str(value),),
    "pathlib.PosixPath": lambda value: (str(value),),
    "numpy.ndarray": lambda value: (
        (value.dtype.str, value.shape, value.tobytes()) if value.dtype.kind in "biufcSUmM" else None
    ),
}
