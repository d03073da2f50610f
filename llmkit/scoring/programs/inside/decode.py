"""Bytes as values: what ``codec`` wrote, believed in nothing that it says of itself."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from llmkit.scoring.programs.inside.codec import DEEPEST, BadMessage

if TYPE_CHECKING:
    from llmkit.scoring.programs.inside.peer import Peer

# What of the builtins a name may stand for in a process that reads the other's messages: types, which do nothing.
TYPES = frozenset(name for name, value in vars(builtins).items() if type(value) is type and name != "type") | {"type"}


class Decoder:
    """Reads the values of one message.

    Args:
        data: The message.
        peer: Knows what the numbers of handles stand for.
        shared: The containers of the message that this one answers.
    """

    def __init__(self, data: bytes, peer: Peer, shared: Iterable[Any] = ()) -> None:
        self.peer = peer
        self.shared = list(shared)
        self._data = data
        self._at = 0

    def value(self, depth: int = 0) -> Any:
        """Read one value.

        Raises:
            BadMessage: There is none.
        """
        if depth > DEEPEST + 2:
            raise BadMessage("a value nests too deep")
        if self._at >= len(self._data):
            raise BadMessage("a message ends within a value")
        read = READERS.get(self._data[self._at])
        if read is None:
            raise BadMessage("no such kind of value")
        self._at += 1
        return read(self, depth)

    def of(self, kind: type, depth: int = 0) -> Any:
        """Read a value of a type.

        Raises:
            BadMessage: It is of another.
        """
        value = self.value(depth)
        if type(value) is not kind:
            raise BadMessage(f"a value is of another type than {kind.__name__}")
        return value

    def end(self) -> None:
        """Check that nothing follows."""
        if self._at != len(self._data):
            raise BadMessage("a message goes on after its end")

    def number(self) -> int:
        """Read a number that is not negative."""
        number = shift = 0
        while True:
            if self._at >= len(self._data) or shift > 35:
                raise BadMessage("a number has no end")
            byte = self._data[self._at]
            self._at += 1
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7

    def text(self) -> bytes:
        """Read bytes with their length."""
        count = self.number()
        if count > len(self._data) - self._at:
            raise BadMessage("a message ends within a value")
        self._at += count
        return bytes(self._data[self._at - count : self._at])

    def word(self) -> str:
        """Read a text."""
        try:
            return self.text().decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise BadMessage("a text is not one") from error

    def count(self) -> int:
        """Read how many values follow: each of them takes a byte at least."""
        count = self.number()
        if count > len(self._data) - self._at:
            raise BadMessage("a message ends within a value")
        return count

    def keep(self, value: Any) -> Any:
        """Remember a container, for later references."""
        self.shared.append(value)
        return value

    def member(self, depth: int) -> Any:
        """Read a value that can be a key.

        Raises:
            BadMessage: It cannot.
        """
        value = self.value(depth)
        try:
            hash(value)
        except TypeError as error:
            raise BadMessage("a key that cannot be one") from error
        return value


def _int(source: Decoder, depth: int) -> int:
    return int.from_bytes(source.text(), "big", signed=True)


def _float(source: Decoder, depth: int) -> float:
    try:
        return float.fromhex(source.text().decode("ascii"))
    except (ValueError, OverflowError) as error:
        raise BadMessage("a number is not one") from error


def _complex(source: Decoder, depth: int) -> complex:
    return complex(source.of(float, depth + 1), source.of(float, depth + 1))


def _list(source: Decoder, depth: int) -> list[Any]:
    made: list[Any] = source.keep([])
    for _ in range(source.count()):
        made.append(source.value(depth + 1))
    return made


def _tuple(source: Decoder, depth: int) -> tuple[Any, ...]:
    return tuple([source.value(depth + 1) for _ in range(source.count())])


def _set(source: Decoder, depth: int) -> set[Any]:
    made: set[Any] = source.keep(set())
    for _ in range(source.count()):
        made.add(source.member(depth + 1))
    return made


def _frozenset(source: Decoder, depth: int) -> frozenset[Any]:
    return frozenset([source.member(depth + 1) for _ in range(source.count())])


def _dict(source: Decoder, depth: int) -> Any:
    return _fill(source, source.keep({}), depth)


def _fill(source: Decoder, made: Any, depth: int) -> Any:
    for _ in range(source.count()):
        key = source.member(depth + 1)
        made[key] = source.value(depth + 1)
    return made


def _keys(source: Decoder, depth: int) -> Any:
    return dict.fromkeys([source.member(depth + 1) for _ in range(source.count())]).keys()


def _pairs(source: Decoder, depth: int) -> Any:
    return _fill(source, {}, depth).items()


def _ordered(source: Decoder, depth: int) -> Any:
    from collections import OrderedDict

    return _fill(source, source.keep(OrderedDict()), depth)


def _counter(source: Decoder, depth: int) -> Any:
    from collections import Counter

    return _fill(source, source.keep(Counter()), depth)


def _defaults(source: Decoder, depth: int) -> Any:
    from collections import defaultdict

    made: Any = source.keep(defaultdict())
    factory = source.value(depth + 1)
    if factory is not None and not callable(factory):
        raise BadMessage("a default that cannot be made")
    made.default_factory = factory
    return _fill(source, made, depth)


def _deque(source: Decoder, depth: int) -> Any:
    from collections import deque

    longest = source.value(depth + 1)
    if longest is not None and (type(longest) is not int or not 0 <= longest < 1 << 62):
        raise BadMessage("a length that is none")
    made: Any = source.keep(deque(maxlen=longest))
    for _ in range(source.count()):
        made.append(source.value(depth + 1))
    return made


def _range(source: Decoder, depth: int) -> range:
    parts = source.of(tuple, depth + 1)
    if len(parts) != 3 or any(type(part) is not int for part in parts) or not parts[2]:
        raise BadMessage("a range that is none")
    return range(*parts)


def _slice(source: Decoder, depth: int) -> slice:
    parts = source.of(tuple, depth + 1)
    if len(parts) != 3:
        raise BadMessage("a slice that is none")
    return slice(*parts)


def _type(source: Decoder, depth: int) -> Any:
    name = source.word()
    if name not in TYPES:
        raise BadMessage("no such type")
    return getattr(builtins, name)


def _builtin(source: Decoder, depth: int) -> Any:
    name = source.word()
    if source.peer.wary:  # a function of our own would see what the tests hand to it
        raise BadMessage("a function where none may be")
    return getattr(builtins, name)


def _shared(source: Decoder, depth: int) -> Any:
    number = source.number()
    if number >= len(source.shared):
        raise BadMessage("a reference to nothing")
    return source.shared[number]


def _rebuilt(source: Decoder, depth: int) -> Any:
    name = source.word()
    parts = source.of(tuple, depth + 1)
    build = BUILD.get(name)
    if build is None:
        raise BadMessage("no such type")
    try:
        return build(*parts)
    except Exception as error:
        raise BadMessage("a value that cannot be made") from error


def _bytearray(source: Decoder, depth: int) -> bytearray:
    made: bytearray = source.keep(bytearray(source.text()))
    return made


READERS: dict[int, Callable[[Decoder, int], Any]] = {
    ord("N"): lambda source, depth: None,
    ord("e"): lambda source, depth: ...,
    ord("n"): lambda source, depth: NotImplemented,
    ord("T"): lambda source, depth: True,
    ord("F"): lambda source, depth: False,
    ord("i"): _int,
    ord("f"): _float,
    ord("c"): _complex,
    ord("s"): lambda source, depth: source.word(),
    ord("b"): lambda source, depth: source.text(),
    ord("y"): _bytearray,
    ord("l"): _list,
    ord("t"): _tuple,
    ord("d"): _dict,
    ord("S"): _set,
    ord("Z"): _frozenset,
    ord("k"): _keys,
    ord("p"): _pairs,
    ord("O"): _ordered,
    ord("C"): _counter,
    ord("D"): _defaults,
    ord("q"): _deque,
    ord("r"): _range,
    ord("x"): _slice,
    ord("B"): _type,
    ord("K"): _builtin,
    ord("X"): _rebuilt,
    ord("&"): _shared,
    ord("h"): lambda source, depth: source.peer.own(source.number()),
    ord("H"): lambda source, depth: source.peer.handle(source, depth),
    ord("V"): lambda source, depth: source.peer.mirror(source, depth),
    ord("E"): lambda source, depth: source.peer.error(source, depth),
    ord("W"): lambda source, depth: source.peer.error_class(source, depth),
}


def _decimal(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text[:10_000])


def _fraction(over: int, under: int) -> Any:
    from fractions import Fraction

    return Fraction(over, under)


def _moment(kind: str) -> Callable[..., Any]:
    def build(text: str, fold: int = 0) -> Any:
        import datetime

        made = getattr(datetime, kind).fromisoformat(text)
        return made.replace(fold=fold) if fold else made

    return build


def _span(kind: str) -> Callable[..., Any]:
    def build(*parts: Any) -> Any:
        import datetime

        return getattr(datetime, kind)(*parts)

    return build


def _uuid(text: str) -> Any:
    from uuid import UUID

    return UUID(hex=text)


def _path(kind: str) -> Callable[[str], Any]:
    def build(text: str) -> Any:
        import pathlib

        return getattr(pathlib, kind)(text)

    return build


def _array(kind: str, shape: tuple[int, ...], data: bytes) -> Any:
    import numpy as np

    dtype = np.dtype(kind)
    if dtype.hasobject:  # its bytes would be addresses
        raise ValueError(kind)
    return np.frombuffer(data, dtype).reshape(shape).copy()


BUILD: dict[str, Callable[..., Any]] = {
    "decimal.Decimal": _decimal,
    "fractions.Fraction": _fraction,
    "datetime.date": _moment("date"),
    "datetime.datetime": _moment("datetime"),
    "datetime.time": _moment("time"),
    "datetime.timedelta": _span("timedelta"),
    "datetime.timezone": _span("timezone"),
    "uuid.UUID": _uuid,
    "pathlib.PurePosixPath": _path("PurePosixPath"),
    "pathlib.PosixPath": _path("PosixPath"),
    "numpy.ndarray": _array,
}
