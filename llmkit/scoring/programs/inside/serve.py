"""The answer's process: load the answer's program as a module, then let the tests' process use it."""

from __future__ import annotations

import posix
import sys
from typing import Any

from llmkit.scoring.programs.inside.load import as_in_scripts, first_that_compiles
from llmkit.scoring.programs.inside.peer import Gone, Peer

_MOST_SAID = 1 << 20


class Said:
    """Standard output while it is asked: what is printed goes to whoever asked, who may be looking at it."""

    encoding = "utf-8"
    errors = "replace"
    closed = False

    def __init__(self, real: Any) -> None:
        self.real = real
        self.parts: list[str] = []
        self.count = 0

    def write(self, text: str) -> int:
        """Keep a text; beyond a mebibyte, print it, so that the limit on output ends a program that never stops."""
        if self.count > _MOST_SAID:
            self.real.write(text)
        else:
            self.parts.append(text)
            self.count += len(text)
        return len(text)

    def take(self) -> str:
        """Return what was said since, and forget it."""
        said, self.parts = "".join(self.parts), []
        return said

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def isatty(self) -> bool:
        """Say that this is no terminal."""
        return False

    def writable(self) -> bool:
        """Say that this can be written."""
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def main(sources: list[str], name: str) -> None:
    """Load the first program that compiles under a module's name, say how it went, and serve it."""
    peer = Peer(lambda operation, value, args: True, wary=False)
    said = Said(sys.stdout)
    module = type(sys)(name)
    sys.modules[name] = module
    peer.show(module)
    trouble = _load(sources, name, module)
    if trouble is None:
        sys.stdout = said
        peer.said = said.take
    try:
        peer.hello(trouble)
        if trouble is None:
            peer.serve()
    except Gone:
        posix._exit(0)  # the tests are over: nothing that the program left for its end is waited for


def _load(sources: list[str], name: str, module: Any) -> str | None:
    try:
        code = first_that_compiles(sources, f"{name}.py")
    except BaseException as error:
        return "syntax: " + _line(error)
    try:
        as_in_scripts()
        exec(code, module.__dict__)  # noqa: S102 - this is what the sandbox is for
    except BaseException as error:
        return "load: " + _line(error)
    return None


def _line(error: BaseException) -> str:
    try:
        where = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        text = str(error.msg if isinstance(error, SyntaxError) else error)[:500]
        return f"{type(error).__name__}{where}: {text}" if text else f"{type(error).__name__}{where}"
    except BaseException:
        return "an error that cannot be told"
