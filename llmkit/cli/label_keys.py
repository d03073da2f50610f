"""Keys typed at a terminal, or lines from anywhere else."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

ESCAPE = b"\x1b"
END = b"\x04"
"""Ctrl-D."""
WAIT_S = 0.02
"""Longest between the bytes of one key: an arrow comes as three."""


class Reader(Protocol):
    """Where answers come from.

    Attributes:
        typed: Whether somebody types, so that it says something how long an answer took.
    """

    @property
    def typed(self) -> bool: ...  # noqa: D102

    def opened(self) -> AbstractContextManager[None]:
        """Begin to read."""
        ...

    def command(self, whole: frozenset[str]) -> str | None:
        """Return what was typed; None at the end of input.

        Args:
            whole: Longer words that may be typed, such as the grade 10.
        """
        ...

    def line(self, prompt: str) -> str:
        """Return a line of text; empty at the end of input."""
        ...


class Lines:
    """Standard input that is no terminal: one answer a line, a note behind its ``n``."""

    typed = False

    def __init__(self) -> None:
        self._rest = ""

    def opened(self) -> AbstractContextManager[None]:
        """Nothing is to be prepared."""
        return contextlib.nullcontext()

    def command(self, whole: frozenset[str]) -> str | None:
        """Return the next line that is not empty; of ``n text`` the ``n``."""
        for line in sys.stdin:
            said = line.strip()
            if said.startswith("n "):
                self._rest = said[2:].strip()
                return "n"
            if said:
                return said
        return None

    def line(self, prompt: str) -> str:
        """Return what stood behind the last ``n``, else the next line."""
        rest, self._rest = self._rest, ""
        return rest or sys.stdin.readline().strip()


class Keys:
    """A terminal: each key counts at once, without Enter."""

    typed = True

    def __init__(self) -> None:
        self._handle = sys.stdin.fileno()
        self._before: list[Any] | None = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Have keys come without Enter and unseen; Ctrl-C goes on meaning what it means."""
        import termios

        self._before = termios.tcgetattr(self._handle)
        try:
            self._at_once()
            yield
        finally:
            termios.tcsetattr(self._handle, termios.TCSADRAIN, self._before)
            self._before = None

    def command(self, whole: frozenset[str]) -> str | None:
        """Return the next key that has a meaning; where longer words begin with it, what is typed until Enter."""
        typed = ""
        while (key := self._key()) is not None:
            if key in ("\r", "\n"):
                if typed:
                    return typed
            elif key in ("\x7f", "\b"):
                typed = typed[:-1]
            else:
                typed += key
                if not any(word.startswith(typed) and word != typed for word in whole):
                    return typed
        return None

    def line(self, prompt: str) -> str:
        """Return a line, typed with the terminal's own editing."""
        import termios

        if self._before is not None:
            termios.tcsetattr(self._handle, termios.TCSADRAIN, self._before)
        try:
            sys.stderr.write(prompt)
            sys.stderr.flush()
            return self._line()
        finally:
            if self._before is not None:
                self._at_once()

    def _at_once(self) -> None:
        import termios
        import tty

        tty.setcbreak(self._handle, termios.TCSADRAIN)

    def _line(self) -> str:
        """Read to the line's end and not beyond, past Python's own buffer, as keys are read."""
        raw = b""
        while not raw.endswith(b"\n") and (part := os.read(self._handle, 4096)):
            raw += part
        return raw.decode("utf-8", "replace").strip()

    def _key(self) -> str | None:
        """Return one character; keys that are none (arrows, function keys) are passed over. None for Ctrl-D."""
        while True:
            raw = os.read(self._handle, 1)
            if raw in (b"", END):
                return None
            if raw == ESCAPE:
                self._pass_over()
                continue
            length = 1 if raw[0] < 0xC0 else 2 if raw[0] < 0xE0 else 3 if raw[0] < 0xF0 else 4
            while len(raw) < length and self._more():
                raw += os.read(self._handle, 1)
            return raw.decode("utf-8", "replace")

    def _pass_over(self) -> None:
        """Read the rest of a control sequence (ECMA-48, 5.4), of a key with Alt, or nothing: Escape alone."""
        if not self._more():
            return
        first = os.read(self._handle, 1)
        while first in (b"[", b"O") and self._more():
            if b"@" <= os.read(self._handle, 1) <= b"~":
                return

    def _more(self) -> bool:
        return bool(select.select([self._handle], [], [], WAIT_S)[0])


def reader() -> Reader:
    """Return what reads this process's standard input."""
    return Keys() if terminal() else Lines()


def terminal() -> bool:
    """Whether somebody types: standard input is a terminal that can give single keys."""
    try:
        import termios  # noqa: F401 - Windows has none
    except ImportError:
        return False
    return sys.stdin.isatty()
