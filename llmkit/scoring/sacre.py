"""What bleu, chrf and ter share: sacrebleu's own statistics for each sample, summed by llmkit.

A corpus metric is a function of summed statistics, never a mean of sentence scores. The statistics come from
sacrebleu (Post, 2018, "A Call for Clarity in Reporting BLEU Scores"); the function is written once more in numpy, so
that a bootstrap takes one call, and tests hold it equal to sacrebleu's.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from llmkit.scoring.base import Item, MetricKind
from llmkit.scoring.builtin import Builtin, unscorable
from llmkit.types import Failure, Score

_FORGET_AFTER = 2_000_000  # characters; sacrebleu remembers 65,536 sentences, which is without bound in bytes


class Sacre(Builtin):
    """A sacrebleu metric. ``value`` is the sentence score, for reading; the figure comes from ``stats``.

    The signature's ``nrefs:var``: the number of references belongs to the data, not to the scorer.
    """

    kind: ClassVar[MetricKind] = "corpus"
    span: ClassVar[float] = 100.0
    longest: ClassVar[int] = 200_000  # characters of a text: a second of work and 100 MB in the worst case

    @abstractmethod
    def _sacrebleu(self) -> Any:
        """Build sacrebleu's own metric."""

    @property
    @abstractmethod
    def _width(self) -> int:
        """How many statistics a sample has."""

    @abstractmethod
    def corpus_value(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map summed statistics, shape (..., k), to the metric, 0 to 100, shape (...)."""

    @cached_property
    def _engine(self) -> _Engine:
        return _Engine(self._sacrebleu())

    def _parts(self) -> Mapping[str, str]:
        self._engine.metric.num_refs = -1
        signature = str(self._engine.metric.get_signature())
        return dict(part.split(":", 1) for part in signature.split("|"))

    def _one(self, item: Item) -> Score | Failure:
        over = self._too_long(item.text, item.references)
        return over or self._scored(item.text, item.references)

    def _too_long(self, text: str, references: tuple[str, ...]) -> Failure | None:
        for name, piece in (("answer", text), *(("reference", reference) for reference in references)):
            if len(piece) > self.longest:
                return unscorable(
                    "too_long",
                    f"{self.metric} takes {self.longest:,} characters at most; the {name} has {len(piece):,}",
                )
        return None

    def _scored(self, text: str, references: tuple[str, ...]) -> Score:
        stats = self._engine.statistics(text, references)
        return Score(self._sentence(stats), stats)

    def _sentence(self, stats: tuple[float, ...]) -> float:
        return float(self.corpus_value(np.asarray(stats, dtype=np.float64)))

    def wrong(self, item: Item) -> Score:
        """Return the score of an empty answer. Without a fit reference it adds nothing to the sums."""
        if not item.references or self._too_long("", item.references):
            zeros = (0.0,) * self._width
            return Score(0.0 if self.higher_is_better else 100.0, zeros)
        return self._scored("", item.references)


class _Engine:
    """One sacrebleu metric, and the care that its caches need."""

    def __init__(self, metric: Any) -> None:
        self.metric = metric
        self._seen = 0

    def statistics(self, text: str, references: tuple[str, ...]) -> tuple[float, ...]:
        streams = [[reference] for reference in references]
        stats = self.metric._extract_corpus_statistics([text], streams)[0]
        self._seen += len(text) + sum(map(len, references))
        if self._seen > _FORGET_AFTER:
            self._forget()
        return tuple(float(value) for value in stats)

    def _forget(self) -> None:
        self._seen = 0
        tokenizer = getattr(self.metric, "tokenizer", None)
        for part in (tokenizer, getattr(tokenizer, "_post_tokenizer", None)):
            clear = getattr(type(part).__call__, "cache_clear", None) if part is not None else None
            if clear is not None:
                clear()
