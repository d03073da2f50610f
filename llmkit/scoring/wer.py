"""wer: word error rate over the whole corpus."""

from __future__ import annotations

from typing import Any, ClassVar

from llmkit.scoring.error_rate import ErrorRate


class Wer(ErrorRate):
    """Edits of words over words of the reference, as jiwer counts them; words stand between spaces."""

    metric: ClassVar[str] = "wer"
    unit: ClassVar[str] = "word"

    def _count(self, text: str) -> int:
        return len(text.split())

    def _align(self, reference: str, text: str) -> Any:
        import jiwer

        return jiwer.process_words(reference, text)
