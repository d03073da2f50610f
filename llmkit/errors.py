"""Every error that llmkit raises on purpose, and what the process exits with.

    LlmkitError                    4   something broke
    ├── UsageError                 2   what the user typed or wrote cannot be done
    │   ├── DocumentError          2   a suite, prompt or configuration file is wrong (path:line)
    │   ├── UnknownNameError       2   no such suite, model, scorer, …; carries the nearest names
    │   ├── MissingExtraError      2   an optional dependency is not installed; carries the pip line
    │   ├── MissingKeyError        2   no API key; carries the environment variable's name
    │   ├── NoIsolationError       2   programs cannot be kept from harm here, and no one said to run them all the same
    │   └── ResumeMismatchError    2   a run cannot go on: its configuration differs
    ├── BudgetError                3   the money ran out; what is paid for is kept
    ├── UnsoundLockError           3   a gate may not decide by a judge whose lock cannot be relied on
    ├── GenerationFailed           4   no valid answer came; carries every attempt (``llmkit.generations``)
    │   └── GenerationOverBudget   3   the next attempt does not fit under the cap
    ├── DataError                  4   a data set cannot be read or holds what no row may hold
    ├── ProviderError              4   a model's server failed, refused or answered nonsense
    │   └── NotStoredError         3   an answer is not stored, and no call may be made
    ├── EngineError                4   a model's engine, started by llmkit, did not start or died
    ├── ScorerError                4   a scorer crashed or met an answer that it cannot score
    │   └── SandboxError           4   a program could not be started, for a reason that is not its own
    └── StoreError                 4   the store cannot be read or written

An error is one readable line: where (path:line), what, and a hint that mends it. Exit 1 belongs to a
failed threshold, gate or validation alone, so no error carries it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar, Literal


class LlmkitError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: What went wrong, one line, no trailing full stop needed.
        where: ``path`` or ``path:line`` that the message speaks of.
        hint: What the user can do about it.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """The one line that a terminal shows."""
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text.rstrip('.')}. {self.hint}" if self.hint else text


class UsageError(LlmkitError):
    """What the user typed or wrote cannot be done."""

    exit_code = 2


class DocumentError(UsageError):
    """A suite, prompt or configuration file is wrong."""


class UnknownNameError(UsageError):
    """No such suite, model, scorer, provider, field or option.

    Args:
        kind: What sort of name it is, as in "unknown scorer".
        name: What the user wrote.
        known: The names that exist; the nearest ones are offered.
        where: ``path:line`` of the name.
        hint: Replaces the offered names where something better can be said.
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], *, where: str | None = None, hint: str | None = None
    ) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        super().__init__(f"unknown {kind} {name!r}", where=where, hint=hint or nearest(name, self.known))


class MissingExtraError(UsageError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs the extra [{extra}]", hint=f"Install it: pip install 'llmkit[{extra}]'")


class MissingKeyError(UsageError):
    """No API key was found."""

    def __init__(self, provider: str, variable: str) -> None:
        self.variable = variable
        super().__init__(f"{provider} needs an API key", hint=f"Set the environment variable {variable}")


class NoIsolationError(UsageError):
    """Programs cannot be kept from harm on this machine, and nobody said to run them all the same."""


class ResumeMismatchError(UsageError):
    """A run cannot go on, because its configuration differs; ``keys`` names what differs."""

    def __init__(self, run_id: str, keys: Iterable[str]) -> None:
        self.keys = sorted(keys)
        super().__init__(
            f"run {run_id} cannot be resumed: {', '.join(self.keys)} changed since it started",
            hint="Undo the change, or start a new run without --resume (paid answers come from the cache)",
        )


class BudgetError(LlmkitError):
    """The money ran out; everything paid for is kept."""

    exit_code = 3
    attempts: int = 0  # HTTP attempts of the same call that were made before
    lost: tuple[float | None, ...] = ()  # of those, what may have been paid for; None: nobody knows


class UnsoundLockError(LlmkitError):
    """A gate may not decide by a judge whose lock cannot be relied on: it cannot be read, or was edited by hand."""

    exit_code = 3


class DataError(LlmkitError):
    """A data set cannot be read, or holds what no row may hold."""


ProviderFault = Literal[
    "auth",  # 401, 403: the key is wrong or may not use the model
    "not_found",  # 404: no such model or endpoint
    "bad_request",  # 400, 422: the server rejects the request
    "context_overflow",  # the prompt is longer than the model's context
    "rate_limit",  # 429
    "server",  # 5xx, 529
    "connection",  # refused, reset, name not found
    "timeout",  # no whole answer in time; it may have been paid for
    "malformed",  # HTML, truncated or wrong JSON, 200 with an error object
    "empty",  # a well-formed answer without content
    "refused",  # the provider's content filter took the answer
]
OVERFLOW: ProviderFault = "context_overflow"
"""Told apart from other failures wherever failures are shown: the model was not asked."""
RETRYABLE: frozenset[ProviderFault] = frozenset({"rate_limit", "server", "connection", "timeout", "malformed"})


class ProviderError(LlmkitError):
    """A model's server failed, refused or answered nonsense.

    Args:
        fault: Which boundary failed; decides whether another attempt makes sense.
        message: One line, with no secret in it.
        status: HTTP status, where there was one.
        retry_after: Seconds that the server asked to wait.
        maybe_billed: Whether the call may have been paid for though no usage came back.
        hint: What the user can do.
    """

    def __init__(
        self,
        fault: ProviderFault,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        maybe_billed: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.fault: ProviderFault = fault
        self.status = status
        self.retry_after = retry_after
        self.maybe_billed = maybe_billed
        self.attempts = 1
        self.usage: object = None  # types.Usage of an answer that was paid for and holds no text
        self.answer: object = None  # types.Completion of such an answer: why it ended, how long it took, who made it
        self.cost_usd: float | None = None if maybe_billed else 0.0  # of this attempt; None: nobody knows
        self.lost: tuple[float | None, ...] = ()  # of the call's earlier attempts that may have been paid for

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed on another attempt."""
        return self.fault in RETRYABLE


class EngineError(LlmkitError):
    """A model's engine that llmkit starts did not start, or died: no further call can be answered, so the run ends."""

    memory: bool = False  # whether there was too little of it


class NotStoredError(ProviderError):
    """An answer is not stored, and no call may be made; the same command fails again until one is.

    Args:
        model: Whose answer.
    """

    exit_code = 3

    def __init__(self, model: str) -> None:
        what = f"no answer of {model} is stored for this, and no call may be made"
        super().__init__("not_found", what, hint="Run it once without --offline")


class ScorerError(LlmkitError):
    """A scorer crashed, or met an answer that it cannot score."""


class SandboxError(ScorerError):
    """A program could not be started, for a reason that is not its own."""


class StoreError(LlmkitError):
    """The store cannot be read or written."""


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> str:
    """Say which known names are close to ``name``; all of them where none is close and they are few."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=most, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(repr(n) for n in close)}?"
    if not names:
        return "There are none"
    shown = ", ".join(names[:20])
    return f"Known: {shown}{', …' if len(names) > 20 else ''}"
