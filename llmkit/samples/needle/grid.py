"""The rows of a set: every length at every depth, or every length with every kind of question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from llmkit.errors import DataError
from llmkit.samples.needle import facts, hiding
from llmkit.samples.needle.fit import LEAST, Context, fit
from llmkit.samples.needle.haystack import Haystack
from llmkit.samples.needle.meter import Meter
from llmkit.samples.needle.sentences import prose, varied
from llmkit.samples.needle.spec import NeedleData, Question
from llmkit.samples.needle.texts import TextFile, made, measured
from llmkit.samples.needle.world import FEWEST_PEOPLE, MOST_PEOPLE, World, world
from llmkit.tokens import Tokenizer

SPARE = 64
"""Tokens that a haystack has beyond the longest context, so that the last sentence need not be cut."""
_FILLING = 4_000
"""Characters of sentences after the documents of ``facts``: more than one further person would take."""


class Cell(NamedTuple):
    """One cell of the grid, in one repeat; ``row`` is a depth in percent, or a kind of question."""

    repeat: int
    length: int
    row: float | Question


class Planned(NamedTuple):
    """One row: its cell, its context, and what else it says."""

    haystack: str
    context: Context
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """The rows of a set, in order, their contexts not put together yet."""

    planned: tuple[Planned, ...]

    @property
    def short(self) -> int:
        """Contexts that could not be made exactly so long."""
        return sum(one.context.tokens != one.values["length"] for one in self.planned)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows."""
        for one in self.planned:
            yield {**one.values, "tokens": one.context.tokens, "context": one.context.text(one.haystack)}


def cells(data: NeedleData) -> Iterator[Cell]:
    """Yield the cells in the order of the rows: a whole grid before the next repeat, so that a limit keeps it whole."""
    rows: list[Any] = list(data.questions) if data.kind == "facts" else list(data.depths)
    for repeat in range(1, data.repeats + 1):
        for length in data.lengths:
            for row in rows:
                yield Cell(repeat, length, row)


def make(data: NeedleData, text: TextFile | None, tokenizer: Tokenizer, name: str) -> Made:
    """Make the rows.

    Raises:
        DataError: The haystack is too short, or a length too small for what it shall hold.
    """
    if data.kind == "facts":
        return Made(tuple(_facts(data, tokenizer, name)))
    return Made(tuple(_needles(data, text, tokenizer, name)))


def cell_name(length: int, row: float | str) -> str:
    """Name a cell for slices: ``1000 @ 50%``, ``1000 @ two_hops``."""
    return f"{length} @ {row}" if isinstance(row, str) else f"{length} @ {row:g}%"


def _needles(data: NeedleData, text: TextFile | None, tokenizer: Tokenizer, name: str) -> Iterator[Planned]:
    needed = max(data.lengths) + SPARE
    if text is None:
        haystack = made(data.haystack, data.seed, needed * (2 if data.repeats > 1 else 1), tokenizer)
    else:
        where = str(text.file.path)
        haystack = measured(text.read(), needed, tokenizer, repeat=data.repeat, where=where, suite=name)
    meter = Meter(haystack, tokenizer)
    for cell in cells(data):
        assert not isinstance(cell.row, str)
        random = Random(f"{data.seed} {cell.repeat} {cell.length} {cell.row:g}")  # noqa: S311 - drawn to be repeated
        start = _start(haystack, data.seed, cell)
        try:
            task = hiding.task(data, cell.row, random, haystack.folded)
            context = fit(meter, task.needles, cell.length, start)
        except ValueError as error:
            raise DataError(str(error), where=name, hint="Write larger lengths, or fewer needles") from error
        values = _values(data, cell, task.question, task.answers, task.distractors)
        placed = list(context.placed[: len(task.answers)])
        depth = int(cell.row) if cell.row == int(cell.row) else cell.row
        yield Planned(haystack.text, context, {**values, "depth": depth, "placed": placed})


def _start(haystack: Haystack, seed: int, cell: Cell) -> int:
    """Return where a row's part of the haystack begins: at its beginning in the first repeat, else anywhere.

    All depths of a length begin at one place, so that they differ in the depth alone.
    """
    last = haystack.tokens - cell.length - SPARE
    if cell.repeat == 1 or last <= 0:
        return 0
    random = Random(f"start {seed} {cell.repeat} {cell.length}")  # noqa: S311 - drawn to be repeated
    possible = [offset for offset in haystack.starts if haystack.before(offset) <= last]
    return random.choice(possible)


def _facts(data: NeedleData, tokenizer: Tokenizer, name: str) -> Iterator[Planned]:
    documents: dict[tuple[int, int], tuple[World, Haystack, Context]] = {}
    for cell in cells(data):
        key = (cell.repeat, cell.length)
        if key not in documents:
            documents[key] = _documents(data, tokenizer, *key, name)
        there, haystack, context = documents[key]
        assert isinstance(cell.row, str)
        random = Random(f"{data.seed} {cell.repeat} {cell.length} {cell.row}")  # noqa: S311 - drawn to be repeated
        asked = facts.ask(cell.row, random, there)
        values = _values(data, cell, asked.question, (asked.answer,), asked.distractors)
        yield Planned(haystack.text, context, {**values, "asks": cell.row})


def _documents(
    data: NeedleData, tokenizer: Tokenizer, repeat: int, length: int, name: str
) -> tuple[World, Haystack, Context]:
    """Write as many people and projects as fit into a length, and fill it up with sentences of no matter."""

    def of(people: int) -> World:
        return world(Random(f"world {data.seed} {repeat} {length}"), people)  # noqa: S311 - drawn to be repeated

    room = length - LEAST
    fewest, sample = FEWEST_PEOPLE, tokenizer.count(of(FEWEST_PEOPLE).text)
    if sample > room:
        raise DataError(
            f"{length:,} tokens are too few for the facts of {fewest} people, which take {sample:,}",
            where=name,
            hint=f"Write lengths of {sample + LEAST:,} tokens or more",
        )
    low, high = fewest, MOST_PEOPLE + 1  # the first fits, the last is too many
    guess = min(MOST_PEOPLE, max(fewest, room * fewest // sample))
    while high - low > 1:
        guess = min(max(guess, low + 1), high - 1)
        tokens = tokenizer.count(of(guess).text)
        low, high = (guess, high) if tokens <= room else (low, guess)
        guess = guess * room // tokens
    there = of(low)
    rest = length if low == MOST_PEOPLE else 0  # all are there, and the context is longer than what they take
    filling = prose(varied(Random(f"filling {data.seed} {repeat} {length}")), _FILLING + 6 * rest)  # noqa: S311
    haystack = Haystack(f"{there.text}\n{filling}", tokenizer)
    return there, haystack, fit(Meter(haystack, tokenizer), (), length)


def _values(
    data: NeedleData, cell: Cell, question: str, answers: tuple[str, ...], distractors: tuple[str, ...]
) -> dict[str, Any]:
    row = cell.row if isinstance(cell.row, str) else f"{cell.row:g}"
    return {
        "id": f"{cell.length}-{row}-{cell.repeat}",
        "kind": data.kind,
        "length": cell.length,
        "cell": cell_name(cell.length, cell.row),
        "repeat": cell.repeat,
        "question": question,
        "answers": list(answers),
        "distractors": list(distractors),
    }
