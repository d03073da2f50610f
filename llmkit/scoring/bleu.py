"""bleu: n-gram precision with a brevity penalty, over the whole corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from llmkit.scoring.builtin import yes_no
from llmkit.scoring.sacre import Sacre

_DEFAULT_SMOOTHING = {"floor": 0.1, "add-k": 1.0}  # Chen and Cherry, 2014, as sacrebleu takes them
_LOG_OF_ZERO = -9999999999.0  # sacrebleu's floor of the logarithm


class Bleu(Sacre):
    """BLEU (Papineni et al., 2002) as sacrebleu computes it, 0 to 100.

    A sample's own value always uses the effective order: without it a text of fewer than ``max_ngram_order`` words
    has no BLEU at all. The corpus figure uses it only where ``effective_order`` says so, as sacrebleu does.
    """

    metric: ClassVar[str] = "bleu"

    tokenize: Literal["13a", "intl", "char", "zh", "none"] = Field(
        default="13a", description="sacrebleu's tokenizer; those that must be downloaded are left out."
    )
    lowercase: bool = False
    smooth_method: Literal["exp", "floor", "add-k", "none"] = "exp"
    smooth_value: float | None = Field(default=None, ge=0, description="For floor (default 0.1) and add-k (default 1).")
    max_ngram_order: int = Field(default=4, ge=1, le=10)
    effective_order: bool = Field(
        default=False, description="Leave out the orders of which the answers have no n-gram."
    )

    @property
    def _width(self) -> int:
        return 2 + 2 * self.max_ngram_order

    def _sacrebleu(self) -> Any:
        from sacrebleu.metrics.bleu import BLEU

        return BLEU(
            tokenize=self.tokenize,
            lowercase=self.lowercase,
            smooth_method=self.smooth_method,
            smooth_value=self.smooth_value,
            max_ngram_order=self.max_ngram_order,
            effective_order=self.effective_order,
            force=True,
        )

    def _parts(self) -> Mapping[str, str]:
        return {**super()._parts(), "order": str(self.max_ngram_order), "sentence-eff": yes_no(True)}

    def _sentence(self, stats: tuple[float, ...]) -> float:
        return float(self._value(np.asarray(stats, dtype=np.float64), effective=True))

    def corpus_value(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map summed (answer length, reference length, matches by order, n-grams by order) to BLEU."""
        return self._value(np.asarray(totals, dtype=np.float64), effective=self.effective_order)

    def _value(self, totals: NDArray[np.float64], *, effective: bool) -> NDArray[np.float64]:
        order = self.max_ngram_order
        matches, counts = totals[..., 2 : 2 + order], totals[..., 2 + order :]
        some = matches.any(axis=-1)
        if self.smooth_method == "add-k":
            plus = np.where(np.arange(order) > 0, self._smoothing, 0.0)
            matches, counts = matches + plus, counts + plus
        there = np.logical_and.accumulate(counts > 0, axis=-1)  # sacrebleu stops at the first order without n-grams
        precisions = self._precisions(matches, counts, there)
        logs = np.where(precisions > 0, np.log(np.where(precisions > 0, precisions, 1.0)), _LOG_OF_ZERO)
        used = np.maximum(there.sum(axis=-1), 1) if effective else order
        mean = np.where(there | (not effective), logs, 0.0).sum(axis=-1) / used
        return np.where(some, np.minimum(_brevity(totals[..., 0], totals[..., 1]) * np.exp(mean), 100.0), 0.0)

    @property
    def _smoothing(self) -> float:
        return _DEFAULT_SMOOTHING.get(self.smooth_method, 0.0) if self.smooth_value is None else self.smooth_value

    def _precisions(
        self, matches: NDArray[np.float64], counts: NDArray[np.float64], there: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        empty = there & (matches == 0)
        shown = matches
        if self.smooth_method == "exp":
            shown = np.where(empty, np.exp2(-np.cumsum(empty, axis=-1)), matches)
        elif self.smooth_method == "floor":
            shown = np.where(empty, self._smoothing, matches)
        return np.where(there, 100.0 * shown / np.where(there, counts, 1.0), 0.0)


def _brevity(length: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    short = length < reference
    ratio = np.where(short, reference, 1.0) / np.where(short & (length > 0), length, 1.0)
    return np.where(short, np.where(length > 0, np.exp(1.0 - ratio), 0.0), 1.0)
