"""A script: the file of raw answers that the provider ``scripted`` plays back.

One JSON object a line; what it answers to is one of

- ``request``: the digest of the rendered messages (``request_digest``);
- ``messages``: the rendered messages themselves;
- ``match``: a piece of text in the last message; ``regex``: a pattern found in it;

and what it answers with is ``text``, ``fault`` or, where continuations are compared, ``loglikelihoods``::

    {"match": "12 + 30", "text": "42"}
    {"match": "capital of France", "loglikelihoods": {"Paris": -0.3, "London": -4.2}}
    {"match": "capital of France", "fault": "rate_limit", "retry_after": 0.2, "times": 2}
    {"match": "capital of France", "text": "Paris", "usage": {"input": 20, "output": 1}}

Exact lines (``request``, ``messages``) go before ``match`` and ``regex``; among equals the first line in the
file that is not used up (``times``) answers.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from llmkit.canonical import digest
from llmkit.errors import DocumentError, ProviderFault, nearest
from llmkit.types import FinishReason, Message, Request, Role, TokenLogprob, Usage

MAX_COMPARED = 2_000
"""Lines that a miss is compared with to name the nearest; more would make every miss slow."""
MAX_SHOWN = 80
"""Characters of a message that an error shows."""


def request_digest(request: Request) -> str:
    """Return the key of a rendered request: SHA-256 over the canonical JSON of its messages."""
    return messages_digest(request.messages)


def messages_digest(messages: Sequence[Message]) -> str:
    """Return the key of rendered messages."""
    return digest([{"role": message.role, "content": message.content} for message in messages])


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScriptedMessage(_Strict):
    """A message as a script writes it."""

    role: Role
    content: str


class ScriptedUsage(_Strict):
    """Token counts that replace the counted ones."""

    input: int | None = Field(default=None, ge=0)
    output: int | None = Field(default=None, ge=0)
    cached: int | None = Field(default=None, ge=0)
    cache_write: int | None = Field(default=None, ge=0)
    reasoning: int | None = Field(default=None, ge=0)

    def record(self) -> Usage:
        """Return the record that completions carry."""
        return Usage(**self.model_dump())


class ScriptedLogprob(_Strict):
    """One token's log-probability and its alternatives, as pairs."""

    token: str
    logprob: float = Field(le=0)
    top: tuple[tuple[str, float], ...] = ()

    def record(self) -> TokenLogprob:
        """Return the record that completions carry."""
        return TokenLogprob(self.token, self.logprob, self.top)


class Line(_Strict):
    """One line of a script. See the module for what its keys mean."""

    request: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    messages: tuple[ScriptedMessage, ...] | None = None
    match: str | None = Field(default=None, min_length=1)
    regex: re.Pattern[str] | None = None
    text: str | None = None
    fault: ProviderFault | None = None
    loglikelihoods: Mapping[str, Annotated[float, Field(le=0)]] | None = None
    retry_after: float | None = Field(default=None, ge=0)
    finish_reason: FinishReason = "stop"
    usage: ScriptedUsage | None = None
    logprobs: tuple[ScriptedLogprob, ...] | None = None
    latency_s: float | None = Field(default=None, ge=0)
    times: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if sum(key is not None for key in (self.request, self.messages, self.match, self.regex)) != 1:
            raise ValueError("give exactly one of request, messages, match, regex")
        if sum(answer is not None for answer in (self.text, self.fault, self.loglikelihoods)) != 1:
            raise ValueError("give exactly one of text, fault, loglikelihoods")
        return self

    @property
    def key(self) -> str | None:
        """The digest that this line answers to, or None where it looks into the text."""
        if self.messages is not None:
            return messages_digest([Message(message.role, message.content) for message in self.messages])
        return self.request

    @property
    def likeness(self) -> str:
        """What an error shows, and a miss is compared with."""
        if self.messages:
            return self.messages[-1].content
        return self.match or (self.regex.pattern if self.regex else self.request or "")

    def found_in(self, text: str) -> bool:
        """Say whether a ``match`` or ``regex`` line answers to the last message's text."""
        if self.match is not None:
            return self.match in text
        return self.regex is not None and self.regex.search(text) is not None


class Script:
    """The lines of one file, and how often each has answered.

    Args:
        lines: ``(line number, line)``, in the file's order.
        path: The file, for errors.
        sha256: Of the file's bytes: a part of the model's identity.
    """

    def __init__(self, lines: Sequence[tuple[int, Line]], path: str, sha256: str) -> None:
        self.lines = tuple(lines)
        self.path = path
        self.sha256 = sha256
        self._exact: dict[str, list[int]] = {}
        self._searched: list[int] = []
        self._used: dict[int, int] = {}
        for index, (_, line) in enumerate(self.lines):
            key = line.key
            if key is None:
                self._searched.append(index)
            else:
                self._exact.setdefault(key, []).append(index)

    @classmethod
    def read(cls, path: Path) -> Script:
        """Read a script.

        Raises:
            DocumentError: The file is missing, not UTF-8, empty, or a line is wrong (``path:line``).
        """
        try:
            raw = path.read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DocumentError(f"the script cannot be read: {reason}", where=str(path)) from error
        lines = [
            (number, _parse(text, f"{path}:{number}"))
            for number, text in enumerate(raw.split(b"\n"), start=1)
            if text.strip()
        ]
        if not lines:
            hint = 'Write one answer a line: {"match": "2 + 2", "text": "4"}'
            raise DocumentError("the script is empty", where=str(path), hint=hint)
        return cls(lines, str(path), hashlib.sha256(raw).hexdigest())

    @property
    def has_logprobs(self) -> bool:
        """Whether any line carries log-probabilities."""
        return any(line.logprobs is not None for _, line in self.lines)

    @property
    def has_loglikelihoods(self) -> bool:
        """Whether any line carries continuations' log-likelihoods."""
        return any(line.loglikelihoods is not None for _, line in self.lines)

    def answer(self, request: Request, *, compares: bool = False) -> Line | None:
        """Return the line that answers, using up one of its ``times``; None where no line does.

        Args:
            request: What is asked.
            compares: Whether log-likelihoods are wanted, and not a text.
        """
        for index in self._candidates(request, compares):
            line = self.lines[index][1]
            used = self._used.get(index, 0)
            if line.times is None:
                return line
            if used < line.times:
                self._used[index] = used + 1
                return line
        return None

    def miss(self, request: Request, *, compares: bool = False) -> tuple[str, str]:
        """Return what is wrong and what may mend it, for a request that no line answers."""
        text = last_text(request)
        used_up = list(self._candidates(request, compares))
        if used_up:
            number = self.lines[used_up[-1]][0]
            return f"every scripted answer to {shown(text)} is used up", f"Raise times in {self.path}:{number}"
        likenesses = {line.likeness: number for number, line in self.lines[:MAX_COMPARED]}
        close = difflib.get_close_matches(text, likenesses, n=1, cutoff=0.4)
        message = f"no scripted answer for {shown(text)} (request {request_digest(request)})"
        if close:
            return message, f"The nearest is {self.path}:{likenesses[close[0]]}, for {shown(close[0])}"
        return message, f"Add a line for it to {self.path}, or give a default"

    def _candidates(self, request: Request, compares: bool) -> Iterator[int]:
        text = last_text(request)
        searched = (index for index in self._searched if self.lines[index][1].found_in(text))
        for index in itertools.chain(self._exact.get(request_digest(request), ()), searched):
            line = self.lines[index][1]
            if line.fault is not None or (line.loglikelihoods is not None) == compares:
                yield index


def last_text(request: Request) -> str:
    """Return the last message's text, which is where a row's own words stand."""
    return request.messages[-1].content if request.messages else ""


def shown(text: str) -> str:
    """Quote the end of a text for an error: few-shot prompts differ at the end."""
    line = " ".join(text.split())
    return repr(line if len(line) <= MAX_SHOWN else "…" + line[-MAX_SHOWN:])


def _parse(raw: bytes, where: str) -> Line:
    try:
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8 (byte {error.start} of the line)", where=where) from error
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"not JSON: {error}", where=where) from error
    if not isinstance(value, Mapping):
        raise DocumentError(f"a line holds one JSON object, not {type(value).__name__}", where=where)
    try:
        return Line.model_validate(value)
    except ValidationError as error:
        raise DocumentError(_first(error), where=where) from error


def _first(error: ValidationError) -> str:
    """Say the first thing that is wrong, in one line."""
    first: Any = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return f"unknown key {path!r}. {nearest(path, Line.model_fields)}"
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{path}: {message}" if path else message
