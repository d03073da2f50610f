"""chrf: F-score of character n-grams, over the whole corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from llmkit.scoring.builtin import yes_no
from llmkit.scoring.sacre import Sacre

_EPSILON = 1e-16  # chrF++.py's, as sacrebleu has it


class Chrf(Sacre):
    """chrF (Popović, 2015) as sacrebleu computes it, 0 to 100; ``word_order: 2`` makes it chrF++ (Popović, 2017)."""

    metric: ClassVar[str] = "chrf"
    heavy: ClassVar[bool] = True

    char_order: int = Field(default=6, ge=1, le=10)
    word_order: int = Field(default=0, ge=0, le=10)
    beta: int = Field(default=2, ge=1, le=10, description="How many times recall weighs more than precision.")
    lowercase: bool = False
    whitespace: bool = Field(default=False, description="Spaces count as characters.")
    eps_smoothing: bool = Field(
        default=False,
        description="Every order counts, as in chrF++.py, NLTK and Moses; else those that both texts have.",
    )

    @property
    def _order(self) -> int:
        return self.char_order + self.word_order

    @property
    def _width(self) -> int:
        return 3 * self._order

    def _sacrebleu(self) -> Any:
        from sacrebleu.metrics.chrf import CHRF

        return CHRF(
            char_order=self.char_order,
            word_order=self.word_order,
            beta=self.beta,
            lowercase=self.lowercase,
            whitespace=self.whitespace,
            eps_smoothing=self.eps_smoothing,
        )

    def _parts(self) -> Mapping[str, str]:
        return {**super()._parts(), "beta": str(self.beta), "eps": yes_no(self.eps_smoothing)}

    def corpus_value(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map summed (answer n-grams, reference n-grams, matches) of each order to chrF."""
        totals = np.asarray(totals, dtype=np.float64)
        answer, reference, match = totals[..., 0::3], totals[..., 1::3], totals[..., 2::3]
        precision = np.where(answer > 0, match / np.maximum(answer, 1.0), _EPSILON)
        recall = np.where(reference > 0, match / np.maximum(reference, 1.0), _EPSILON)
        if self.eps_smoothing:
            every: NDArray[np.float64] = 100.0 * self._f_score(precision, recall, _EPSILON).mean(axis=-1)
            return every
        both = (answer > 0) & (reference > 0)
        used = np.maximum(both.sum(axis=-1), 1)
        precision = np.where(both, precision, 0.0).sum(axis=-1) / used
        recall = np.where(both, recall, 0.0).sum(axis=-1) / used
        value: NDArray[np.float64] = 100.0 * self._f_score(precision, recall, 0.0)
        return value

    def _f_score(
        self, precision: NDArray[np.float64], recall: NDArray[np.float64], nothing: float
    ) -> NDArray[np.float64]:
        weight = float(self.beta**2)
        below = weight * precision + recall
        score = (1.0 + weight) * precision * recall / np.where(below > 0, below, 1.0)
        return np.where(below > 0, score, nothing)
