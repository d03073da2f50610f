"""Fingerprints: of what a prompt can send, and of what a suite's rows do send."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from llmkit.canonical import canonical
from llmkit.types import Message

if TYPE_CHECKING:
    import jinja2


def requests_fingerprint(requests: Iterable[tuple[Message, ...]]) -> str:
    """SHA-256 over rendered requests, in order; an edit of a template that renders the same leaves it as it is."""
    state = hashlib.sha256()
    for messages in requests:
        state.update(canonical([[message.role, message.content] for message in messages]))
        state.update(b"\n")  # canonical JSON holds no raw newline, so the parts cannot run together
    return state.hexdigest()


def template_tokens(environment: jinja2.Environment, source: str) -> list[list[str]]:
    """A template without its comments and without the blanks inside its tags: what of it can reach a model."""
    tokens: list[list[str]] = []
    in_comment = False
    for _, kind, value in environment.lex(source.strip("\n")):
        if kind == "comment_begin":
            in_comment = True
        elif kind == "comment_end":
            in_comment = False
        elif in_comment or kind == "whitespace":
            continue
        elif kind == "data" and tokens and tokens[-1][0] == "data":
            tokens[-1][1] += value
        else:
            tokens.append([kind, value])
    return tokens
