"""ends_with: the answer ends with a reference."""

from __future__ import annotations

from typing import ClassVar

from llmkit.scoring.affix import Affix


class EndsWith(Affix):
    """1 where the normalised answer ends with any normalised reference, else 0. An empty answer is a wrong one."""

    metric: ClassVar[str] = "ends_with"

    def _holds(self, answer: str, reference: str) -> bool:
        return answer.endswith(reference)
