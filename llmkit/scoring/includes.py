"""includes: a reference occurs in the answer."""

from __future__ import annotations

from typing import ClassVar

from llmkit.scoring.affix import Affix


class Includes(Affix):
    """1 where the normalised answer contains any normalised reference, else 0. An empty answer is a wrong one."""

    metric: ClassVar[str] = "includes"

    def _holds(self, answer: str, reference: str) -> bool:
        return reference in answer
