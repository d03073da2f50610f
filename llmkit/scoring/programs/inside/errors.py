"""Exceptions across the line: built-in ones as themselves, others as classes that derive from the built-in ones.

Only built-in and standard exceptions are named to the other side, so that no answer raises what a test runner takes
for a sign of its own (``unittest.SkipTest``, say).
"""

from __future__ import annotations

import builtins
import sys
from typing import TYPE_CHECKING, Any

from llmkit.scoring.programs.inside.codec import BadMessage, Encoder, TooLarge
from llmkit.scoring.programs.inside.handles import HOME, identifier, origin

if TYPE_CHECKING:
    from llmkit.scoring.programs.inside.decode import Decoder
    from llmkit.scoring.programs.inside.peer import Peer

_LONGEST = 2000
_MOST = 32
_SIGNS = frozenset({"unittest", "doctest", "bdb", "asyncio"})
"""Modules some of whose exceptions mean something to what runs the tests."""


def write_error(peer: Peer, encoder: Encoder, error: BaseException, depth: int) -> None:
    """Write an exception: its class, its arguments, its text, and its number."""
    encoder.out += b"E"
    _chain(peer, encoder, type(error))
    encoder.text(_text(error).encode("utf-8", "replace"))
    encoder.number(peer.show(error))
    mark = len(encoder.out), len(encoder.shared)
    try:
        encoder.value(tuple(error.args) if isinstance(error.args, tuple) else (), depth + 1)
    except (TooLarge, RecursionError):
        if len(encoder.shared) != mark[1]:
            raise  # containers are numbered already: the whole message is given up
        del encoder.out[mark[0] :]
        encoder.value((), depth + 1)


def write_class(peer: Peer, encoder: Encoder, kind: type[BaseException]) -> None:
    """Write an exception's class."""
    encoder.out += b"W"
    _chain(peer, encoder, kind)


def read_error(peer: Peer, decoder: Decoder, depth: int) -> BaseException:
    """Read an exception.

    Raises:
        BadMessage: It is none.
    """
    kind = _read_chain(peer, decoder)
    text, number, args = decoder.word(), decoder.number(), decoder.of(tuple, depth + 1)
    try:
        error = kind.__new__(kind, *args)
        error.args = args
    except Exception as problem:
        raise BadMessage("an exception that cannot be made") from problem
    if HOME in kind.__dict__:
        error.__dict__[HOME] = (peer, number)
        error.__dict__["_llmkit_text"] = text
    else:
        _complete(error, text)
    return error


def read_class(peer: Peer, decoder: Decoder) -> type[BaseException]:
    """Read an exception's class."""
    return _read_chain(peer, decoder)


def _chain(peer: Peer, encoder: Encoder, kind: type[BaseException]) -> None:
    """Write the classes from this one down to the first that both sides know."""
    own: list[type[BaseException]] = []
    for each in kind.__mro__:
        if not issubclass(each, BaseException):
            continue
        home = origin(each)
        if home is not None and home[0] is peer:  # theirs: it came from there
            _classes(peer, encoder, own)
            encoder.text(b"h")
            return encoder.number(home[1])
        if (name := _known(each)) is not None:
            _classes(peer, encoder, own)
            return encoder.text(name.encode())
        own.append(each)
    raise TooLarge("an exception of no kind")


def _classes(peer: Peer, encoder: Encoder, own: list[type[BaseException]]) -> None:
    own = own[:_MOST]
    encoder.number(len(own))
    for each in own:
        encoder.number(peer.show(each))
        encoder.text(each.__name__.encode("utf-8", "replace"))


def _known(kind: type[BaseException]) -> str | None:
    name: str = kind.__name__
    if getattr(builtins, name, None) is kind:
        return name
    module = kind.__module__ if isinstance(kind.__module__, str) else ""
    if module.partition(".")[0] in sys.stdlib_module_names and name == kind.__qualname__:
        found = getattr(sys.modules.get(module), name, None)
        return f"{module}.{name}" if found is kind else None
    return None


def _read_chain(peer: Peer, decoder: Decoder) -> type[BaseException]:
    count = decoder.number()
    if count > _MOST:
        raise BadMessage("an exception of too many classes")
    own = [(decoder.number(), decoder.word()) for _ in range(count)]
    name = decoder.word()
    kind = peer.own(decoder.number()) if name == "h" else _find(name)
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        raise BadMessage("an exception that is none")
    for number, label in reversed(own):
        kind = _mirrored(peer, number, label, kind)
    return kind


def _find(name: str) -> Any:
    module, _, label = name.rpartition(".")
    if not module:
        return getattr(builtins, label, None)
    if module.partition(".")[0] not in sys.stdlib_module_names or module.partition(".")[0] in _SIGNS:
        return Exception
    # What was never imported here, no test can expect.
    return getattr(sys.modules.get(module), label, Exception)


def _mirrored(peer: Peer, number: int, label: str, base: type[BaseException]) -> type[BaseException]:
    found = peer._held.get(number)
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    members = {
        HOME: None,
        "_llmkit_class": (peer, number),
        "__module__": "solution",
        "__getattr__": _attribute,
        "__str__": _told,
    }
    try:
        made = type(identifier(label), (base,), members)
    except TypeError as error:
        raise BadMessage("an exception that cannot be made") from error
    peer._held[number] = made
    return made


def _attribute(self: BaseException, name: str) -> Any:
    home = self.__dict__.get(HOME)
    if home is None:  # made by the tests themselves, of a class of the other side's
        raise AttributeError(name)
    return home[0].request("get", home[1], (name,))


def _told(self: BaseException) -> str:
    text = self.__dict__.get("_llmkit_text")
    return text if isinstance(text, str) else ", ".join(map(str, self.args))


def _complete(error: BaseException, text: str) -> None:
    """Give the attributes that a built-in exception's constructor would have set."""
    if isinstance(error, StopIteration):
        error.value = error.args[0] if error.args else None
    elif isinstance(error, SystemExit):
        error.code = error.args[0] if error.args else None
    elif type(error).__module__ != "builtins" and text:
        error.args = (text,)  # of the standard library: only its own constructor knows what to do with the others


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:
        return ""
    return text[:_LONGEST] if type(text) is str else ""
