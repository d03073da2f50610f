"""What a format is: described, read, written, and put into a decoder's or a provider's hands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

from llmkit.errors import UsageError
from llmkit.generations import Issue
from llmkit.types import Message, Totals

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

GrammarKind = Literal["json_schema", "regex", "choice", "lark"]

MAX_ANSWER = 4 << 20
"""Characters of the longest answer that is read at all; no model writes as much, and parsers stay within memory."""


class UnsupportedShape(UsageError):
    """A form cannot be put into a grammar, or a provider cannot be held to it; the message says why."""


def _unbilled(name: str, paid: Totals) -> None:
    """Take what a check paid where nobody keeps a bill."""


@dataclass(frozen=True, slots=True)
class Context:
    """What parsing and validators may know beside the answer.

    Attributes:
        row: The fields that the prompt was rendered with.
        data: What the caller gave as ``context``; pydantic's validators see it as ``info.context``.
        attempt: Number of the attempt, from 1.
        repair: Whether guesses at what was meant are allowed.
        messages: What was asked, before the form was described; empty where that is not known.
        charge: Is to be told, by a validator that asks a model, its name and what it paid.
    """

    row: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    attempt: int = 1
    repair: bool = False
    messages: tuple[Message, ...] = ()
    charge: Callable[[str, Totals], None] = field(default=_unbilled, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T_co]):
    """What a format read in an answer: a value, or issues.

    Attributes:
        value: The value; None where there are issues.
        issues: What is wrong; empty where ``value`` is good.
        repairs: What was taken away to find it, deterministic and lossless: ``code fence removed``; and what was
            guessed, where ``Context.repair`` allows it: ``guessed: trailing comma removed``.
        text: The part of the answer that was read.
    """

    value: T_co | None = None
    issues: tuple[Issue, ...] = ()
    repairs: tuple[str, ...] = ()
    text: str = ""

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.issues


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a decoder can be held to.

    Attributes:
        kind: Of ``source``.
        source: A JSON Schema (a mapping or truth value), a regular expression (llguidance's dialect, which is that of
            Rust's ``regex`` crate), a tuple of choices, or Lark text (llguidance's dialect) with the rule ``start``.
        unenforced: Rules of the format that the grammar lets pass.
        endless: Whether it is known to admit texts of any length, where a small model may go on for ever.
    """

    kind: GrammarKind
    source: Any
    unenforced: tuple[str, ...] = ()
    endless: bool = False

    @property
    def exact(self) -> bool:
        """Whether all that it admits is valid."""
        return not self.unenforced


@dataclass(frozen=True, slots=True)
class Native:
    """A provider's own structured output, asked for this form.

    Attributes:
        params: Added to the request's params: ``{"structured": {"json_schema": …}}``.
        unenforced: Rules of the format that this provider does not enforce.
        narrowed: What the provider forbids beyond the format, in words: ``nickname is always given``.
        shape: Whether it guarantees the form's skeleton, values aside; ``auto`` takes it only then.
        reason: Why it does not.
    """

    params: Mapping[str, Any]
    unenforced: tuple[str, ...] = ()
    narrowed: tuple[str, ...] = ()
    shape: bool = True
    reason: str = ""


class Format(Protocol[T]):
    """A form that an answer is wanted in.

    Attributes:
        name: ``json``, ``xml``, …; of third parties, their entry point's.
        rules: Names of all that an answer must satisfy, ``shape`` first: ``("shape", "email: pattern")``.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def rules(self) -> tuple[str, ...]: ...  # noqa: D102

    def describe(self) -> str:
        """Return what the prompt is told: complete, short, no greeting."""
        ...

    def parse(self, text: str, context: Context = Context()) -> Parsed[T]:
        """Read an answer. Whatever it holds, this returns, in bounded time and memory; answers are untrusted."""
        ...

    def render(self, value: T) -> str:
        """Write a value as a model should: ``parse(render(value)).value == value``."""
        ...

    def grammar(self) -> Grammar:
        """Return what holds a decoder to the form.

        Raises:
            UnsupportedShape: It cannot be had.
        """
        ...

    def native(self, provider: str) -> Native:
        """Return what asks a provider (``openai``, ``anthropic``) for the form.

        Raises:
            UnsupportedShape: The provider cannot be asked for it.
        """
        ...

    def definition(self) -> Mapping[str, Any]:
        """Return all that decides what is valid, as plain data: two formats with equal ones are the same."""
        ...


@runtime_checkable
class Binds(Protocol):
    """Offered by formats that depend on the row: labels of its own tokens, choices that it lists."""

    def bind(self, row: Mapping[str, Any]) -> Format[Any]:
        """Return the format for one row.

        Raises:
            LlmkitError: The row lacks what is needed.
        """
        ...


@runtime_checkable
class Notes(Protocol):
    """Offered by formats of which a user should know something.

    Attributes:
        notes: One line each: ``schema.json:3: 'minLenght' is no keyword of JSON Schema and is ignored``.
    """

    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102


def notes_of(form: Format[Any]) -> tuple[str, ...]:
    """Return what a user should know of a format; mostly nothing."""
    return form.notes if isinstance(form, Notes) else ()
