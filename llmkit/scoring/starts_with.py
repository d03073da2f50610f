"""starts_with: the answer begins with a reference."""

from __future__ import annotations

from typing import ClassVar

from llmkit.scoring.affix import Affix


class StartsWith(Affix):
    """1 where the normalised answer begins with any normalised reference, else 0. An empty answer is a wrong one."""

    metric: ClassVar[str] = "starts_with"

    def _holds(self, answer: str, reference: str) -> bool:
        return answer.startswith(reference)
