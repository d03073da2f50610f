"""Run the scorers over answered samples: batched, isolated, failures recorded."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar, cast

from llmkit.judges.seat import Asks
from llmkit.runs.asking import Asking
from llmkit.runs.records import UNASKED, Outcome
from llmkit.scoring.base import Item, Prepares, Scorer
from llmkit.scoring.of_generation import OfGeneration
from llmkit.types import Failure, Score

T = TypeVar("T")

SCORERS_FAULT = UNASKED | {"crash", "not_finite"}  # kinds that say nothing of the answer, only that a scorer broke
HEAVY_BATCH = 32  # answers a heavy scorer takes at once: a thread cannot be stopped, and Ctrl-C has two seconds


def prepare(scorers: Iterable[Scorer]) -> None:
    """Load what the scorers need, of equal ones once, so that what is missing is said before any call is paid for.

    Raises:
        MissingExtraError: An optional dependency is not installed.
    """
    for scorer in {s.signature: s for s in scorers if isinstance(s, Prepares)}.values():
        scorer.prepare()


def item_of(outcome: Outcome) -> Item:
    """Return what the scorers see of a sample; an unanswered one is read as an empty answer."""
    text, logprobs = "", None
    if outcome.answer is not None:
        text, logprobs = outcome.answer.completion.text, outcome.answer.completion.logprobs
    if outcome.job is None:
        return Item(text)
    job = outcome.job
    sample = job.sample
    return Item(text, sample.references, sample.row, outcome.generation, sample.id, job.request.messages, logprobs)


async def grade(scorers: Sequence[Scorer], outcomes: Sequence[Outcome]) -> None:
    """Fill in the scores that the outcomes lack; heavy scorers work in a thread.

    Args:
        scorers: One metric each; those that ask a model are passed over.
        outcomes: Answered ones are scored.
    """
    for scorer in scorers:
        if isinstance(scorer, Asks):
            continue
        if not (todo := _todo(scorer, outcomes)):
            continue
        size = getattr(scorer, "batch", HEAVY_BATCH) if scorer.heavy else len(todo)
        for part in (todo[at : at + size] for at in range(0, len(todo), size)):
            items = [item_of(o) for o in part]
            scores = await _in_thread(partial(score_all, scorer, items)) if scorer.heavy else score_all(scorer, items)
            for outcome, score in zip(part, scores, strict=True):
                outcome.scores[scorer.name] = score


async def judge(asking: Asking, scorers: Sequence[Scorer], outcomes: Sequence[Outcome]) -> None:
    """Fill in the scores that take a model, all judges at once."""

    async def one(scorer: Scorer) -> None:
        todo = _todo(scorer, outcomes)
        scorable = [o for o in todo if _scorable(scorer, item_of(o))]
        given = await asking(scorer, [item_of(o) for o in scorable])
        for outcome in todo:
            outcome.scores[scorer.name] = _no_reference(scorer)
        for outcome, one in zip(scorable, given, strict=True):
            outcome.scores[scorer.name], outcome.behind[scorer.name] = _finite(scorer, one.score), one.behind

    await asyncio.gather(*(one(scorer) for scorer in scorers if isinstance(scorer, Asks)))


def _todo(scorer: Scorer, outcomes: Sequence[Outcome]) -> list[Outcome]:
    answered = (o for o in outcomes if o.answer is not None)
    return [o for o in answered if scorer.name not in o.scores and not _invalid(scorer, o)]


def _scorable(scorer: Scorer, item: Item) -> bool:
    return bool(item.references) or not scorer.needs_references


def _no_reference(scorer: Scorer) -> Failure:
    return Failure("scorer", "no_reference", f"{scorer.name} needs a reference and the row has none")


def _invalid(scorer: Scorer, outcome: Outcome) -> bool:
    """Whether an answer lacks its form, so that none but the scorers of generations can score it; then say so."""
    facts = outcome.generation
    if facts is None or facts.valid or isinstance(scorer, OfGeneration):
        return False
    outcome.scores[scorer.name] = Failure("scorer", "invalid", f"the answer lacks its form: {facts.problem}")
    return True


async def _in_thread(work: Callable[[], T]) -> T:
    """Do it in a thread that an interrupted process need not wait for, as it must for those of asyncio's own pool."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", result))

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except BaseException as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failed)

    context = contextvars.copy_context()  # what the caller allows, a scorer may do in its thread too
    threading.Thread(target=context.run, args=(run,), name="llmkit-scorer", daemon=True).start()
    return await future


def score_all(scorer: Scorer, items: Sequence[Item]) -> list[Score | Failure]:
    """Score a batch; a crash is narrowed down to the answers that cause it, and fails those alone."""
    scorable = [i for i in items if _scorable(scorer, i)]
    scores = iter(_isolated(scorer, scorable) if scorable else [])
    return [next(scores) if _scorable(scorer, i) else _no_reference(scorer) for i in items]


def _isolated(scorer: Scorer, items: Sequence[Item]) -> list[Score | Failure]:
    try:
        scores = list(scorer.score(items))
        if len(scores) != len(items):
            raise ValueError(f"{len(scores)} scores for {len(items)} answers")
    except Exception as error:  # a scorer is third-party code: whatever it raises is a failure of its own, recorded
        if len(items) == 1:
            return [Failure("scorer", "crash", f"{scorer.name}: {type(error).__name__}: {error}"[:500])]
        half = len(items) // 2
        return _isolated(scorer, items[:half]) + _isolated(scorer, items[half:])
    return [_finite(scorer, s) for s in scores]


def _finite(scorer: Scorer, score: Score | Failure) -> Score | Failure:
    if isinstance(score, Failure) or (math.isfinite(score.value) and all(map(math.isfinite, score.stats))):
        return score
    return Failure("scorer", "not_finite", f"{scorer.name} gave {score.value}")
