"""``llmkit generate --compare``: several strategies on the same rows, with one set of models.

    rows ──► each strategy in turn, the first one another for each row ──► trials ──► figures, paired differences

A row's strategies follow each other, so that what the server does meanwhile meets all of them alike, and a comparison
that ends early ends on the same rows for all. Equal requests are asked once, as everywhere: the first answer of
``plain``, ``reprompt`` and ``resample`` is one answer, which makes the comparison sharper; it is in the bill of each.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmkit.canonical import digest
from llmkit.comparisons import CONTROL, StrategyComparison
from llmkit.errors import LlmkitError, ProviderError, UsageError
from llmkit.generation.arms import Arm
from llmkit.generation.conclude import Trials, conclude
from llmkit.generation.generator import Generator
from llmkit.generation.pieces import Piece, fields_of
from llmkit.generation.targets import Target
from llmkit.generation.trials import Trial, billed, gave_up, refused, succeeded
from llmkit.generations import Attempt, GenerationFailed, GenerationOverBudget
from llmkit.runs.streak import Streak
from llmkit.structured.format import Binds
from llmkit.structured.loop import Task
from llmkit.structured.validators import ValidatorCrash

Told = Callable[[str, Piece, Trial, Sequence[Attempt]], None]
"""Is told of each trial: the strategy's name, the row, the numbers, the attempts behind them."""

LEAST_AT_ONCE = 8
PARTS = 8
"""Under a cap, at most this part of the rows is under way at once: those that the cap breaks off are in no figure."""


async def compare_strategies(
    generator: Generator[Any],
    arms: Sequence[Arm],
    rows: Sequence[Piece],
    *,
    values: Mapping[str, Any] | None = None,
    target: Target | None = None,
    told: Told | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> StrategyComparison:
    """Ask all rows by all strategies, and compare.

    Where the cap is reached, the rows that all strategies have ended before it are compared; ``stopped_by`` says so.

    Args:
        generator: Prompt, form, validators, and models that are entered.
        arms: The strategies, from ``arms_of``.
        rows: What is asked; a row that cannot be read is a failure of every strategy.
        values: Fields beside each row's own.
        target: Where right answers stand.
        told: Is told of each trial.
        confidence: Of the intervals.
        seed: Of the resampling.

    Raises:
        UsageError: None of the strategies can be had, or no row can be asked.
        ProviderError: The server fails every call.
        BudgetError: The cap ends it before all strategies have ended a single row.
        LlmkitError: The store failed, or another package broke.
    """
    trials = _probed(generator, arms, [fields_of(row, values or {}) for row in rows if row.bad is None])
    racing = _Racing(generator, trials, values or {}, target, told)
    await racing.run(rows)
    if trials.error is not None:
        raise trials.error
    return conclude(generator, trials, arms, len(rows), target=target, confidence=confidence, seed=seed)


def _probed(generator: Generator[Any], arms: Sequence[Arm], rows: Sequence[Mapping[str, Any]]) -> Trials:
    """Sort out the strategies that this model or form does not have, before anything is asked."""
    bound = isinstance(generator.form, Binds)
    form = next(_bound(generator.form, rows), None) if isinstance(generator.form, Binds) else generator.form
    usable, unavailable, first = [], {}, None
    for arm in arms:
        try:
            if form is not None:
                generator.models.speakers(form, bound=bound, strategy=arm.strategy)
            usable.append(arm)
        except UsageError as error:
            unavailable[arm.name] = str(error)
            first = first or error
    if first is not None and not [arm for arm in usable if arm.name != CONTROL]:
        raise first
    return Trials(usable, unavailable, {arm.name: {} for arm in usable})


def _bound(form: Binds, rows: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """Yield the forms of the rows that have one."""
    for row in rows:
        try:
            yield form.bind(row)
        except LlmkitError:
            continue  # it fails alone, when it is asked


class _Racing:
    """Rows on their way through all strategies."""

    def __init__(
        self,
        generator: Generator[Any],
        trials: Trials,
        values: Mapping[str, Any],
        target: Target | None,
        told: Told | None,
    ) -> None:
        self._trials, self._values, self._target, self._told = trials, values, target, told
        self._generators = {
            arm.name: replace(generator, strategy=arm.strategy, policy=arm.policy) for arm in trials.arms
        }
        self._generator = generator
        self._streak = Streak()
        self._asked: Counter[str] = Counter()

    async def run(self, rows: Sequence[Piece]) -> None:
        """Ask all rows, as many at once as the models take."""
        models, waiting = self._generator.models, iter(enumerate(rows))
        workers = min(models.workers, len(rows))
        if models.budget.cap_usd is not None or models.tokens is not None:
            workers = min(workers, max(LEAST_AT_ONCE, len(rows) // PARTS))
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work(waiting))

    @property
    def _over(self) -> bool:
        return self._trials.stopped_by is not None or self._trials.error is not None

    async def _work(self, waiting: Iterator[tuple[int, Piece]]) -> None:
        for place, row in waiting:
            if self._over:
                return
            await self._row(place, row)

    async def _row(self, place: int, row: Piece) -> None:
        arms = self._trials.arms
        fields = fields_of(row, self._values)
        try:
            if row.bad is not None:
                raise LlmkitError(row.bad, where=row.where)
            task = self._generator.task(fields)
        except LlmkitError as error:
            for arm in arms:
                self._note(arm, place, row, refused(error, fields, self._target), ())
            return
        replicate = self._replicate(task)
        for turn in range(len(arms)):
            if not self._over:
                await self._trial(arms[(place + turn) % len(arms)], place, row, task, replicate)

    def _replicate(self, task: Task[Any]) -> int:
        """Return which of the rows that ask the same this is: each has draws of its own."""
        asks = digest([[m.role, m.content] for m in task.messages])
        self._asked[asks] += 1
        self._trials.repeated += self._asked[asks] > 1
        return self._asked[asks]

    async def _trial(self, arm: Arm, place: int, row: Piece, task: Task[Any], replicate: int) -> None:
        attempts: tuple[Attempt, ...] = ()
        try:
            result = await self._generators[arm.name].obtain(task, replicate=replicate)
            trial, attempts = succeeded(result, task.row, self._target), result.attempts
        except GenerationOverBudget as error:
            self._trials.over.append(billed(error.attempts))
            cause = error.__cause__ if isinstance(error.__cause__, LlmkitError) else error
            self._trials.stopped_by = self._trials.stopped_by or cause.message
            return
        except GenerationFailed as error:
            trial, attempts = gave_up(error, task.row, self._target), error.attempts
            if self._ends(error):
                return
        except LlmkitError as error:
            if isinstance(error, UsageError) and isinstance(self._generator.form, Binds):
                trial = refused(error, task.row, self._target)  # this row's form alone cannot be had so
            else:
                self._trials.error = self._trials.error or error
                return
        if any(a.text is not None for a in attempts):
            self._streak.answered()
        self._note(arm, place, row, trial, attempts)

    def _ends(self, error: GenerationFailed) -> bool:
        """Whether it ends everything: the server fails every call, or what broke is no strategy's failure."""
        cause = error.__cause__
        if isinstance(cause, ProviderError):
            self._streak.failed(cause.fault)
            over = self._streak.hopeless(cause.fault)
        else:  # the store, or a model's engine; a validator's crash is its row's alone
            broke = isinstance(cause, LlmkitError) and error.ledger.stop == "failed"
            over = broke and not isinstance(cause, ValidatorCrash)
        if over and isinstance(cause, LlmkitError):
            self._trials.error = self._trials.error or cause
        return over

    def _note(self, arm: Arm, place: int, row: Piece, trial: Trial, attempts: Sequence[Attempt]) -> None:
        self._trials.done[arm.name][place] = trial
        if self._told is not None:
            self._told(arm.name, row, trial, attempts)
