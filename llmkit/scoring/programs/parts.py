"""Programs for the sandbox: what runs inside, compiled once, with what it has to do."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any, Literal

from llmkit.sandbox.base import Program

Start = Literal["script", "serve", "examine", "pytest"]

_INSIDE = Path(__file__).parent / "inside"
_PACKAGE = "llmkit.scoring.programs.inside"
_FORMAT = 2  # of marshal: the one that every Python 3 reads
_LINE = ("codec", "decode", "specials", "handles", "errors", "peer")
_MODULES: Mapping[Start, tuple[str, ...]] = {
    # In the order in which they are loaded.
    "script": ("task", "load", "start_script"),
    "serve": ("task", "load", *_LINE, "serve", "start_serve"),
    "examine": ("task", *_LINE, "examine", "start_examine"),
    "pytest": ("task", *_LINE, "examine", "examine_pytest", "start_pytest"),
}


def program(start: Start, task: Mapping[str, Any], *, packages: bool = False, **kwargs: Any) -> Program:
    """Make a program.

    Args:
        start: What it begins with.
        task: What it has to do: texts, numbers and lists.
        packages: Whether it may import what is installed, which takes longer to start.
        kwargs: Of ``Program``.
    """
    files = {"main.py": _text("boot"), "parts": _parts(start), "task": marshal.dumps(dict(task), _FORMAT)}
    # -S: the folders of installed packages are not looked for. -B: nothing that it imports is written back.
    arguments = ("-B", "main.py") if packages else ("-S", "-B", "main.py")
    return Program(arguments, files, **kwargs)


@cache
def _text(name: str) -> bytes:
    return (_INSIDE / f"{name}.py").read_bytes()


@cache
def _parts(start: Start) -> bytes:
    modules = []
    for name in _MODULES[start]:
        code = compile(_text(name), f"{name}.py", "exec", dont_inherit=True, optimize=2)
        modules.append((f"{_PACKAGE}.{name}", _text(name), marshal.dumps(code)))
    return marshal.dumps((MAGIC_NUMBER, modules, f"{_PACKAGE}.start_{start}"), _FORMAT)
