"""The operations that an object's type may define, and what each does: one list that both sides number alike."""

from __future__ import annotations

import _operator as operations  # C, and loaded at start; ``operator`` is Python, and is not
from collections.abc import Callable
from typing import Any


def _reflected(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, other: operation(other, value)


BINARY = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor", "pow")
ORDER = ("lt", "le", "gt", "ge")

_OPERATION: dict[str, Callable[..., Any]] = {
    name: getattr(operations, name + "_" if name in ("and", "or") else name) for name in (*BINARY, *ORDER)
}
_UNARY: dict[str, Callable[..., Any]] = {
    "neg": operations.neg,
    "pos": operations.pos,
    "invert": operations.invert,
    "abs": abs,
    "round": round,
    "trunc": lambda value: type(value).__trunc__(value),
    "floor": lambda value: type(value).__floor__(value),
    "ceil": lambda value: type(value).__ceil__(value),
}
_CONVERSION: dict[str, Callable[..., Any]] = {
    "int": int,
    "float": float,
    "complex": complex,
    "index": operations.index,
    "len": len,
    "bool": bool,
    "contains": operations.contains,
}
_OTHER: dict[str, Callable[..., Any]] = {
    "iter": iter,
    "next": next,
    "reversed": reversed,
    "getitem": operations.getitem,
    "setitem": operations.setitem,
    "delitem": operations.delitem,
    "hash": hash,
    "str": str,
    "repr": repr,
    "format": format,
    "eq": operations.eq,
    "enter": lambda value: type(value).__enter__(value),
    "exit": lambda value, *how: type(value).__exit__(value, *how),
    "call": lambda value, *args, **kwargs: value(*args, **kwargs),
}

DO: dict[str, Callable[..., Any]] = {
    **_UNARY,
    **_CONVERSION,
    **_OTHER,
    **_OPERATION,
    **{"r" + name: _reflected(_OPERATION[name]) for name in BINARY},
}
"""Name (of ``__name__``) → what it does to an object."""

NAMES = tuple(DO)
UNARY = tuple(_UNARY)
CONVERSION = tuple(_CONVERSION)
MIXING = frozenset((*BINARY, *("r" + name for name in BINARY)))
ALWAYS = frozenset({"eq", "hash", "str", "repr", "format", "bool"})
"""Every object has these."""


def mask(kind: type) -> int:
    """Return which operations a type defines: bit n for the n-th of ``NAMES``."""
    return sum(1 << at for at, name in enumerate(NAMES) if name not in ALWAYS and _defines(kind, f"__{name}__"))


def _defines(kind: type, name: str) -> bool:
    # Not by getattr, which finds the metaclass's, too; and object's own order always answers NotImplemented.
    return any(base.__dict__.get(name) is not None for base in kind.__mro__[:-1])
