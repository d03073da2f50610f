"""What wer and cer share: edits against the closest reference, summed over the corpus."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from llmkit.scoring.base import Item, MetricKind
from llmkit.scoring.builtin import unscorable
from llmkit.scoring.normalize import TextOptions
from llmkit.types import Failure, Score

MAX_PAIRS = 100_000_000  # answer units × reference units: 10,000 × 10,000 takes jiwer 25 MB and 0.1 s


class ErrorRate(TextOptions):
    """Substitutions, deletions and insertions over the reference's length, 0 upwards; lower is better.

    With several references the sample counts with the one that gives the lowest rate. Against an empty reference
    every unit of the answer is an error, and the rate is their number, as jiwer has it.
    """

    kind: ClassVar[MetricKind] = "corpus"
    higher_is_better: ClassVar[bool] = False
    heavy: ClassVar[bool] = True
    unit: ClassVar[str]

    def _parts(self) -> Mapping[str, str]:
        from importlib.metadata import version

        return {**self._text_parts(), "unit": self.unit, "refs": "closest", "jiwer": version("jiwer")}

    @abstractmethod
    def _count(self, text: str) -> int:
        """Return the number of the text's units."""

    @abstractmethod
    def _align(self, reference: str, text: str) -> Any:
        """Align two texts; returns what jiwer counts."""

    def _one(self, item: Item) -> Score | Failure:
        text = self.normal(item.text)
        size = self._count(text)
        best: tuple[float, int, int] | None = None
        for reference in item.references:
            target = self.normal(reference)
            length = self._count(target)
            if size * length > MAX_PAIRS:
                return unscorable(
                    "too_long",
                    f"{self.metric} takes {MAX_PAIRS:,} pairs of {self.unit}s at most; here are {size:,} × {length:,}",
                )
            counts = self._align(target, text)
            edits = counts.substitutions + counts.deletions + counts.insertions
            rated = (edits / length if length else float(edits), edits, length)
            best = rated if best is None else min(best, rated)
        assert best is not None, "the batch loop passes only items with a reference"
        return Score(best[0], (float(best[1]), float(best[2])))

    def wrong(self, item: Item) -> Score:
        """Return the score of an empty answer; without a reference it adds nothing to the sums."""
        lengths = [self._count(self.normal(reference)) for reference in item.references]
        if not lengths:
            return Score(1.0, (0.0, 0.0))
        shortest = float(min(lengths))
        return Score(1.0 if shortest else 0.0, (shortest, shortest))

    def corpus_value(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map summed (edits, reference length) to the rate."""
        totals = np.asarray(totals, dtype=np.float64)
        return totals[..., 0] / np.maximum(totals[..., 1], 1.0)
