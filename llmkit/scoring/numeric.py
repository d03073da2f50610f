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
from llmkit.scoring.units import converted, unit_of
from llmkit.text import shorten
from llmkit.types import Failure, Score

# A number within a formula is not the formula's value.
_FORMULA = re.compile(r"[\\^_√π]")
_TEXT = re.compile(r"\\(?:text\w*|mbox|math(?:rm|it))\s?\{[^{}]*\}(?:\^(?:\d|\{\d\}))?|\\[;: ]|\\,(?!\d{3}(?!\d))")

_POWER_OF_LENGTH = re.compile(r"(?<![A-Za-z\\])(?:[kdcm]?m|ft|in|yd|mi)\s?\^\s?(?:[23]|\{[23]\})")
_LONGEST_UNIT = 30  # "\\text{ kilometres per hour}"

Where = Literal["auto", "whole", "boxed", "announced", "first", "last"]


class Numeric(Builtin):
    r"""1 where the answer's number is within tolerance of any reference's, else 0. By default they must be equal.

    ``extract`` says which number of the answer counts. ``auto`` takes the first of these that there is: the whole
    text, the last ``\boxed{}``, what follows the last ``####``, ``answer is`` or ``answer:`` (after the last ``=`` of
    that line), the last number of the text. An answer without a number is a failure, ``unparsable``.

    A box, and a reference, must hold just one number, which prose may surround (after the last ``=``); a formula like
    ``\sqrt{5}`` is no number. A reference may also box or announce its number; else it is ``bad_reference``.

    ``units`` says what a unit behind the number (or a currency's mark before it) does; ``llmkit/scoring/units.py`` has
    the table of those that are known. ``drop``: nothing. Else, where the reference has a unit, the answer must have
    one: under ``require`` the same, however it is spelled; under ``convert`` one that measures the same, into which
    the answer is converted (``5 km`` is ``5000 m``; tolerances are in the reference's unit).
    """

    metric: ClassVar[str] = "numeric"
    revision: ClassVar[int] = (
        2  # since it reads 1\frac{1}{2}, \frac{1.5}{2}, 2·10³, 10**3, 1_000, "50 percent", 5\,\text{m}
    )

    tolerance: float = Field(default=0.0, ge=0, description="Largest absolute difference that still counts as equal.")
    relative: float = Field(default=0.0, ge=0, description="Largest difference, as a share of the reference.")
    extract: Where = Field(default="auto", description="Which number of the answer counts.")
    decimal: Mark = Field(default=".", description="The decimal mark; the other one groups thousands.")
    percent: Literal["drop", "fraction"] = Field(
        default="drop", description="drop: 50% is read as 50; fraction: 50% is read as 0.5."
    )
    units: Literal["drop", "require", "convert"] = Field(
        default="drop",
        description="drop: units do not matter; require: the answer has the reference's unit; convert: 5 km is 5000 m.",
    )

    def _parts(self) -> Mapping[str, str]:
        return {
            "extract": self.extract,
            "tol": repr(self.tolerance),
            "rel": repr(self.relative),
            "decimal": "point" if self.decimal == "." else "comma",
            "percent": self.percent,
            **({} if self.units == "drop" else {"units": self.units}),
            "refs": "any",
        }

    def _one(self, item: Item) -> Score | Failure:
        answer = self._answer(item.text)
        if answer is None:
            return unscorable("unparsable", f"no number found (extract: {self.extract}) in {shorten(item.text)!r}")
        right = False
        for reference in item.references:
            target = self._reference(reference)
            if target is None:
                return unscorable("bad_reference", f"the reference {shorten(reference)!r} does not hold one number")
            right = right or self._equal(answer, target)
        return Score(float(right), answer=shorten(answer.text))

    def _equal(self, answer: Number, target: Number) -> bool:
        value: Decimal | None = self._value(answer)
        wanted = None if self.units == "drop" else unit_of(target.text, target.after)
        if wanted is not None:
            given = unit_of(answer.text, answer.after)
            if given is None or (self.units == "require" and given != wanted):
                return False
            value = converted(self._value(answer), given, wanted)
        return value is not None and self._close(value, self._value(target))

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
            return found or (None if self.units == "drop" else self._measured(text))
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
        bare = _TEXT.sub(" ", text)
        if self.units != "drop":
            bare = _POWER_OF_LENGTH.sub(" ", bare)
        there = list(islice(numbers(bare, self.decimal), 2))
        if len(there) != 1 or _FORMULA.search(bare.replace(there[0].text, "", 1)):
            return None
        # The unit is in what was left out.
        same = (number for number in numbers(text, self.decimal) if number.text == there[0].text)
        return next(same, there[0])

    def _measured(self, text: str) -> Number | None:
        """Read a text that is one number with its unit, and nothing else."""
        found = self._lone(text)
        rest = text.strip().removesuffix(".")
        if found is None or not rest.startswith(found.text) or unit_of("", found.after) is None:
            return None
        return found if len(rest) <= len(found.text) + _LONGEST_UNIT else None

    def _last(self, text: str) -> Number | None:
        found = None
        for found in numbers(text, self.decimal):  # noqa: B007
            pass
        return found
