"""Fingerprints: of what a prompt can send, and of what a suite's rows do send."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from llmkit.canonical import canonical
from llmkit.types import Message

if TYPE_CHECKING:
    import jinja2


class RequestsFingerprint:
    """SHA-256 over rendered requests, in order; an edit of a template that renders the same leaves it as it is."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()

    def add(self, messages: str) -> None:
        """Take the next request, as ``messages_json`` writes it."""
        # Canonical JSON holds no raw newline, so the requests cannot run together.
        self._state.update(messages.encode("utf-8", "surrogatepass") + b"\n")

    def hexdigest(self) -> str:
        """Return the fingerprint of what was added."""
        return self._state.hexdigest()


def messages_json(messages: Iterable[Message]) -> str:
    """Write messages as canonical JSON, ``[[role, content], …]``."""
    return canonical([[message.role, message.content] for message in messages]).decode("utf-8", "surrogatepass")


def requests_fingerprint(requests: Iterable[tuple[Message, ...]]) -> str:
    """Fingerprint rendered requests that are all at hand."""
    state = RequestsFingerprint()
    for messages in requests:
        state.add(messages_json(messages))
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
