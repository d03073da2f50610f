"""What past runs scored, sample by sample, as plain arrays."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.runs.rows import RunRow, SampleRow
from llmkit.runs.store import Store
from llmkit.scoring import Scorer
from llmkit.scoring.base import CorpusScorer
from llmkit.stats.numbering import numbered
from llmkit.types import Failure, Score

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 500
AMOUNTS = ("failures", "cost", "latency_mean")
"""What every run knows of a sample beside its scores; cost and latency only of calls of its own."""


@dataclass(frozen=True, eq=False)
class Past:
    """One run's samples: row by row, a row a sample in an epoch.

    Attributes:
        run: The run.
        keys: Sample id and epoch.
        clusters: Each row's cluster; None where it has none.
        values: Metric → its value in each row, shape (n,); NaN where there is none. The AMOUNTS stand among them. Of a
            corpus metric they are the jackknife's pseudo-values, whose mean is the metric and whose variance is its
            own (Tukey 1958; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11).
        stats: Corpus metric → sufficient statistics, shape (n, k); NaN where there are none.
        answers: Each row's answer, as the store numbers it; 0 where there is none.
        texts: A hash of each answer's text.
        costs: What each row's answer cost in all, whoever asked for it; NaN where that is unknown.
    """

    run: RunRow
    keys: Sequence[tuple[str, int]]
    clusters: Sequence[str | None]
    values: Mapping[str, Floats]
    stats: Mapping[str, Floats]
    answers: Ints
    texts: Sequence[bytes]
    costs: Floats


@dataclass(frozen=True, eq=False)
class Pairs:
    """The rows that two runs have in common, less those that point to one and the same answer.

    Attributes:
        a: The one.
        b: The other.
        at_a: Row numbers of ``a``.
        at_b: Row numbers of ``b``, in the same order.
    """

    a: Past
    b: Past
    at_a: Ints
    at_b: Ints

    def metric(self, name: str) -> tuple[Floats, Floats, Ints, Ints | None]:
        """Return both sides' values, and sample and cluster numbers, of the pairs that both sides have a value of."""
        a, b = self.a.values[name][self.at_a], self.b.values[name][self.at_b]
        kept = np.isfinite(a) & np.isfinite(b)
        return a[kept], b[kept], self.samples[kept], None if (c := self.clusters) is None else c[kept]

    def statistics(self, name: str) -> tuple[Floats, Floats] | None:
        """Return both sides' sufficient statistics of the pairs that ``metric`` returns; None of other metrics."""
        if name not in self.a.stats or name not in self.b.stats:
            return None
        a, b = self.a.values[name][self.at_a], self.b.values[name][self.at_b]
        kept = np.isfinite(a) & np.isfinite(b)
        return self.a.stats[name][self.at_a][kept], self.b.stats[name][self.at_b][kept]

    @property
    def samples(self) -> Ints:
        """A number for each pair's sample."""
        return numbered([self.a.keys[row][0] for row in self.at_a])

    @property
    def clusters(self) -> Ints | None:
        """A number for each pair's cluster; None where no sample has one."""
        return cluster_codes(self.b, self.at_b)


def read_past(store: Store, run: RunRow, scorers: Sequence[Scorer]) -> Past:
    """Read a run's samples with the scores that it was given then, under the signatures that it has.

    Args:
        store: Where it lies.
        run: The run.
        scorers: Of the metrics wanted; those that the run does not have stay unknown.
    """
    signatures: Mapping[str, str] = run.config["suite"]["scorers"]
    wanted = {s.name: signatures[s.name] for s in scorers if s.name in signatures}
    corpus = {s.name: s for s in scorers if isinstance(s, CorpusScorer) and s.kind == "corpus" and s.name in wanted}
    for name in [name for name in corpus if wanted[name] != corpus[name].signature]:
        del wanted[name]  # statistics of another signature may mean something else
    rows = _Rows(wanted, {name: scorer for name, scorer in corpus.items() if name in wanted})
    samples = store.samples(run.run_id)
    try:
        while chunk := list(itertools.islice(samples, CHUNK)):
            scores = store.find_scores([row.answer.answer_id for row in chunk if row.answer])
            for row in chunk:
                rows.add(row, scores, run.run_id)
    finally:
        samples.close()
    return rows.past(run)


def paired(a: Past, b: Past) -> Pairs:
    """Pair two runs by sample and epoch; answers that both share say nothing of how much two answers differ."""
    place = {key: row for row, key in enumerate(b.keys)}
    found = [(row, place[key]) for row, key in enumerate(a.keys) if key in place]
    at = np.asarray(found, dtype=np.int64).reshape(-1, 2)
    own = (a.answers[at[:, 0]] != b.answers[at[:, 1]]) | (a.answers[at[:, 0]] == 0)
    return Pairs(a, b, at[own, 0], at[own, 1])


def cluster_codes(past: Past, rows: Ints | None = None) -> Ints | None:
    """Return a number for the cluster of each row; a sample without one is a cluster of its own."""
    at = range(len(past.keys)) if rows is None else rows
    names = [past.clusters[row] for row in at]
    if not any(name is not None for name in names):
        return None
    return numbered(
        [f"c{name}" if name is not None else f"s{past.keys[row][0]}" for name, row in zip(names, at, strict=True)]
    )


def pseudo_values(stats: Floats, scorer: CorpusScorer) -> Floats:
    """Return n·θ − (n−1)·θ₋ᵢ for each row of sufficient statistics, shape (n,); NaN for rows without any."""
    found = np.full(len(stats), np.nan)
    scored = np.isfinite(stats).all(axis=1) & (stats.shape[1] > 0)
    rows, n = stats[scored], int(scored.sum())
    if n > 1:
        total = rows.sum(axis=0)
        found[scored] = n * float(scorer.corpus_value(total)) - (n - 1) * scorer.corpus_value(total - rows)
    return found


class _Rows:
    """Collects the rows of a run."""

    def __init__(self, signatures: Mapping[str, str], corpus: Mapping[str, CorpusScorer]) -> None:
        self._signatures, self._corpus = signatures, corpus
        self._keys: list[tuple[str, int]] = []
        self._clusters: list[str | None] = []
        self._answers: list[int] = []
        self._texts: list[bytes] = []
        self._costs: list[float] = []
        self._amounts = [name for name in AMOUNTS if name not in signatures]  # a scorer's name goes before
        self._values: dict[str, list[float]] = {name: [] for name in (*signatures, *self._amounts)}
        self._stats: dict[str, list[tuple[float, ...]]] = {name: [] for name in corpus}

    def add(self, row: SampleRow, scores: Mapping[tuple[int, bytes, str], Score | Failure], run_id: str) -> None:
        answer = row.answer if row.failure is None else None
        self._keys.append((row.sample_id, row.epoch))
        self._clusters.append(row.cluster)
        self._answers.append(answer.answer_id if answer else 0)
        self._texts.append(hashlib.sha256(answer.completion.text.encode()).digest()[:16] if answer else b"")
        cost = None if answer is None else answer.completion.cost_usd
        self._costs.append(np.nan if cost is None else cost)
        own = answer.completion if answer is not None and answer.run_id == run_id else None
        amounts = {
            "failures": float(row.failure is not None),
            "cost": np.nan if own is None or own.cost_usd is None else own.cost_usd,
            "latency_mean": np.nan if own is None or own.seconds is None else own.seconds,
        }
        for name in self._amounts:
            self._values[name].append(amounts[name])
        for name, signature in self._signatures.items():
            score = scores.get((answer.answer_id, row.input or b"", signature)) if answer else None
            scored = score if isinstance(score, Score) else Score(np.nan)
            self._values[name].append(scored.value)
            if name in self._stats:
                self._stats[name].append(scored.stats)

    def past(self, run: RunRow) -> Past:
        values = {name: np.asarray(column, dtype=np.float64) for name, column in self._values.items()}
        stats = {name: _table(column) for name, column in self._stats.items()}
        values |= {name: pseudo_values(table, self._corpus[name]) for name, table in stats.items()}
        answers = np.asarray(self._answers, dtype=np.int64)
        costs = np.asarray(self._costs, dtype=np.float64)
        return Past(run, self._keys, self._clusters, values, stats, answers, self._texts, costs)


def _table(rows: Sequence[tuple[float, ...]]) -> Floats:
    width = max((len(row) for row in rows), default=0)
    return np.asarray([row or (np.nan,) * width for row in rows], dtype=np.float64).reshape(len(rows), width)
