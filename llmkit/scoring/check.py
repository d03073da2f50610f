"""One check of a text: a kind, what is wanted, and whether it must not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from json import JSONDecoder
from time import monotonic
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from llmkit.scoring.guarded import Slow, frozen, within
from llmkit.scoring.json_schema import validator_of
from llmkit.scoring.json_text import NotJson, TooDeep, read

SECONDS = 1.0
"""That one check may take: patterns and schemas meet untrusted answers."""
KINDS = (
    "equals", "equals_json", "contains", "contains_any", "contains_all", "starts_with", "ends_with", "regex", "is_json",
    "contains_json",
)  # fmt: skip


class Check(BaseModel):
    """What must hold of an answer: exactly one kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    equals: str | None = Field(default=None, description="The answer is this text.")
    equals_json: Any = Field(default=None, description="The answer is JSON, and equal to this value.")
    contains: str | None = Field(default=None, description="This text occurs in the answer.")
    contains_any: list[str] | None = Field(default=None, min_length=1, description="One of these texts occurs.")
    contains_all: list[str] | None = Field(default=None, min_length=1, description="All of these texts occur.")
    starts_with: str | None = Field(default=None, description="The answer starts with this text.")
    ends_with: str | None = Field(default=None, description="The answer ends with this text.")
    regex: str | None = Field(default=None, description="This regular expression matches somewhere in the answer.")
    is_json: Literal[True] | dict[str, Any] | None = Field(
        default=None, description="The answer is JSON; of a JSON Schema, JSON that it accepts."
    )
    contains_json: Literal[True] | dict[str, Any] | None = Field(
        default=None, description="An object or list in the answer is JSON; of a JSON Schema, JSON that it accepts."
    )
    ignore_case: bool = Field(default=False, description="Compare texts without regard to case.")
    strip: bool = Field(default=False, description="The answer's blanks at its ends go first.")
    not_: bool = Field(default=False, alias="not", description="It must not hold.")

    @field_validator("regex")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        import regex

        try:
            regex.compile(pattern or "")
        except regex.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _one_kind(self) -> Check:
        kinds = [name for name in KINDS if name in self.model_fields_set]
        if len(kinds) != 1 or (kinds != ["equals_json"] and self.wanted is None):
            raise ValueError(f"give exactly one of {', '.join(KINDS)}")
        if isinstance(self.wanted, dict) and self.kind in ("is_json", "contains_json"):
            validator_of(self.wanted)
        return self

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return next(name for name in KINDS if name in self.model_fields_set)

    @property
    def wanted(self) -> Any:
        """What its kind compares with."""
        return getattr(self, self.kind)

    def holds(self, text: str) -> bool:
        """Whether it holds of an answer.

        Raises:
            TimeoutError: A pattern or schema took too long on it.
        """
        try:
            return _HOLDS[self.kind](self, text.strip() if self.strip else text) != self.not_
        except (Slow, TimeoutError):
            raise TimeoutError(f"{self.kind} took longer than {SECONDS:g} s on this answer") from None

    def said(self) -> str:
        """Write it for people: ``not contains 'sorry'``."""
        case = " (any case)" if self.ignore_case else ""
        return f"{'not ' if self.not_ else ''}{self.kind} {self.wanted!r}{case}"

    def fold(self, text: str) -> str:
        """Return a text as it is compared."""
        return text.lower() if self.ignore_case else text

    @cached_property
    def pattern(self) -> Any:
        """The pattern, compiled."""
        import regex

        return regex.compile(self.regex or "", regex.IGNORECASE if self.ignore_case else 0)

    def accepts(self, value: Any) -> bool:
        """Whether a JSON value is one that is wanted: any, or what the schema accepts."""
        if not isinstance(self.wanted, dict):
            return True
        with within(SECONDS):
            return bool(validator_of(self.wanted).is_valid(value))


def _parsed(text: str) -> tuple[bool, Any]:
    try:
        return True, read(text)
    except (NotJson, TooDeep, RecursionError):
        return False, None


def _is_json(check: Check, text: str) -> bool:
    valid, value = _parsed(text)
    return valid and check.accepts(value)


def _contains_json(check: Check, text: str) -> bool:
    return any(check.accepts(value) for value in _values(text))


def _values(text: str) -> Iterator[Any]:
    """Yield the objects and lists that stand in a text, those within them left out.

    Raises:
        TimeoutError: There are too many brackets at which none begins: each of them is read from to where it breaks.
    """
    decoder, at, end = JSONDecoder(), 0, monotonic() + SECONDS
    while starts := [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]:
        if monotonic() > end:
            raise TimeoutError
        try:
            value, at = decoder.raw_decode(text, min(starts))
        except (ValueError, RecursionError):
            at = min(starts) + 1
            continue
        yield value


def _equals_json(check: Check, text: str) -> bool:
    valid, value = _parsed(text)
    return valid and bool(frozen(value) == frozen(check.wanted))


_HOLDS: Mapping[str, Callable[[Check, str], bool]] = {
    "equals": lambda c, text: c.fold(text) == c.fold(c.wanted),
    "equals_json": _equals_json,
    "contains": lambda c, text: c.fold(c.wanted) in c.fold(text),
    "contains_any": lambda c, text: any(c.fold(each) in c.fold(text) for each in c.wanted),
    "contains_all": lambda c, text: all(c.fold(each) in c.fold(text) for each in c.wanted),
    "starts_with": lambda c, text: c.fold(text).startswith(c.fold(c.wanted)),
    "ends_with": lambda c, text: c.fold(text).endswith(c.fold(c.wanted)),
    "regex": lambda c, text: c.pattern.search(text, timeout=SECONDS) is not None,
    "is_json": _is_json,
    "contains_json": _contains_json,
}
