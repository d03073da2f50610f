"""cer: character error rate over the whole corpus."""

from __future__ import annotations

from typing import Any, ClassVar

from llmkit.scoring.error_rate import ErrorRate


class Cer(ErrorRate):
    """Edits of characters over characters of the reference, as jiwer counts them; a space is a character."""

    metric: ClassVar[str] = "cer"
    unit: ClassVar[str] = "character"

    def _count(self, text: str) -> int:
        return len(text)

    def _align(self, reference: str, text: str) -> Any:
        import jiwer

        return jiwer.process_characters(reference, text)
