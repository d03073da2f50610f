"""One end of the line between an answer's process and its tests': calls, values, handles and errors, both ways.

Arguments are copied, and those that can change are restored after the call (copy-restore): what the callee did to a
list that it was given is done to the caller's, too. Calls nest: while one side waits, the other may call back.
"""

from __future__ import annotations

import _thread
import posix
from collections.abc import Callable, Mapping
from typing import Any

from llmkit.scoring.programs.inside.codec import FLAT, MOST_BYTES, UNCHANGING, BadMessage, Encoder, TooLarge, flat
from llmkit.scoring.programs.inside.decode import Decoder
from llmkit.scoring.programs.inside.errors import read_class, read_error, write_class, write_error
from llmkit.scoring.programs.inside.handles import make_handle, make_mirror, origin
from llmkit.scoring.programs.inside.specials import DO, mask

CHANNEL = 3
HELLO, REQUEST, RESULT, RAISED = range(4)
MODULE = 0
"""The number of the first thing that a side shows the other."""

Gate = Callable[[str, Any, tuple[Any, ...]], bool]
"""``gate(operation, object, arguments)``: whether the other side may do this to an object of ours."""


class Gone(BaseException):  # no Exception: tests that expect one must not catch this
    """The other side's process has ended."""


class Peer:
    """This side's end.

    Args:
        gate: Says what the other side may do.
        wary: Whether the other side may lie: then no value of its may decide a comparison with one of ours.
        strict: Whether, beyond that, its objects take no part in operations with our plain values.
        channel: The descriptor of the line.
    """

    def __init__(self, gate: Gate, *, wary: bool, strict: bool = False, channel: int = CHANNEL) -> None:
        self.gate, self.wary, self.strict = gate, wary, strict
        self.channel = channel
        self.last: tuple[Any] | None = None
        self.broken: str | None = None
        self.raised: set[int] = set()
        self.depth = 0
        self.said: Callable[[], str] = str
        self.hear: Callable[[str], object] = len
        self._shown: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._held: dict[int, Any] = {}
        self._lock = _thread.RLock()
        self._serial = 0

    # Messages.

    def hello(self, value: Any) -> None:
        """Say how loading went."""
        encoder = Encoder(self)
        encoder.value(value)
        self._send(HELLO, encoder)

    def greeted(self) -> Any:
        """Wait for what the other side says first."""
        kind, data = self._receive()
        try:
            if kind != HELLO:
                raise BadMessage("a message where a greeting should be")
            decoder = Decoder(data, self)
            value = decoder.value()
            decoder.end()
        except BadMessage as error:
            raise self._break(error) from None
        return value

    def request(self, operation: str, target: int, args: tuple[Any, ...] = (), **kwargs: Any) -> Any:
        """Have the other side do something to an object of its, and return what comes of it.

        Raises:
            BaseException: Whatever the other side raised; ``Gone``, ``BadMessage``.
        """
        with self._lock:
            if not self.wary and not self.depth:
                raise RuntimeError("nobody waits for this program's answer")
            self._serial += 1
            serial = self._serial
            encoder = Encoder(self)
            encoder.value((serial, operation, target, args, kwargs))
            self._send(REQUEST, encoder)
            while True:
                kind, data = self._receive()
                if kind == REQUEST:
                    self._serve(data)
                elif kind in (RESULT, RAISED):
                    return self._take(kind, Decoder(data, self, encoder.shared), serial, operation)
                else:
                    raise self._break(BadMessage("a message out of place"))

    def serve(self) -> None:
        """Do what the other side asks, until it is gone."""
        while True:
            kind, data = self._receive()
            if kind != REQUEST:
                raise self._break(BadMessage("a message out of place"))
            with self._lock:
                self._serve(data)

    def _take(self, kind: int, decoder: Decoder, serial: int, operation: str) -> Any:
        try:
            if decoder.of(int) != serial:
                raise BadMessage("an answer to another question")
            said = decoder.of(str)
            value = decoder.value()
            self._restore(decoder)
            decoder.end()
        except BadMessage as error:
            raise self._break(error) from None
        if said:
            self.hear(said)
        if kind == RAISED:
            if not isinstance(value, BaseException):
                raise self._break(BadMessage("an error that is none"))
            self.last = (value,)
            self.raised.add(id(value))
            raise value
        if operation == "call":
            self.last = (value,)
        return value

    def _serve(self, data: bytes) -> None:
        decoder = Decoder(data, self)
        try:
            parts = decoder.of(tuple)
            decoder.end()
            serial, operation, target, args, kwargs = parts
            if [type(part) for part in parts] != [int, str, int, tuple, dict]:
                raise BadMessage("a request that is none")
            value = self.own(target)
        except (BadMessage, ValueError) as error:
            raise self._break(BadMessage(str(error))) from None
        before = [_contents(each) for each in decoder.shared]
        kind = RESULT
        self.depth += 1
        try:
            result = self._perform(operation, value, args, kwargs)
        except (Gone, BadMessage):
            raise
        except BaseException as error:
            kind, result = RAISED, error
        finally:
            self.depth -= 1
        self._reply(kind, serial, result, decoder.shared, before)

    def _perform(self, operation: str, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if not self.gate(operation, value, args):
            raise AttributeError(f"{type(value).__name__!r} object is out of reach")
        do = DO.get(operation) or OPERATIONS.get(operation)
        if do is None:
            raise AttributeError(f"no such operation: {operation[:40]}")
        return do(value, *args, **kwargs)

    def _reply(self, kind: int, serial: int, result: Any, shared: list[Any], before: list[Any]) -> None:
        try:
            encoder = self._outcome(serial, result, shared, before)
        except (TooLarge, RecursionError, MemoryError, TypeError, AttributeError) as error:
            kind = RAISED
            reason = str(error) if isinstance(error, TooLarge) else f"a value cannot be read: {type(error).__name__}"
            encoder = self._outcome(serial, ValueError(reason), [], [])
        self._send(kind, encoder)

    def _outcome(self, serial: int, result: Any, shared: list[Any], before: list[Any]) -> Encoder:
        encoder = Encoder(self, shared)
        encoder.value(serial)
        encoder.value(self.said())
        encoder.value(result)
        changed = [number for number, was in enumerate(before) if not _same(was, _contents(shared[number]))]
        encoder.number(len(changed))
        for number in changed:
            encoder.number(number)
            # A container of its own, for as itself it would be a mere reference.
            encoder.value(_copy(shared[number]))
        return encoder

    def _restore(self, decoder: Decoder) -> None:
        known = list(decoder.shared)
        for _ in range(decoder.count()):
            number = decoder.number()
            contents = decoder.value()
            if number >= len(known) or not _put(known[number], contents):
                raise BadMessage("a change of what cannot change so")

    def _send(self, kind: int, encoder: Encoder) -> None:
        data = memoryview(len(encoder.out).to_bytes(4, "big") + bytes((kind,)) + encoder.out)
        while data:
            try:
                data = data[posix.write(self.channel, data) :]
            except OSError as error:
                raise self._break(Gone(str(error))) from None

    def _receive(self) -> tuple[int, bytes]:
        head = self._read(5)
        length = int.from_bytes(head[:4], "big")
        if length > MOST_BYTES + 4096:
            raise self._break(BadMessage("a message that is too long"))
        return head[4], self._read(length)

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            try:
                part = posix.read(self.channel, min(count - len(data), 1 << 20))
            except OSError as error:
                raise self._break(Gone(str(error))) from None
            if not part:
                raise self._break(Gone("the program has ended"))
            data += part
        return bytes(data)

    def _break(self, error: BaseException) -> BaseException:
        self.broken = self.broken or ("ended" if isinstance(error, Gone) else str(error) or "broke the protocol")
        return error

    # What does not travel by value.

    def show(self, value: Any) -> int:
        """Return the number by which the other side may speak of an object; it lives as long as this process."""
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._shown)
            self._shown.append(value)
        return number

    def own(self, number: int) -> Any:
        """Return the object that a number stands for.

        Raises:
            BadMessage: None does.
        """
        if not 0 <= number < len(self._shown):
            raise BadMessage("no such object")
        return self._shown[number]

    def write(self, encoder: Encoder, value: Any, depth: int) -> None:
        """Write what is no plain value."""
        home = origin(value)
        if home is not None and home[0] is self:
            encoder.out += b"h"
            return encoder.number(home[1])
        if isinstance(value, BaseException):
            return write_error(self, encoder, value, depth)
        if isinstance(value, type) and issubclass(value, BaseException):
            return write_class(self, encoder, value)
        if isinstance(value, UNCHANGING):
            encoder.out += b"V"
            encoder.number(self.show(value))
            encoder.text(type(value).__name__.encode("utf-8", "replace"))
            return encoder.value(flat(value), depth + 1)
        encoder.out += b"H"
        encoder.number(self.show(value))
        encoder.text(_name(value).encode("utf-8", "replace"))
        encoder.text(b"class" if isinstance(value, type) else b"coroutine" if _awaits(value) else b"")
        encoder.text(mask(type(value)).to_bytes(16, "big"))
        encoder.value(any(isinstance(value, base) for base, _ in FLAT))
        return None

    def handle(self, decoder: Decoder, depth: int) -> Any:
        """Read a handle; one object has one."""
        number, name, sort = decoder.number(), decoder.word(), decoder.word()
        operations, plain = int.from_bytes(decoder.text(), "big"), decoder.of(bool)
        if number not in self._held:
            self._held[number] = make_handle(self, number, name, sort, operations, plain)
        return self._held[number]

    def mirror(self, decoder: Decoder, depth: int) -> Any:
        """Read an object of a subclass of a plain type: the plain value, which knows where its attributes are."""
        number, name = decoder.number(), decoder.word()
        value = decoder.value(depth + 1)
        if type(value) not in UNCHANGING:
            raise BadMessage("a value of a type that has no subclasses")
        if number not in self._held:
            self._held[number] = make_mirror(self, number, name, value)
        return self._held[number]

    def error(self, decoder: Decoder, depth: int) -> BaseException:
        """Read an exception."""
        return read_error(self, decoder, depth)

    def error_class(self, decoder: Decoder, depth: int) -> type[BaseException]:
        """Read an exception's class."""
        return read_class(self, decoder)


def _name(value: Any) -> str:
    name = getattr(value, "__name__", None) if isinstance(value, type) or callable(value) else None
    return name if isinstance(name, str) else type(value).__name__


def _awaits(value: Any) -> bool:
    return hasattr(type(value), "__await__")


def _contents(value: Any) -> Any:
    if hasattr(value, "items"):
        return [each for pair in value.items() for each in pair]
    return bytes(value) if isinstance(value, bytearray) else list(value)


def _same(was: Any, now: Any) -> bool:
    if isinstance(was, bytes):
        return bool(was == now)
    return len(was) == len(now) and all(one is other for one, other in zip(was, now, strict=True))


def _copy(value: Any) -> Any:
    if hasattr(value, "items"):
        return dict(value)
    if isinstance(value, bytearray):
        return bytes(value)
    return set(value) if isinstance(value, set) else list(value)


def _put(target: Any, contents: Any) -> bool:
    """Give a container of ours other contents; say whether they are of its kind."""
    if (type(target), type(contents)) in ((bytearray, bytes), (list, list)):
        target[:] = contents
    elif type(target).__name__ == "deque" and type(contents) is list:
        target.clear()
        target.extend(contents)
    elif isinstance(target, (dict, set)) and type(contents) is (dict if isinstance(target, dict) else set):
        target.clear()
        target.update(contents)
    else:
        return False
    return True


def _plain(value: Any) -> Any:
    return flat(value)


def _await(value: Any) -> Any:
    import asyncio

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


def _copied(value: Any, deep: bool) -> Any:
    import copy

    return copy.deepcopy(value) if deep else copy.copy(value)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "get": getattr,
    "set": setattr,
    "del": delattr,
    "plain": _plain,
    "await": _await,
    "copy": _copied,
    "names": lambda value: [name for name in vars(value) if not name.startswith("_")],
    "instance": lambda value, other: isinstance(other, value),
    "subclass": lambda value, other: issubclass(other, value),
}
"""Beside those of ``specials``: what a handle's other methods ask for."""
