"""What both sides' answers say of each gating metric: pairs, in the order of the looks.

The rule for what failed is one, and the same on both sides (``RULE``); it is fixed before anything is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmkit.gate.order import Unit
from llmkit.judges.scorer import CANNOT_TELL, NO_VERDICT, UNJUDGED
from llmkit.runs.grade import item_of
from llmkit.runs.records import JUDGE_FAILED, NOT_JUDGED, NOT_STORED, Outcome
from llmkit.runs.state import OWN_DOING
from llmkit.scoring.base import Scorer
from llmkit.stats.sequential.series import Series
from llmkit.suites.gating import Gating
from llmkit.types import Failure, Score
from llmkit.verdicts import Unjudged

Floats = NDArray[np.float64]
SideName = Literal["base", "head"]

RULE = (
    "an answer that cannot be parsed counts as wrong; a pair of which one side has no answer, or a scorer that "
    "crashed, is left out of the metric; `failures` counts both"
)
JUDGED_RULE = "a pair of which one side has no verdict of the judge is left out of that metric alone, and counted"


@dataclass(slots=True)
class Row:
    """What is kept of one sample in one epoch on one side: no text.

    Attributes:
        values: Scorer → value and sufficient statistics; what is not in it has no score.
        unjudged: Scorer → why its judge gave no verdict: ``cannot_tell``, ``no_verdict``.
        usable: Whether there is an answer, and every scorer could read it.
        cost: Dollars; None where it is unknown or there is no answer.
        latency: Seconds, of a call that this gate made; None otherwise.
    """

    values: dict[str, tuple[float, tuple[float, ...]]] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)
    usable: bool = False
    answered: bool = False
    cost: float | None = None
    latency: float | None = None


@dataclass(frozen=True)
class Measured:
    """One metric over the pairs so far.

    Attributes:
        series: For the sequential test.
        base: Base's value over the pairs; None where there are none.
        head: Head's.
        within: The noise within samples in the difference of one answer a side; None where each was asked once.
        reason: Why nothing can be said of it at all.
    """

    series: Series
    base: float | None
    head: float | None
    within: float | None = None
    reason: str | None = None


class Evidence:
    """Collects both sides' outcomes, and turns them into series of pairs.

    Args:
        scorers: The suite's.
        epochs: How often each sample is asked.
    """

    def __init__(self, scorers: Sequence[Scorer], epochs: int) -> None:
        self._scorers, self._epochs = scorers, epochs
        self._rows: dict[SideName, dict[tuple[int, int], Row]] = {"base": {}, "head": {}}
        self._not_stored: dict[SideName, list[tuple[str, int, str]]] = {"base": [], "head": []}
        self.served: dict[SideName, set[str]] = {"base": set(), "head": set()}  # which models answered each side

    def take(self, side: SideName, run_id: str, outcomes: Iterable[Outcome]) -> None:
        """Take scored outcomes of one side."""
        rows = self._rows[side]
        for outcome in outcomes:
            kinds = {name: score.kind for name, score in outcome.scores.items() if isinstance(score, Failure)}
            self._not_stored[side] += [
                (outcome.sample_id or "", outcome.epoch, name) for name, kind in kinds.items() if kind == NOT_STORED
            ]
            if NOT_JUDGED in kinds.values():  # the money ran out before: asked in part is not asked
                continue
            rows[outcome.index, outcome.epoch] = self._row(outcome, run_id)
            if outcome.answer is not None and (model := outcome.answer.completion.served_model) is not None:
                self.served[side].add(model)

    def not_stored(self, side: SideName) -> list[tuple[str, int, str]]:
        """Return sample, epoch and scorer of the verdicts that are not stored, where no call may be made."""
        return self._not_stored[side]

    def complete(self, units: Sequence[Unit]) -> int:
        """Return how many of the first units were asked in full on both sides.

        Where a budget runs out, only these count: which answers came first says something of the answers.
        """
        base, head = self._rows["base"], self._rows["head"]
        for count, unit in enumerate(units):
            keys = ((s.index, e) for s in unit.samples for e in range(1, self._epochs + 1))
            if any(key not in base or key not in head for key in keys):
                return count
        return len(units)

    def unanswered(self, units: Sequence[Unit]) -> int:
        """Count the pairs, a sample in an epoch, of which a side has no answer."""
        return sum(not (base.answered and head.answered) for base, head in self._pairs(units))

    def unusable(self, units: Sequence[Unit]) -> tuple[int, int]:
        """Count the pairs of which base alone, and those of which head alone, has no usable answer."""
        pairs = list(self._pairs(units))
        return sum(h.usable and not b.usable for b, h in pairs), sum(b.usable and not h.usable for b, h in pairs)

    def unjudged(
        self, scorer: str, units: Sequence[Unit], part: tuple[str, str] | None = None
    ) -> tuple[Unjudged, Unjudged, tuple[int, int]]:
        """Count the answers without a verdict, on base and on head; and the pairs of which one side alone has none.

        Only pairs count that both sides answered: base alone has no verdict, head alone has none.

        Args:
            scorer: The judge's metric.
            units: What was asked.
            part: Name and value of the slice to keep to; None: the whole.
        """
        pairs = [(b, h) for b, h in self._pairs(units, part) if b.answered and h.answered]
        sides = []
        for rows in ([b for b, _ in pairs], [h for _, h in pairs]):
            why = [row.unjudged.get(scorer) for row in rows]
            sides.append(Unjudged(len(rows), why.count(CANNOT_TELL), why.count(NO_VERDICT)))
        base = sum(scorer in b.unjudged and scorer in h.values for b, h in pairs)
        head = sum(scorer in h.unjudged and scorer in b.values for b, h in pairs)
        return sides[0], sides[1], (base, head)

    def _pairs(self, units: Sequence[Unit], part: tuple[str, str] | None = None) -> Iterator[tuple[Row, Row]]:
        base, head = self._rows["base"], self._rows["head"]
        for unit in units:
            for sample in unit.samples:
                if part is not None and sample.slices.get(part[0]) != part[1]:
                    continue
                for epoch in range(1, self._epochs + 1):
                    yield base[sample.index, epoch], head[sample.index, epoch]

    def measure(
        self, gating: Gating, units: Sequence[Unit], looks: Sequence[int], part: tuple[str, str] | None = None
    ) -> Measured:
        """Return one metric over ``units``, all of them asked.

        Args:
            gating: The metric.
            units: In order.
            looks: Units at each look, ascending; the last is all of them.
            part: Name and value of the slice to keep to; None: the whole.
        """
        column = _Column(gating, self._epochs, part)
        numbers: list[int] = []
        for number, unit in enumerate(units):
            taken = column.unit(unit, self._rows["base"], self._rows["head"])
            numbers += [number] * taken
        counts = tuple(int(np.searchsorted(numbers, look)) for look in looks)
        return column.measured(attempted=len(units), counts=counts)

    def _row(self, outcome: Outcome, run_id: str) -> Row:
        if outcome.failure is not None or outcome.answer is None:
            return Row()
        completion = outcome.answer.completion
        fresh = outcome.answer.run_id == run_id
        row = Row(usable=True, answered=True, cost=completion.cost_usd, latency=completion.latency_s if fresh else None)
        for scorer in self._scorers:
            score = outcome.scores.get(scorer.name)
            if isinstance(score, Failure) and score.kind in UNJUDGED:
                row.unjudged[scorer.name] = score.kind
            elif isinstance(score, Failure) and score.kind == JUDGE_FAILED:  # nobody's answer is worse for it
                row.unjudged[scorer.name] = NO_VERDICT
            elif isinstance(score, Failure):
                row.usable = False
                score = scorer.wrong(item_of(outcome)) if score.kind in OWN_DOING else None
            if isinstance(score, Score):
                row.values[scorer.name] = (score.value, score.stats)
        return row


class _Column:
    """One metric's pairs, a unit at a time."""

    def __init__(self, gating: Gating, epochs: int, part: tuple[str, str] | None) -> None:
        self._gating, self._epochs, self._part = gating, epochs, part
        self._corpus = gating.scorer is not None and gating.scorer.kind == "corpus"
        self._base: list[Sequence[float]] = []
        self._head: list[Sequence[float]] = []
        self._sums: list[tuple[Sequence[float], Sequence[float], int]] = []  # per unit: sums over samples, and how many
        self._noise: list[float] = []  # of samples that were asked several times
        self._unknown = 0

    def unit(self, unit: Unit, base: dict[tuple[int, int], Row], head: dict[tuple[int, int], Row]) -> int:
        """Take one unit; returns 1 where it counts."""
        pairs = []
        for sample in unit.samples:
            if self._part is not None and sample.slices.get(self._part[0]) != self._part[1]:
                continue
            both = []
            for epoch in range(1, self._epochs + 1):
                one, two = self._value(base[sample.index, epoch]), self._value(head[sample.index, epoch])
                if one is not None and two is not None:
                    both.append((one, two))
            if both:
                answers = np.asarray(both, dtype=np.float64)
                pairs.append(answers.mean(axis=0))
                if len(both) > 1 and not self._corpus:
                    self._noise.append(float(answers[..., 0].var(axis=0, ddof=1).sum()))
        if not pairs:
            return 0
        total = np.sum(pairs, axis=0)
        self._sums.append((total[0], total[1], len(pairs)))
        return 1

    def _value(self, row: Row) -> Sequence[float] | None:
        kind = self._gating.kind
        if kind == "failures":
            return (0.0 if row.usable else 1.0,)
        if kind == "score":
            found = row.values.get(self._gating.name)
            return None if found is None else found[1] if self._corpus else (found[0],)
        amount = row.latency if kind == "latency" else row.cost
        again = row.values.get(self._gating.name)
        if amount is None or (kind == "retries" and again is None):
            self._unknown += row.answered
            return None
        return (again[0], amount) if kind == "retries" and again is not None else (amount,)

    def measured(self, attempted: int, counts: tuple[int, ...]) -> Measured:
        """Return what was taken."""
        count = len(self._sums)
        base = np.array([b for b, _, _ in self._sums], dtype=np.float64).reshape(count, -1 if count else 1)
        head = np.array([h for _, h, _ in self._sums], dtype=np.float64).reshape(count, -1 if count else 1)
        sizes = np.array([n for _, _, n in self._sums], dtype=np.float64)
        values = self._values(base, head, sizes)
        if self._gating.kind == "retries" and count:
            # What base costs, and what it would with head's retries: their quotient is 1 + the rise over base's cost.
            base, head = base[:, 1:], base[:, 1:] + head[:, :1] - base[:, :1]
        span = 1.0
        if self._gating.quantile is not None:
            base, head = base[:, 0] / sizes, head[:, 0] / sizes
        elif len(sizes):
            if not self._corpus:
                # Totals over the mean size: clusters of unequal size leave the metric the mean over samples.
                base, head = base[:, 0] / sizes.mean(), head[:, 0] / sizes.mean()
            span = float((sizes**2).mean() / sizes.mean() ** 2)  # `unit_span`, of the samples that count
        series = Series(base=base, head=head, attempted=attempted, counts=counts, span=span)
        within = sum(self._noise) / len(self._noise) if self._noise else None
        return Measured(series, *values, within, self._reason())

    def _values(self, base: Floats, head: Floats, sizes: Floats) -> tuple[float | None, float | None]:
        """Return the metric of each side over the pairs, each sample weighing the same."""
        if not len(sizes):
            return None, None
        gating = self._gating
        if self._corpus:
            value = gating.scorer.corpus_value  # type: ignore[union-attr]
            return float(value(base.sum(axis=0))), float(value(head.sum(axis=0)))
        if gating.quantile is not None:
            one, two = base[:, 0] / sizes, head[:, 0] / sizes
            return float(np.quantile(one, gating.quantile)), float(np.quantile(two, gating.quantile))
        return float(base[:, 0].sum() / sizes.sum()), float(head[:, 0].sum() / sizes.sum())

    def _reason(self) -> str | None:
        if not self._unknown:
            return None
        if self._gating.priced:
            return "the price of some answers is unknown: give it in llmkit.toml under [prices]"
        return "some answers are of an earlier run, and only calls made side by side can be timed: use --no-cache"
