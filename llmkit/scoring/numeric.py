"""numeric: the number in the answer equals the reference's, within a stated tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from llmkit.scoring.base import Item
from llmkit.scoring.builtin import Builtin, shorten, unscorable
from llmkit.scoring.extract import announced, boxed
from llmkit.scoring.number import EXACT, Mark, Number, numbers, whole
from llmkit.types import Failure, Score

Where = Literal["auto", "whole", "boxed", "announced", "first", "last"]


class Numeric(Builtin):
    r"""1 where the answer's number is within tolerance of any reference's, else 0. By default they must be equal.

    ``extract`` says which number of the answer counts. ``auto`` takes the first of these that there is: the whole
    text, the last ``\boxed{}``, what follows the last ``####``, ``answer is`` or ``answer:`` (after the last ``=`` of
    that line), the last number of the text. An answer without a number is a failure, ``unparsable``.

    A reference is one number, or text that holds just one, or boxes or announces it; else ``bad_reference``.
    """

    metric: ClassVar[str] = "numeric"

    tolerance: float = Field(default=0.0, ge=0, description="Largest absolute difference that still counts as equal.")
    relative: float = Field(default=0.0, ge=0, description="Largest difference, as a share of the reference.")
    extract: Where = Field(default="auto", description="Which number of the answer counts.")
    decimal: Mark = Field(default=".", description="The decimal mark; the other one groups thousands.")
    percent: Literal["drop", "fraction"] = Field(
        default="drop", description="drop: 50% is read as 50; fraction: 50% is read as 0.5."
    )

    def _parts(self) -> Mapping[str, str]:
        return {
            "extract": self.extract,
            "tol": repr(self.tolerance),
            "rel": repr(self.relative),
            "decimal": "point" if self.decimal == "." else "comma",
            "percent": self.percent,
            "refs": "any",
        }

    def _one(self, item: Item) -> Score | Failure:
        answer = self._answer(item.text)
        if answer is None:
            return unscorable("unparsable", f"no number found (extract: {self.extract}) in {shorten(item.text)!r}")
        value = self._value(answer)
        right = False
        for reference in item.references:
            target = self._reference(reference)
            if target is None:
                return unscorable("bad_reference", f"the reference {shorten(reference)!r} does not hold one number")
            right = right or self._close(value, self._value(target))
        return Score(float(right), answer=shorten(answer.text))

    def _value(self, number: Number) -> Decimal:
        return (
            EXACT.scaleb(number.value, Decimal(-2)) if number.percent and self.percent == "fraction" else number.value
        )

    def _close(self, value: Decimal, target: Decimal) -> bool:
        if value == target:
            return True
        if not self.tolerance and not self.relative:
            return False
        # As people read them: 0.1 is a tenth here, not the binary number nearest to it.
        allowed = max(Decimal(repr(self.tolerance)), EXACT.multiply(Decimal(repr(self.relative)), target.copy_abs()))
        return EXACT.subtract(value, target).copy_abs() <= allowed

    def _answer(self, text: str) -> Number | None:
        found = whole(text, self.decimal)
        if found is not None or self.extract == "whole":
            return found
        if self.extract == "first":
            return next(numbers(text, self.decimal), None)
        if self.extract in ("auto", "boxed", "announced"):
            found = self._marked(text, box=self.extract != "announced", words=self.extract != "boxed")
        return self._last(text) if found is None and self.extract in ("auto", "last") else found

    def _marked(self, text: str, *, box: bool, words: bool) -> Number | None:
        inside = boxed(text) if box else None
        if inside is not None:
            return whole(inside, self.decimal) or self._last(inside)
        after = announced(text) if words else None
        if after is None:
            return None
        line = after.partition("\n")[0]
        return next(numbers(line.rpartition("=")[2], self.decimal), None)

    def _reference(self, text: str) -> Number | None:
        # Data sets write 29.5 whatever the language of the answers.
        found = whole(text, self.decimal) or whole(text) or self._marked(text, box=True, words=True)
        if found is None:
            there = numbers(text, self.decimal)
            found = next(there, None)
            if next(there, None) is not None:
                return None
        return found

    def _last(self, text: str) -> Number | None:
        found = None
        for found in numbers(text, self.decimal):  # noqa: B007
            pass
        return found
