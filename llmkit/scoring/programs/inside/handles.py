"""Stand-ins for the other side's objects.

Where that side may lie (``Peer.wary``), an object of its equals no plain value of ours, has no order with one, and
what an operation with one gives is mixed: an object again, which has seen a value of ours and might say what it likes
of it. Nothing is taken from it, no number, truth, text, attribute, item or call; further operators give mixed objects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from llmkit.scoring.programs.inside.codec import FLAT, TAKEN_APART, UNCHANGING, BadMessage
from llmkit.scoring.programs.inside.specials import CONVERSION, MIXING, NAMES, ORDER, UNARY

if TYPE_CHECKING:
    from llmkit.scoring.programs.inside.peer import Peer

T = TypeVar("T")

HOME = "_llmkit_home"
"""The attribute in which a stand-in keeps whose it is, and its number there."""
_PLAIN = (*(base for base, _ in FLAT), type({}.keys()), type({}.items()), type(None), range, slice, type(...))


def origin(value: Any) -> tuple[Any, int] | None:
    """Return the peer and the number of what a stand-in stands for; None for everything else."""
    if isinstance(value, Handle):
        return value._llmkit_home[:2]
    kind = type(value)
    if HOME in kind.__dict__:  # a mirror, or an exception of the other side's
        home: tuple[Any, int] | None = value.__dict__.get(HOME)
        return home
    if isinstance(value, type) and "_llmkit_class" in value.__dict__:
        found: tuple[Any, int] = value.__dict__["_llmkit_class"]
        return found
    return None


def is_plain(value: Any) -> bool:
    """Whether a value is one that travels by value."""
    kind = type(value)
    return isinstance(value, _PLAIN) or f"{kind.__module__}.{kind.__qualname__}" in TAKEN_APART


class Handle:
    """Stands for an object of the other side's."""

    __slots__ = ("__weakref__", "_llmkit_home", "_llmkit_traits")
    _llmkit_home: tuple[Peer, int]
    _llmkit_traits: tuple[str, bool, bool]  # name, whether it holds a plain value, whether it was mixed with one

    def __init__(self, home: tuple[Peer, int], traits: tuple[str, bool, bool]) -> None:
        object.__setattr__(self, "_llmkit_home", home)
        object.__setattr__(self, "_llmkit_traits", traits)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__array"):  # by which numpy would look into another process's memory
            raise AttributeError(name)
        _unmixed(self, "attribute")
        return ask(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        ask(self, "set", name, value)

    def __delattr__(self, name: str) -> None:
        ask(self, "del", name)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, Handle):
            return ask(self, "eq", other)
        if not is_plain(other):
            return NotImplemented if self._llmkit_home[0].wary else ask(self, "eq", other)
        if not self._llmkit_home[0].wary:
            return ask(self, "eq", other)
        _unmixed(self, "equality with another")
        return self._llmkit_traits[1] and ask(self, "plain") == other

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __hash__(self) -> int:
        _unmixed(self, "hash")
        return _checked(ask(self, "hash"), int)

    def __str__(self) -> str:
        _unmixed(self, "text")
        return _checked(ask(self, "str"), str)

    def __repr__(self) -> str:
        _unmixed(self, "text")
        return _checked(ask(self, "repr"), str)

    def __format__(self, how: str) -> str:
        _unmixed(self, "text")
        return _checked(ask(self, "format", how), str)

    def __bool__(self) -> bool:
        _unmixed(self, "truth value")
        return _checked(ask(self, "bool"), bool)

    def __copy__(self) -> Any:
        return _alike(self, ask(self, "copy", False))

    def __deepcopy__(self, memo: object) -> Any:
        return _alike(self, ask(self, "copy", True))

    @property
    def __name__(self) -> Any:
        _unmixed(self, "name")
        return ask(self, "get", "__name__")

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        _unmixed(self, "text")
        return ask(self, "get", "__doc__")


class ClassHandle(Handle):
    """Stands for a class of the other side's."""

    __slots__ = ()

    def __instancecheck__(self, value: object) -> bool:
        return origin(value) is not None and _checked(ask(self, "instance", value), bool)

    def __subclasscheck__(self, value: object) -> bool:
        return origin(value) is not None and _checked(ask(self, "subclass", value), bool)


class CoroutineHandle(Handle):
    """Stands for what can be awaited: the other side runs it to its end, once it is."""

    __slots__ = ()

    def __await__(self) -> Any:
        _unmixed(self, "result")
        value = ask(self, "await")
        yield from ()
        return value

    def send(self, value: object) -> Any:
        """End at once with what it gives."""
        _unmixed(self, "result")
        raise StopIteration(ask(self, "await"))

    def throw(self, *how: Any) -> Any:
        """Raise what is thrown."""
        raise how[1] if len(how) > 1 and how[1] is not None else how[0]

    def close(self) -> None:
        """Do nothing: nothing runs."""


def ask(handle: Handle, operation: str, *args: Any, **kwargs: Any) -> Any:
    """Have the other side do something to what a handle stands for."""
    peer, number = handle._llmkit_home
    return peer.request(operation, number, args, **kwargs)


def _checked(value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        raise TypeError(f"an object gave {type(value).__name__} where {kind.__name__} must be")
    return value


def _unmixed(handle: Handle, what: str) -> None:
    if handle._llmkit_traits[2]:
        raise TypeError(f"an object that was mixed with a plain value gives no {what}")


def _mixed(value: Any) -> Any:
    """Mark what an operation with a plain value gave: it has seen a value of ours, and may answer as it likes."""
    if not isinstance(value, Handle):
        raise TypeError("an operation of an object with a plain value must give an object")
    home, (name, plain, _) = value._llmkit_home, value._llmkit_traits
    return type(value)(home, (name, plain, True))


def _alike(handle: Handle, value: Any) -> Any:
    return _mixed(value) if handle._llmkit_traits[2] else value


def _binary(name: str) -> Callable[..., Any]:
    def operation(self: Handle, other: Any) -> Any:
        peer = self._llmkit_home[0]
        if not peer.wary:
            return ask(self, name, other)
        if isinstance(other, Handle):
            value = ask(self, name, other)
            return _mixed(value) if self._llmkit_traits[2] or other._llmkit_traits[2] else value
        if peer.strict:
            raise TypeError(f"no {name} of an object and a plain value")
        return _mixed(ask(self, name, other))

    return operation


def _order(name: str) -> Callable[..., Any]:
    def operation(self: Handle, other: Any) -> Any:
        if self._llmkit_home[0].wary and not isinstance(other, Handle):
            raise TypeError(f"an object has no order with {type(other).__name__}")
        return ask(self, name, other)

    return operation


def _unary(name: str) -> Callable[..., Any]:
    def operation(self: Handle, *args: Any) -> Any:
        return _alike(self, ask(self, name, *args))

    return operation


def _conversion(name: str) -> Callable[..., Any]:
    def operation(self: Handle, *args: Any) -> Any:
        _unmixed(self, name)
        if name == "contains" and self._llmkit_home[0].strict:
            return any(each is args[0] or each == args[0] for each in self)  # type: ignore[attr-defined]
        return ask(self, name, *args)

    return operation


def _other(name: str) -> Callable[..., Any]:
    def operation(self: Handle, *args: Any, **kwargs: Any) -> Any:
        _unmixed(self, name)
        return ask(self, name, *args, **kwargs)

    return operation


def _method(name: str) -> Callable[..., Any]:
    if name in MIXING:
        return _binary(name)
    if name in ORDER:
        return _order(name)
    if name in UNARY:
        return _unary(name)
    return _conversion(name) if name in CONVERSION else _other(name)


_KINDS: dict[tuple[str, str, int], type[Handle]] = {}


def make_handle(peer: Peer, number: int, name: str, sort: str, operations: int, plain: bool) -> Handle:
    """Make a handle whose type has the operations that the object's has, and no others, and is called alike."""
    base: type[Handle] = {"class": ClassHandle, "coroutine": CoroutineHandle}.get(sort, Handle)
    kind = _KINDS.get((name, sort, operations))
    if kind is None:
        methods = {f"__{each}__": _method(each) for at, each in enumerate(NAMES) if operations >> at & 1}
        for each in ("eq", "hash", "str", "repr", "format", "bool"):
            methods.pop(f"__{each}__", None)
        members: dict[str, Any] = {"__slots__": (), **methods}
        kind = _KINDS[name, sort, operations] = type(identifier(name), (base,), members)
    return kind((peer, number), (name, plain, False))


def _lookup(self: Any, name: str) -> Any:
    peer, number = self.__dict__[HOME]
    return peer.request("get", number, (name,))


def _shown(operation: str) -> Callable[[Any], str]:
    def show(self: Any) -> str:
        peer, number = self.__dict__[HOME]
        return str(_checked(peer.request(operation, number), str))

    return show


def make_mirror(peer: Peer, number: int, name: str, value: Any) -> Any:
    """Make a plain value that has the other side's further attributes; all that the plain type does, it does itself."""
    base = type(value)
    if base not in UNCHANGING:
        raise BadMessage("a value of a type that has no subclasses")
    members = {HOME: None, "__getattr__": _lookup, "__str__": _shown("str"), "__repr__": _shown("repr")}
    made = type(identifier(name), (base,), members)(value)
    made.__dict__[HOME] = (peer, number)
    return made


def identifier(name: str) -> str:
    """Return a name that a class may have: what the other side says, where it can be."""
    return name if name.isidentifier() and len(name) < 100 else "Object"
