"""ter: how many edits turn the answer into the reference, over the whole corpus."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from llmkit.scoring.builtin import unscorable
from llmkit.scoring.sacre import Sacre
from llmkit.types import Failure

MAX_WORD_PAIRS = 90_000  # answer words × reference words: 300 × 300 takes sacrebleu up to 5 s


class Ter(Sacre):
    """Translation edit rate (Snover et al., 2006) as sacrebleu computes it, 0 upwards, in percent; lower is better.

    It is a metric of sentences: where the words of answer and reference multiply to more than 90,000 the sample
    is a failure, ``too_long``, for the search over shifts grows faster than their square.
    """

    metric: ClassVar[str] = "ter"
    higher_is_better: ClassVar[bool] = False
    heavy: ClassVar[bool] = True

    normalized: bool = Field(default=False, description="Tercom's normalisation of punctuation and entities.")
    no_punct: bool = Field(default=False, description="Drop punctuation.")
    asian_support: bool = Field(default=False, description="With normalized: split Chinese and Japanese characters.")
    case_sensitive: bool = False

    @property
    def _width(self) -> int:
        return 2

    def _sacrebleu(self) -> Any:
        from sacrebleu.metrics.ter import TER

        return TER(
            normalized=self.normalized,
            no_punct=self.no_punct,
            asian_support=self.asian_support,
            case_sensitive=self.case_sensitive,
        )

    def tokens(self, text: str) -> str:
        """Return the text as it is compared: words joined by single spaces."""
        return str(self._engine.metric.tokenizer(text.rstrip()))

    def _too_long(self, text: str, references: tuple[str, ...]) -> Failure | None:
        over = super()._too_long(text, references)
        if over or len(text) * max(map(len, references)) <= MAX_WORD_PAIRS:
            return over
        words = len(self.tokens(text).split())
        for reference in references:
            target = len(self.tokens(reference).split())
            if words * target > MAX_WORD_PAIRS:
                return unscorable(
                    "too_long", f"ter takes {MAX_WORD_PAIRS:,} pairs of words at most; here are {words:,} × {target:,}"
                )
        return None

    def corpus_value(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map summed (edits, mean reference length) to the rate; edits against empty references alone are 100."""
        totals = np.asarray(totals, dtype=np.float64)
        edits, length = totals[..., 0], totals[..., 1]
        rate = edits / np.where(length > 0, length, 1.0)
        return 100.0 * np.where(length > 0, rate, (edits > 0).astype(np.float64))
