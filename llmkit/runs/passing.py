"""pass@k and pass^k: what several answers to one sample say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.judges.scorer import JudgeScorer
from llmkit.scoring.base import Scorer
from llmkit.stats.passk import pass_at_k, pass_hat_k


@dataclass(frozen=True, slots=True)
class Pass:
    """How the answers to a sample become one value.

    Attributes:
        k: Answers looked at.
        every: Whether all of them must be right (pass^k), and not one at least (pass@k).
    """

    k: int
    every: bool = False

    @property
    def word(self) -> str:
        """``pass@k``, ``pass^k``."""
        return f"pass{'^' if self.every else '@'}{self.k}"

    def name(self, metric: str) -> str:
        """Return the name of the metric that is made of ``metric``."""
        return f"{metric}_{self.word}"

    def values(self, answers: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each sample's value, shape (n,); NaN where it has fewer than k answers.

        Args:
            answers: To each sample, shape (n,).
            right: Of them, shape (n,).
        """
        return (pass_hat_k if self.every else pass_at_k)(answers, right, self.k)


def passes_of(scorer: Scorer, ks: Sequence[int], epochs: int) -> tuple[Pass, ...]:
    """Return what is made of a scorer's values: nothing unless each is right or wrong by itself.

    A judge's verdicts are left out: the correction of its raw rate knows nothing of several answers together. A k
    beyond the epochs is left out, too: fewer answers than k say nothing unbiased of k of them.

    Args:
        scorer: The metric.
        ks: As the suite or the user lists them.
        epochs: Answers to each sample.
    """
    if scorer.kind != "proportion" or isinstance(scorer, JudgeScorer):
        return ()
    asked = [k for k in ks if k <= epochs]
    return (*(Pass(k) for k in asked), *(Pass(k, every=True) for k in asked if k > 1))


def metrics_of(scorer: Scorer, ks: Sequence[int], epochs: int) -> tuple[str, ...]:
    """Return the name of a scorer's metric, and of those that are made of it. Arguments as of ``passes_of``."""
    return (scorer.name, *(made.name(scorer.name) for made in passes_of(scorer, ks, epochs)))


def counted(index: NDArray[np.int32], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many values each sample has, and how many of them are 1, in the order of the samples' indexes."""
    _, place = np.unique(index, return_inverse=True)
    return np.bincount(place).astype(np.float64), np.bincount(place, weights=values).astype(np.float64)
