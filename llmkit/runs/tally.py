"""The tally: what a run keeps in memory of each sample, and the metrics made of it.

A million samples must fit, so no text is kept: a sample costs its index, its value or its sufficient statistics
(whole numbers in 4 bytes), and a code for its cluster and each slice.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmkit.judges.scorer import UNJUDGED, JudgeScorer
from llmkit.runs.passing import Pass, counted, passes_of
from llmkit.runs.records import UNASKED
from llmkit.scoring.base import CorpusScorer, Item, Scorer, bounds_of
from llmkit.scoring.registry import check_names
from llmkit.stats.summary import summarise
from llmkit.types import Failure, Interval, MetricResult, Score

INT32_MAX = 2**31 - 1
NEITHER = UNJUDGED | UNASKED
"""Kinds of failures that say nothing of the answer, so that it is not wrong in any reading: a judge's."""
Part = tuple[str, str]
"""A slice's name and one of its values."""


@dataclass(frozen=True)
class Said:
    """What one judge said of a part of the samples.

    Attributes:
        values: Of its verdicts, shape (n,).
        clusters: Of the same samples; None where each is its own, and was asked once.
        words: How often it said what, and how often it said nothing: kinds of failures.
    """

    values: NDArray[np.float64]
    clusters: NDArray[np.int64] | None
    words: Mapping[str, int]


class Numbers:
    """A growing row-major table of numbers: 4 bytes each while all are whole, else 8."""

    def __init__(self) -> None:
        self._data: array[Any] = array("i")

    def extend(self, values: Sequence[float]) -> None:
        """Append one row."""
        if self._data.typecode == "i":
            if all(v == (whole := int(v)) and -INT32_MAX <= whole <= INT32_MAX for v in values):
                self._data.extend(map(int, values))
                return
            self._data = array("d", self._data)
        self._data.extend(values)

    def table(self, rows: int) -> NDArray[np.float64]:
        """Return the numbers as (rows, k)."""
        return np.asarray(self._data, dtype=np.float64).reshape(rows, -1)


class Codes:
    """Text values as small whole numbers, in order of first sight."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}

    def code(self, name: str | None) -> int:
        """Return the code of ``name``; -1 for none."""
        return -1 if name is None else self.names.setdefault(name, len(self.names))

    def ranks(self) -> NDArray[np.int64]:
        """Return each code's place in the order of the names, which does not depend on what was seen first."""
        places = np.empty(len(self.names), dtype=np.int64)
        places[[self.names[name] for name in sorted(self.names)]] = np.arange(len(self.names))
        return places


class _Column:
    """One metric's scored rows."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self.rows = array("i")  # row numbers of the tally
        self.numbers = Numbers()
        self._sums: list[float] = []

    def add(self, row: int, score: Score) -> None:
        values = score.stats if self.scorer.kind == "corpus" else (score.value,)
        self.rows.append(row)
        self.numbers.extend(values)
        self._sums = [a + b for a, b in zip(self._sums, values, strict=True)] if self._sums else list(values)

    def running(self) -> float:
        """Return the metric so far, from running sums: a progress line must not cost a pass over the data."""
        if self.scorer.kind == "corpus":
            return float(_value_of(self.scorer)(np.asarray(self._sums)))
        return self._sums[0] / len(self.rows)


class Tally:
    """Collects outcomes in any order; its results do not depend on that order.

    Args:
        scorers: One metric each.
        slices: Names of the slices to report by.
        seed: Of the bootstrap.
        pass_k: For which k pass@k and pass^k are made of the metrics whose values are right or wrong.
        epochs: Answers to each sample.
    """

    def __init__(
        self,
        scorers: Sequence[Scorer],
        slices: Sequence[str] = (),
        *,
        seed: int = 0,
        pass_k: Sequence[int] = (),
        epochs: int = 1,
    ) -> None:
        check_names(scorers)
        self._passes = {s.name: passes_of(s, pass_k, epochs) for s in scorers}
        self._scorers = scorers
        self._seed = seed
        self._index, self._epoch, self._cluster = array("i"), array("i"), array("i")
        self._clusters = Codes()
        self._slices = {name: (Codes(), array("i")) for name in slices}
        self._scored = {s.name: _Column(s) for s in scorers}
        self._wrong = {s.name: _Column(s) for s in scorers}
        self._unreadable = {s.name: array("i") for s in scorers}  # row numbers, as of a _Column
        self._overflowed = array("i")  # row numbers
        self._words = {s.name: (Codes(), array("h")) for s in scorers if isinstance(s, JudgeScorer)}

    def add(
        self,
        index: int,
        epoch: int,
        scores: Mapping[str, Score | Failure],
        item: Item,
        cluster: str | None = None,
        slices: Mapping[str, str] | None = None,
        *,
        overflowed: bool = False,
    ) -> None:
        """Take one sample of one epoch; a metric without a ``Score`` is a failure of that metric.

        ``overflowed`` says that it has no answer because its prompt is longer than the model's context.
        """
        row = len(self._index)
        if overflowed:
            self._overflowed.append(row)
        self._index.append(index)
        self._epoch.append(epoch)
        self._cluster.append(self._clusters.code(cluster))
        for name, (codes, column) in self._slices.items():
            column.append(codes.code((slices or {}).get(name)))
        for scorer in self._scorers:
            score = scores.get(scorer.name)
            if scorer.name in self._words:
                said, words = self._words[scorer.name]
                words.append(said.code(_word(score)))
            if isinstance(score, Score):
                self._scored[scorer.name].add(row, score)
            elif not _neither(score) and (wrong := _wrong(scorer, item)) is not None:
                self._wrong[scorer.name].add(row, wrong)
            else:
                self._unreadable[scorer.name].append(row)

    def running(self) -> tuple[str, float] | None:
        """Return the first metric over what has been scored so far."""
        if not self._scorers or not (column := self._scored[self._scorers[0].name]).rows:
            return None
        return column.scorer.name, column.running()

    def results(self) -> dict[str, MetricResult]:
        """Return every metric, with its interval, failures and slices."""
        order = np.lexsort((np.asarray(self._epoch), np.asarray(self._index)))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        found: dict[str, MetricResult] = {}
        for scorer in self._scorers:
            for made in (None, *self._passes[scorer.name]):
                whole = self._metric(scorer, place, None, made)
                parts = {
                    name: {
                        value: self._metric(scorer, place, np.asarray(column) == code, made)
                        for value, code in sorted(codes.names.items())
                    }
                    for name, (codes, column) in self._slices.items()
                }
                found[whole.name] = _with_slices(whole, parts)
        return found

    def said(self, judge: str, part: Part | None = None) -> Said:
        """Return what a judge said of all samples, or of a part of them.

        Args:
            judge: The name of its metric.
            part: A slice and its value.
        """
        mask: NDArray[np.bool_] | None = None
        if part is not None:
            codes, column = self._slices[part[0]]
            mask = np.asarray(column) == codes.names[part[1]]
        said, words = self._words[judge]
        kept = np.asarray(words) if mask is None else np.asarray(words)[mask]
        scored = self._scored[judge]
        within = _within(scored.rows, mask)
        rows = np.asarray(scored.rows, dtype=np.int64)[within]
        values = scored.numbers.table(len(scored.rows))[within].reshape(-1) if len(rows) else np.empty(0)
        index = np.asarray(self._index)[rows]
        clusters = self._clusters_of(rows, index)
        if clusters is None and len(np.unique(index)) < len(index):
            clusters = index.astype(np.int64)
        return Said(values, clusters, {name: int(np.count_nonzero(kept == code)) for name, code in said.names.items()})

    def _metric(
        self, scorer: Scorer, place: NDArray[np.int64], part: NDArray[np.bool_] | None, made: Pass | None
    ) -> MetricResult:
        scored, wrong = self._scored[scorer.name], self._wrong[scorer.name]
        value, interval, n = self._summary(scorer, [scored], place, part, made)
        failed = int(np.count_nonzero(_within(wrong.rows, part)))
        unreadable = int(np.count_nonzero(_within(self._unreadable[scorer.name], part)))
        both, both_interval = value, None
        if unreadable:
            both = None
        elif failed:
            both, both_interval, _ = self._summary(scorer, [scored, wrong], place, part, made)
        signature = scorer.signature + (f"|over:{made.word}" if made else "")
        signature = f"{signature}|ci:{interval.method if interval else 'none'}"
        return MetricResult(
            made.name(scorer.name) if made else scorer.name, value, interval, n, failed + unreadable, both,
            f"{signature}|seed:{self._seed}" if scorer.kind == "corpus" else signature,
            scorer.higher_is_better, interval_failures_wrong=both_interval,
            overflowed=int(np.count_nonzero(_within(self._overflowed, part))),
        )  # fmt: skip

    def _summary(
        self,
        scorer: Scorer,
        columns: Sequence[_Column],
        place: NDArray[np.int64],
        part: NDArray[np.bool_] | None,
        made: Pass | None,
    ) -> tuple[float | None, Interval | None, int]:
        kept = [(c, _within(c.rows, part)) for c in columns if c.rows]
        if not any(mask.any() for _, mask in kept):
            return None, None, 0
        rows = np.concatenate([np.asarray(c.rows)[mask] for c, mask in kept])
        table = np.concatenate([c.numbers.table(len(c.rows))[mask] for c, mask in kept])
        order = np.argsort(place[rows], kind="stable")
        rows, table = rows[order].astype(np.int64), table[order]
        index = np.asarray(self._index)[rows]
        if made is not None and made.k > 1:  # pass@1 is the metric itself, its interval included
            lost = np.concatenate([np.full(mask.sum(), column is not columns[0]) for column, mask in kept])[order]
            return self._together(made, rows, table[:, 0], index, lost)
        corpus = scorer.kind == "corpus"
        return summarise(
            scorer.kind,
            None if corpus else table[:, 0],
            table if corpus else None,
            _value_of(scorer) if corpus else None,
            index,
            self._clusters_of(rows, index),
            seed=self._seed,
            bounds=bounds_of(scorer),
        )

    def _together(
        self,
        made: Pass,
        rows: NDArray[np.int64],
        values: NDArray[np.float64],
        index: NDArray[np.int32],
        lost: NDArray[np.bool_],
    ) -> tuple[float | None, Interval | None, int]:
        """Summarise what the answers to each sample say together; those with fewer than k answers are out.

        But where all its answers failed, and that is read as wrong, a sample has none of k right, whatever k is.
        """
        samples, first = np.unique(index, return_index=True)
        answers, right = counted(index, values)
        _, failed = counted(index, lost.astype(np.float64))
        each = made.values(answers, right)
        each = np.where(np.isnan(each) & (failed == answers), 0.0, each)
        enough = ~np.isnan(each)
        clusters = self._clusters_of(rows[first][enough], samples[enough])
        return summarise("mean", each[enough], clusters=clusters, bounds=(0.0, 1.0))

    def _clusters_of(self, rows: NDArray[np.int64], index: NDArray[np.int32]) -> NDArray[np.int64] | None:
        """Return each row's cluster; a sample without one is a cluster of its own."""
        if not self._clusters.names:
            return None
        codes = np.asarray(self._cluster, dtype=np.int64)[rows]
        return np.where(codes < 0, len(self._clusters.names) + index, self._clusters.ranks()[codes])


def _neither(score: Score | Failure | None) -> bool:
    return isinstance(score, Failure) and score.kind in NEITHER


def _word(score: Score | Failure | None) -> str | None:
    return score.answer if isinstance(score, Score) else score.kind if score is not None else None


def _within(numbers: array[int], part: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    rows = np.asarray(numbers, dtype=np.int64)
    return np.ones(len(rows), dtype=bool) if part is None else part[rows]


def _value_of(scorer: Scorer) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    if not isinstance(scorer, CorpusScorer):
        raise TypeError(f"scorer {scorer.name} is of kind corpus but has no corpus_value")
    return scorer.corpus_value


def _wrong(scorer: Scorer, item: Item) -> Score | None:
    """Return the failure read as a wrong answer; None where even that is unknown (a row without references)."""
    if scorer.needs_references and not item.references:
        return None if scorer.kind == "corpus" else scorer.wrong(item)
    return scorer.wrong(item)


def _with_slices(whole: MetricResult, parts: Mapping[str, Mapping[str, MetricResult]]) -> MetricResult:
    from dataclasses import replace

    return replace(whole, slices=parts) if parts else whole
