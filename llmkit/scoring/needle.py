"""needle: the share of the values asked for that the answer names, wherever in it they stand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from llmkit.scoring.base import Item, MetricKind
from llmkit.scoring.builtin import Builtin, unscorable
from llmkit.text import shorten
from llmkit.types import Failure, Score

# 7,381,452 is how many models write 7381452; a blank groups digits only where it cannot be broken.
_GROUPED = re.compile(r"(?<=\d)[,'’\u00a0\u202f\u2009](?=\d{3}(?!\d))")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
_MARKS = (".", ",")


class Needle(Builtin):
    """Of all references, the share that the answer holds; those of the row's distractors that it holds take away.

    Unlike for other scorers, each reference is a value that must be there, not one of several right answers. A value is
    found as a whole word, whatever surrounds it: 12 in "It is **12**.", and neither in 123 nor in 12.5; case and the
    commas that group digits do not matter. An answer that names values which were hidden for other keys is no better
    for having the right one among them: each takes away one that was found. Nothing goes below 0.

    Source: recall of the hidden values as a string match, RULER (Hsieh et al. 2024, arXiv 2404.06654, section 4);
    word boundaries and distractors are llmkit's own.
    """

    metric: ClassVar[str] = "needle"
    kind: ClassVar[MetricKind] = "mean"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    distractors: Literal["wrong", "ignore"] = Field(
        default="wrong", description="wrong: each distractor that the answer names takes away one value found."
    )
    field: str = Field(default="distractors", description="The row's field that lists the distractors' values.")
    count: Literal["share", "all"] = Field(
        default="share", description="share: of the values found; all: 1 where all are found and nothing is wrong."
    )

    def _parts(self) -> Mapping[str, str]:
        field = {} if self.field == "distractors" else {"field": self.field}
        return {"match": "whole", "case": "folded", "refs": "all", "count": self.count,
                "distractors": self.distractors, **field}  # fmt: skip

    def _one(self, item: Item) -> Score | Failure:
        values = list(dict.fromkeys(normal(reference) for reference in item.references))
        if not all(values):
            return unscorable("bad_reference", "a reference is empty")
        others: list[str] = []
        if self.distractors == "wrong":
            listed = item.row.get(self.field) or []
            if not isinstance(listed, list):
                return unscorable("bad_row", f"the field {self.field!r} of the row is no list of values")
            others = [normal(str(other)) for other in listed]
        text = normal(item.text)
        found = [value for value in values if holds(text, value)]
        wrong = [other for other in others if holds(text, other) and not any(holds(value, other) for value in values)]
        share = max(0, len(found) - len(wrong)) / len(values)
        said = "; ".join(part for part in (", ".join(found), f"wrong: {', '.join(wrong)}" if wrong else "") if part)
        return Score(float(share == 1) if self.count == "all" else share, answer=shorten(said) if said else None)


def normal(text: str) -> str:
    """Bring a text to the form that values are compared in."""
    text = unicodedata.normalize("NFKC", _GROUPED.sub("", text)).translate(_DASHES)
    return " ".join(text.casefold().split())


def holds(text: str, value: str) -> bool:
    """Whether a value stands in a text as a whole word or number; both are in the normal form."""
    at = text.find(value) if value else -1
    while at >= 0:
        end = at + len(value)
        if _begins(text, at, value[0]) and _ends(text, end, value[-1]):
            return True
        at = text.find(value, at + 1)
    return False


def _begins(text: str, at: int, first: str) -> bool:
    before, further = text[at - 1 : at], text[at - 2 : at - 1] if at > 1 else ""
    if before == "-" and first.isdigit():
        return further.isalpha()  # -12 is not 12, nor is 3-12; no-12 names it
    return _apart(before, further, first)


def _ends(text: str, end: int, last: str) -> bool:
    after, further = text[end : end + 1], text[end + 1 : end + 2]
    if after == "-" and last.isdigit():
        return not further.isdigit()
    return _apart(after, further, last)


def _apart(beside: str, beyond: str, edge: str) -> bool:
    """Whether a value's first or last character stands apart from what is beside it, and beyond that."""
    if not edge.isalnum():
        return True
    if beside in _MARKS and edge.isdigit():
        return not beyond.isdigit()  # 12 is no part of 12.5, nor of 3,12
    return not beside.isalnum()
