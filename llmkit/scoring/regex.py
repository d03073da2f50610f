"""regex: a pattern finds something in the answer, or what it finds is a reference."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from llmkit.scoring.base import Item
from llmkit.scoring.builtin import RIGHT, WRONG, Builtin, unscorable
from llmkit.scoring.normalize import collapse
from llmkit.text import shorten
from llmkit.types import Failure, Score


class Regex(Builtin):
    """Without ``extract``: 1 where the pattern matches. With it: 1 where that group equals a reference.

    An answer in which the pattern finds nothing to extract is unparsable, a failure. The engine is the package
    ``regex``: answers are untrusted and a pattern can take exponential time on them, so each match has a deadline.
    """

    metric: ClassVar[str] = "regex"
    heavy: ClassVar[bool] = True

    pattern: str = Field(
        description="A regular expression in the syntax of Python's re, as the package regex reads it."
    )
    mode: Literal["search", "full"] = Field(default="search", description="search: anywhere; full: the whole answer.")
    extract: int | str | None = Field(
        default=None, description="A group, by number or name (0: all that matched), compared to the references."
    )
    take: Literal["first", "last"] = Field(default="first", description="Which match is extracted, in mode search.")
    ignore_case: bool = False
    multiline: bool = Field(default=False, description="^ and $ match at every line.")
    dotall: bool = Field(default=False, description="The dot matches line ends too.")
    fold: bool = Field(default=False, description="Compare what is extracted without regard to case.")
    timeout_s: float = Field(default=1.0, gt=0, le=60, description="Deadline of one match, in seconds.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        import regex

        try:
            regex.compile(pattern)
        except regex.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _group_exists(self) -> Regex:
        group = self.extract
        known = self._compiled.groupindex
        if self.fold and group is None:
            raise ValueError("fold: without extract nothing is compared; for the pattern there is ignore_case")
        if isinstance(group, str) and group not in known:
            raise ValueError(f"extract: the pattern has no group named {group!r}; it has {sorted(known) or 'none'}")
        if isinstance(group, int) and not 0 <= group <= self._compiled.groups:
            raise ValueError(f"extract: the pattern has {self._compiled.groups} groups, so there is no group {group}")
        return self

    @property
    def needs_references(self) -> bool:
        """Only what is extracted is compared to references."""
        return self.extract is not None

    @cached_property
    def _compiled(self) -> Any:
        import regex

        flags = regex.IGNORECASE * self.ignore_case | regex.MULTILINE * self.multiline | regex.DOTALL * self.dotall
        return regex.compile(self.pattern, flags)

    def _parts(self) -> Mapping[str, str]:
        flags = (self.ignore_case, "i"), (self.multiline, "m"), (self.dotall, "s")
        parts = {"pattern": self.pattern, "mode": self.mode}
        parts["flags"] = "".join(letter for on, letter in flags if on) or "none"
        parts["extract"] = "no" if self.extract is None else str(self.extract)
        if self.extract is not None:
            parts |= {"take": self.take, "space": "collapse", "refs": "any"}
        if self.fold:
            parts["case"] = "folded"
        return parts | {"deadline": f"{self.timeout_s!r}s"}

    def _one(self, item: Item) -> Score | Failure:
        try:
            found = self._find(item.text)
        except TimeoutError:
            return unscorable("timeout", f"the pattern took longer than {self.timeout_s:g} s on this answer")
        if self.extract is None:
            return RIGHT if found else WRONG
        group = found[self.extract] if found else None
        if group is None:
            return unscorable("unparsable", f"the pattern found nothing to extract in {shorten(item.text)!r}")
        answer = collapse(group)
        right = any(self._plain(reference) == self._plain(answer) for reference in item.references)
        return Score(float(right), answer=answer)

    def _plain(self, text: str) -> str:
        return collapse(text).casefold() if self.fold else collapse(text)

    def _find(self, text: str) -> Any:
        if self.mode == "full":
            return self._compiled.fullmatch(text, timeout=self.timeout_s)
        found = self._compiled.search(text, timeout=self.timeout_s)
        if self.extract is not None and self.take == "last":
            for found in self._compiled.finditer(text, timeout=self.timeout_s):  # noqa: B007
                pass
        return found
