"""What includes, starts_with and ends_with share: a reference is looked for in the answer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from llmkit.scoring.base import Item
from llmkit.scoring.builtin import RIGHT, WRONG, unscorable
from llmkit.scoring.normalize import TextOptions
from llmkit.types import Failure, Score


class Affix(TextOptions):
    """A part of the answer is compared. An empty reference is in every text, so it is no reference at all."""

    def _parts(self) -> Mapping[str, str]:
        return {**self._text_parts(), "refs": "any"}

    @abstractmethod
    def _holds(self, answer: str, reference: str) -> bool:
        """Say whether the normalised answer has the normalised reference at its place."""

    def _one(self, item: Item) -> Score | Failure:
        normal = self.normal
        targets = [normal(reference) for reference in item.references]
        if not all(targets):
            return unscorable("bad_reference", "a reference is empty after normalisation, so every answer would match")
        answer = normal(item.text)
        return RIGHT if any(self._holds(answer, target) for target in targets) else WRONG
