"""numeric: the number in the answer equals the reference's, within a stated tolerance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from typing import ClassVar, Literal

from pydantic import Field

from llmkit.scoring.base import Item
from llmkit.scoring.builtin import Builtin, unscorable
from llmkit.scoring.extract import announced, boxed
from llmkit.scoring.number import EXACT, Mark, Number, numbers, whole
from llmkit.text import shorten
from llmkit.types import Failure, Score

# A number within a formula is not the formula's value.
_FORMULA = re.compile(r"[\\^_√π]")
_TEXT = re.compile(r"\\(?:text|mbox)\{[^{}]*\}")

Where = Literal["auto", "whole", "boxed", "announced", "first", "last"]


class Numeric(Builtin):
    r"""1 where the answer's number is within tolerance of any reference's, else 0. By default they must be equal.

    ``extract`` says which number of the answer counts. ``auto`` takes the first of these that there is: the whole
    text, the last ``\boxed{}``, what follows the last ``####``, ``answer is`` or ``answer:`` (after the last ``=`` of
    that line), the last number of the text. An answer without a number is a failure, ``unparsable``.

    A box, and a reference, must hold just one number, which prose may surround (after the last ``=``); a formula like
    ``\sqrt{5}`` is no number. A reference may also box or announce its number; else it is ``bad_reference``.
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
        inside = boxed(text) if self.extract in ("auto", "boxed") else None
        if inside is not None or self.extract == "boxed":
            return self._lone(inside or "")
        if self.extract in ("auto", "announced"):
            found = self._announced(text)
        return self._last(text) if found is None and self.extract in ("auto", "last") else found

    def _reference(self, text: str) -> Number | None:
        # Data sets write 29.5 whatever the language of the answers.
        found = whole(text, self.decimal) or whole(text)
        if found is not None:
            return found
        inside = boxed(text)
        return self._lone(inside) if inside is not None else self._announced(text) or self._lone(text)

    def _announced(self, text: str) -> Number | None:
        after = announced(text)
        if after is None:
            return None
        line = after.partition("\n")[0]
        return next(numbers(line.rpartition("=")[2], self.decimal), None)

    def _lone(self, text: str) -> Number | None:
        text = text.rpartition("=")[2]
        found = whole(text, self.decimal)
        if found is not None:
            return found
        there = list(islice(numbers(text, self.decimal), 2))
        if len(there) != 1 or _FORMULA.search(_TEXT.sub("", text).replace(there[0].text, "", 1)):
            return None
        return there[0]

    def _last(self, text: str) -> Number | None:
        found = None
        for found in numbers(text, self.decimal):  # noqa: B007
            pass
        return found
