"""Words of others (a server, a model, a user) brought into one line of a message."""

from __future__ import annotations

import re

from llmkit.redact import redact

MESSAGE_CHARS = 300
"""A server's own words are shown up to here: enough for its reason, too short for a page of HTML."""
PIECE_CHARS = 60
"""A quoted value: enough to find it, too few to flood a line."""

_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")
"""What colours text or moves a terminal's cursor (ECMA-48, 5.4): without its first character the rest is left over."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\s]+")


def cut(text: str, most: int = PIECE_CHARS) -> str:
    """Return at most so many characters, the last of them an ellipsis where more was there."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def quoted(value: object, most: int = PIECE_CHARS) -> str:
    """Return any value as Python writes it, cut; its type where that fails: a class's own code may."""
    try:
        return cut(repr(value), most)
    except Exception:  # somebody else's class, or a number of more digits than Python writes
        return f"<{type(value).__name__}>"


def labelled(model: str, alias: str | None) -> str:
    """Name a model, and what the user called it, which tells two configurations of it apart."""
    return model if alias is None else f"{model} ({alias})"


def shorten(text: str, most: int = PIECE_CHARS) -> str:
    """Quote a piece of a text: its blanks and line ends as one blank each, and cut."""
    return cut(" ".join(text[: 20 * most].split()), most)


def one_line(text: str, most: int = MESSAGE_CHARS) -> str:
    """Bring words into one line that is safe to print: no secret, no control character or sequence, not long."""
    return cut(_CONTROL.sub(" ", redact(_SEQUENCE.sub("", text[: 20 * most]))).strip(), most)
