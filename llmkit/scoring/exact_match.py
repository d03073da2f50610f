"""exact_match: the answer is one of the references, up to a stated normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from llmkit.scoring.base import Item
from llmkit.scoring.builtin import RIGHT, WRONG
from llmkit.scoring.normalize import TextOptions
from llmkit.types import Failure, Score


class ExactMatch(TextOptions):
    """1 where the normalised answer equals any normalised reference, else 0. An empty answer is a wrong one.

    The "quasi-exact match" of HELM (Liang et al., 2022) is ``ignore_case``, ``ignore_punctuation`` and
    ``ignore_articles`` together; its "prefix exact match" is ``match: prefix``.
    """

    metric: ClassVar[str] = "exact_match"

    match: Literal["full", "prefix", "suffix"] = Field(
        default="full", description="full: the whole answer; prefix, suffix: its start or end (an empty reference too)."
    )

    def _parts(self) -> Mapping[str, str]:
        return {"match": self.match, **self._text_parts(), "refs": "any"}

    def _one(self, item: Item) -> Score | Failure:
        text, references = item.text, item.references
        if text in references:
            return RIGHT
        normal = self.normal
        answer = normal(text)
        if self.match == "full":
            for reference in references:
                if normal(reference) == answer:
                    return RIGHT
            return WRONG
        targets = tuple(normal(reference) for reference in references)
        return RIGHT if (answer.startswith if self.match == "prefix" else answer.endswith)(targets) else WRONG
