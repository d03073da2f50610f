"""Text from models and data, made safe for a terminal: nothing in it is obeyed."""

from __future__ import annotations

import re

# C0 and C1 controls move the cursor, rename windows, recolour; bidirectional marks reorder what is read.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
_LINE = re.compile(r"[\t\n]")


def visible(text: str) -> str:
    r"""Return ``text`` with control characters written as escapes (``\x1b``); newlines and tabs stay."""
    return _CONTROL.sub(_escape, text)


def one_line(text: str) -> str:
    r"""Return ``text`` on one line: as :func:`visible`, with newlines and tabs written as ``\n`` and ``\t`` too."""
    return _LINE.sub(_escape, visible(text))


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
