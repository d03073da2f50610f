"""Scores that take a model: judges asked about answers, many at once, until there is a reason to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llmkit.canonical import digest
from llmkit.errors import BudgetError, LlmkitError, ProviderError, ScorerError, UsageError
from llmkit.judges.outlay import judges_of
from llmkit.judges.panel import check_seat
from llmkit.judges.scorer import JudgeScorer
from llmkit.judges.seat import Asks
from llmkit.providers.base import ModelRef, Provider, fetch
from llmkit.providers.registry import create
from llmkit.runs.judging import Bench
from llmkit.runs.records import JUDGE_FAILED, NOT_JUDGED, NOT_STORED
from llmkit.runs.streak import Streak
from llmkit.scoring.base import Item, Scorer
from llmkit.structured.validators import Validator
from llmkit.types import Failure, Score


def asking(scorers: Iterable[Scorer]) -> list[Scorer]:
    """Return those that ask a model."""
    return [scorer for scorer in scorers if isinstance(scorer, Asks)]


def models_of(scorers: Iterable[Scorer]) -> list[ModelRef]:
    """Return whom they ask."""
    return [model for scorer in scorers if isinstance(scorer, Asks) for model in getattr(scorer, "models", ())]


async def fetch_all(
    providers: Iterable[Provider], scorers: Iterable[Scorer], validators: Iterable[Validator] = ()
) -> None:
    """Have all models here, those of judges among them: a judge's signature names the weights that it knows.

    It is for what is about to make calls, before anybody reads a signature; a judge reads its own once.

    Args:
        providers: The models that are asked for answers.
        scorers: Whose judges' models are fetched.
        validators: Likewise.

    Raises:
        UsageError: A model cannot be had.
    """
    asked = [*models_of(scorers), *(judge.model for judge in judges_of(validators))]
    judges = []
    for model in {digest([model.name, dict(model.options)]): model for model in asked}.values():
        with contextlib.suppress(LlmkitError):  # ``ready`` says what is wrong with it, and in which judge
            judges.append(create(model, display=True))
    await fetch([*providers, *judges])


async def ready(bench: Bench, scorers: Iterable[Scorer], validators: Iterable[Validator] = ()) -> None:
    """Say what judges lack before any call is paid for.

    Raises:
        MissingKeyError: A judge's model needs a key.
        UsageError: There is no such model, it lacks what the judge's method needs; or under a cap, its calls have no
            bound.
    """
    for scorer in asking(scorers):
        try:
            await bench.prepare(models_of([scorer]))
            if isinstance(scorer, JudgeScorer):
                scorer.check(bench.provider)
        except UsageError as error:
            if isinstance(scorer, JudgeScorer):
                error.where = error.where or scorer.judge.where("params")
                if "max_tokens" in error.message and "max_tokens" not in scorer.judge.model.params:
                    error.hint = "Give the judge a limit: params: {max_tokens: 500}"
            raise
    for judge in judges_of(validators):
        await bench.prepare([judge.model])
        check_seat(judge, bench.provider(judge.model))


class Given(NamedTuple):
    """A score, and the stored answers of the judge that it was read from."""

    score: Score | Failure
    behind: frozenset[int] = frozenset()


class Asking:
    """Asks the judges of one run.

    Args:
        bench: Gives them their seats.

    Attributes:
        bench: The same.
        stopped: Why no more is asked; None while all goes well.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.stopped: LlmkitError | None = None
        self._streaks: dict[str, Streak] = {}
        self._under_way: set[asyncio.Task[Given]] = set()
        self._told = "the run was stopped"

    async def __call__(self, scorer: Scorer, items: Sequence[Item]) -> list[Given]:
        """Score answers: one result an item, in order. Nothing that goes wrong is raised: see ``stopped``."""
        tasks = [asyncio.create_task(self._one(scorer, item)) for item in items]
        self._under_way.update(tasks)
        try:
            if tasks:
                await asyncio.wait(tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            raise
        finally:
            self._under_way.difference_update(tasks)
        return [Given(self._not_judged(scorer)) if task.cancelled() else task.result() for task in tasks]

    def stop(self, why: str) -> None:
        """Ask no more, and break off what is under way: what it answered for has no score."""
        self._told = why
        for task in self._under_way:
            task.cancel()

    async def _one(self, scorer: Scorer, item: Item) -> Given:
        used: set[int] = set()
        score = await self._asked(scorer, item, used)
        return Given(score, frozenset(used))

    async def _asked(self, scorer: Scorer, item: Item, used: set[int]) -> Score | Failure:
        assert isinstance(scorer, Asks)
        if self.stopped is not None:
            return self._not_judged(scorer)
        streak = self._streaks.setdefault(scorer.name, Streak())
        try:
            (score,) = await scorer.ask([item], self.bench.of(scorer.name, used))
        except ProviderError as error:
            return self._failed(scorer, streak, error)
        except BudgetError as error:  # calls under way are paid for: they go on to their end, and no new one starts
            self._halt(error)
            return self._not_judged(scorer)
        except LlmkitError as error:  # it would stop every answer's verdict, as a missing key does
            self._halt(error)
            self.stop(error.message)
            return self._not_judged(scorer)
        except Exception as error:  # a scorer may be third-party code: whatever it raises is a failure of its own
            return Failure("scorer", "crash", f"{scorer.name}: {type(error).__name__}: {error}"[:500])
        streak.answered()
        return score

    def _failed(self, scorer: Scorer, streak: Streak, error: ProviderError) -> Failure:
        if self.bench.offline:
            return Failure("scorer", NOT_STORED, f"{scorer.name}: {error}")
        streak.failed(error.fault)
        if self.stopped is None and streak.hopeless(error.fault):
            self._halt(error)
            self.stop(error.message)
        return Failure("scorer", JUDGE_FAILED, f"{scorer.name}: {error}")

    def _halt(self, error: LlmkitError) -> None:
        if self.stopped is None:
            self.stopped, self._told = error, error.message

    def _not_judged(self, scorer: Scorer) -> Failure:
        return Failure("scorer", NOT_JUDGED, f"{scorer.name}: not judged: {self._told}")


def need_bench(scorers: Iterable[Scorer], bench: Bench | None) -> Asking | None:
    """Return what asks the judges among some scorers; None where there are none.

    Raises:
        ScorerError: There are, and nothing gives them a model.
    """
    judges = asking(scorers)
    if not judges:
        return None
    if bench is None:
        raise ScorerError(f"{judges[0].name} asks a model, and nothing here gives it one")
    return Asking(bench)
