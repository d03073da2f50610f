"""What items to label are drawn from: a stored run, two runs side by side, or a file of rows. Read as a stream."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from llmkit.errors import DataError, UnknownNameError, UsageError
from llmkit.judges.items import OWN, subject_of_values
from llmkit.judges.split import position
from llmkit.judges.subject import Subject, subject_of_answer
from llmkit.runs.export import scored, setup_of, signatures_of
from llmkit.runs.grade import item_of
from llmkit.runs.lock import as_seen
from llmkit.runs.outcome import outcome_of
from llmkit.runs.rows import RunRow, SampleRow
from llmkit.runs.store import Store
from llmkit.samples.source import Source
from llmkit.text import quoted
from llmkit.types import BadRow, Failure, Score


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that may be drawn.

    Attributes:
        subject: What would be labelled; its id unique within the pool.
        counted: The same as a scorer sees it, by which populations are recognised.
        value: What items are told apart by, the better the higher; None where it failed.
    """

    subject: Subject
    counted: Subject
    value: float | None = None


class Pool(Protocol):
    """Where items are drawn from; it can be read again, in the same order."""

    @property
    def by(self) -> str | None:
        """What items can be told apart by; None where there is nothing."""
        ...

    @property
    def models(self) -> tuple[str, ...]:
        """Whose answers they are, as ``provider/model``; none where nobody knows."""
        ...

    def population(self) -> Mapping[str, str]:
        """Return ``{run: …}`` or ``{data: …}``, as a definition names it."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Stream what may be drawn.

        Raises:
            LlmkitError: It cannot be read.
        """
        ...

    def notes(self) -> tuple[str, ...]:
        """Return what the user should know, once it has been read."""
        ...


class RunPool:
    """The answered samples of a stored run.

    Args:
        store: Where it lies.
        name: Its id, the start of it, ``latest`` or ``latest~N``.
        by: The scorer by which items are told apart; None: the run's first.

    Raises:
        UsageError: No such run, or several; the run has no such scorer.
    """

    def __init__(self, store: Store, name: str, by: str | None) -> None:
        self._store = store
        self._run = as_seen(store.run(name), store.path.parent)
        self.by, self.models = scorer_of(self._run, by), (self._run.model,)
        self._epochs = self._run.config["epochs"]
        better = setup_of(self._run)["higher_is_better"]
        self._sign = 1.0 if self.by is None or better.get(self.by, True) else -1.0
        self._unanswered = 0

    def population(self) -> Mapping[str, str]:
        """Return the run's id."""
        return {"run": self._run.run_id}

    def entries(self) -> Iterator[Entry]:
        """Stream the answered samples, in the data set's order."""
        self._unanswered = 0
        for sample, scores in scored(self._store, self._run):
            if sample.answer is None or sample.input is None:
                self._unanswered += 1
                continue
            counted = _subject(sample)
            value = _value(scores.get(self.by) if self.by else None)
            yield Entry(_named(counted, sample, self._epochs), counted, None if value is None else self._sign * value)

    def notes(self) -> tuple[str, ...]:
        """Say where the run is not whole."""
        found = []
        if self._run.status != "completed":
            found.append(f"the run {self._run.run_id} is {self._run.status}: the population is what it has answered")
        if self._unanswered:
            found.append(f"samples without an answer are no items: {self._unanswered}")
        return tuple(found)


class PairPool:
    """The samples that two runs have both answered, the two answers in an order drawn for each.

    Args:
        store: Where the runs lie.
        first: One run's name.
        second: The other's.
        by: The scorer by which the two are told apart; None: the first one that both have.
        seed: Of the order.

    Raises:
        UsageError: No such run, or several; the same run twice; no such scorer.
    """

    def __init__(self, store: Store, first: str, second: str, by: str | None, seed: int) -> None:
        self._store = store
        self._runs = tuple(as_seen(store.run(name), store.path.parent) for name in (first, second))
        if self._runs[0].run_id == self._runs[1].run_id:
            raise UsageError(f"{first!r} and {second!r} are the same run", where="--against", hint="Name another")
        other = signatures_of(self._runs[1])
        self.by = scorer_of(self._runs[0], by, among=other if by is None else None)
        if self.by is not None and self.by not in other:
            raise UnknownNameError(f"scorer of {second!r}", self.by, other, where="--by")
        self.models = tuple(run.model for run in self._runs)
        self._seed = seed
        self._alone = self._unlike = 0

    def population(self) -> Mapping[str, str]:
        """Return both runs' ids."""
        return {"run": " and ".join(run.run_id for run in self._runs)}

    def entries(self) -> Iterator[Entry]:
        """Stream the pairs; both runs hold their samples in the data set's order."""
        self._alone = self._unlike = 0
        epochs = max(run.config["epochs"] for run in self._runs)
        for mine, other in self._met():
            if mine.sample.input != other.sample.input:
                self._unlike += 1
                continue
            subject = self._pair(_named(_subject(mine.sample), mine.sample, epochs), other.sample)
            known = mine.value is not None and other.value is not None
            yield Entry(subject, subject, float(mine.value == other.value) if known else None)

    def _met(self) -> Iterator[tuple[_Scored, _Scored]]:
        """Go through both runs side by side: samples stand in the data set's order in each."""
        one, two = (_answered(self._store, run, self.by) for run in self._runs)
        first, second = next(one, None), next(two, None)
        while first is not None and second is not None:
            if first.key == second.key:
                yield first, second
                first, second = next(one, None), next(two, None)
                continue
            self._alone += 1
            if first.key < second.key:
                first = next(one, None)
            else:
                second = next(two, None)
        left = itertools.chain([first] if first else [], one, [second] if second else [], two)
        self._alone += sum(1 for _ in left)

    def _pair(self, subject: Subject, other: SampleRow) -> Subject:
        """Put the two answers in an order that the item's name and the seed decide, whatever else is drawn."""
        answers = [(subject.answer, self._runs[0].run_id), (_subject(other).answer, self._runs[1].run_id)]
        if position(self._seed, ("order", subject.id)) < 0.5:
            answers.reverse()
        (a, of_a), (b, of_b) = answers
        row = {**subject.row, "a_run": of_a, "b_run": of_b}
        return replace(subject, answer="", a=a, b=b, row=row)

    def notes(self) -> tuple[str, ...]:
        """Say what could not be paired."""
        found = [f"the run {run.run_id} is {run.status}" for run in self._runs if run.status != "completed"]
        if self._alone:
            found.append(f"samples that one run alone has answered are no items: {self._alone}")
        if self._unlike:
            found.append(f"samples whose rows differ between the runs are no items: {self._unlike}")
        return tuple(found)


class DataPool:
    """Rows of a file: input and answer, or input, a and b.

    Args:
        source: The file.
        pair: Whether each is two answers.
        by: A field of numbers, or of true and false, by which rows are told apart; None: nothing does.
    """

    def __init__(self, source: Source, *, pair: bool, by: str | None) -> None:
        self._source, self._pair, self.by = source, pair, by
        self.models: tuple[str, ...] = ()
        self._bad = 0

    def population(self) -> Mapping[str, str]:
        """Return the file's name, without folders: they differ between machines."""
        path = self._source.path
        return {"data": path.name if path is not None else self._source.describe()}

    def entries(self) -> Iterator[Entry]:
        """Stream the rows; one that cannot be read fails alone.

        Raises:
            DataError: A row has no answer; two have one id.
            UsageError: A row lacks what rows are told apart by.
        """
        self._bad = 0
        seen: set[str] = set()
        for number, row in enumerate(self._source.rows(), 1):
            if isinstance(row, BadRow):
                self._bad += 1
                continue
            where = self._source.where(row.line)
            values = {**row.values, "id": row.values.get("id", str(number))}
            values = {name: value for name, value in values.items() if name != "weight"}
            subject = subject_of_values(values, where, pair=self._pair)
            if subject.id in seen:
                raise DataError(f"the id {subject.id!r} stands twice", where=where, hint="Give each row its own id")
            seen.add(subject.id)
            yield Entry(subject, subject, None if self.by is None else _number(row.values, self.by, where))

    def notes(self) -> tuple[str, ...]:
        """Say what could not be read."""
        return (f"rows that cannot be read are no items: {self._bad}",) if self._bad else ()


def scorer_of(run: RunRow, by: str | None, *, among: Mapping[str, str] | None = None) -> str | None:
    """Return the scorer by which a run's samples are told apart: the one named, else its first.

    Raises:
        UnknownNameError: The run has none of that name.
    """
    names = list(signatures_of(run))
    if by is not None and by not in names:
        raise UnknownNameError(f"scorer of {run.run_id}", by, names, where="--by")
    return by or next((name for name in names if among is None or name in among), None)


@dataclass(frozen=True, slots=True)
class _Scored:
    """An answered sample with what one scorer says of it."""

    sample: SampleRow
    value: float | None

    @property
    def key(self) -> tuple[int, int, str]:
        return self.sample.index, self.sample.epoch, self.sample.sample_id


def _answered(store: Store, run: RunRow, by: str | None) -> Iterator[_Scored]:
    for sample, scores in scored(store, run):
        if sample.answer is not None and sample.input is not None:
            yield _Scored(sample, _value(scores.get(by) if by else None))


def _subject(sample: SampleRow) -> Subject:
    """Return a stored sample as the judge would see it as a scorer; its slices become fields."""
    subject = subject_of_answer(item_of(outcome_of(sample)), group=sample.cluster)
    slices = {name: value for name, value in sample.slices.items() if name not in OWN}
    return replace(subject, row={**subject.row, **slices}, slices=slices)


def _named(subject: Subject, sample: SampleRow, epochs: int) -> Subject:
    return subject if epochs == 1 else replace(subject, id=f"{subject.id}#{sample.epoch}")


def _value(score: Score | Failure | None) -> float | None:
    return score.value if isinstance(score, Score) and math.isfinite(score.value) else None


def _number(values: Mapping[str, Any], by: str, where: str) -> float | None:
    if by not in values:
        raise UnknownNameError("field", by, values, where=where)
    value = values[by]
    if value is None:
        return None
    if isinstance(value, (bool, int, float)):
        return float(value)
    try:
        return float(str(value))
    except ValueError:
        hint = "--by names a field of numbers, or of true and false; low ones count as the rare ones"
        raise UsageError(f"the field {by!r} is {quoted(value)}, not a number", where=where, hint=hint) from None
