"""Samples of a suite with a form: each goes through the loop of structured generation, and counts as one answer.

Every attempt is committed as an answer of its own before the next is asked, so that a kill loses at most what is in
flight. What the loop comes to is committed as one more: its text is the last attempt's, its usage, cost and latency are
those of all attempts. A sample points to that, and so do its scores.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from llmkit.errors import UsageError
from llmkit.generations import Attempt, GenerationFailed, Ledger, Result, totals
from llmkit.judges.outlay import checks_at_most, unbounded
from llmkit.judges.validator import JUDGES, SeatsOf
from llmkit.providers.answers import no_answer
from llmkit.providers.base import Provider
from llmkit.providers.retry import Caller
from llmkit.runs.key import Keys, Replicate
from llmkit.runs.plan import Plan
from llmkit.runs.records import Answer, Job, storable
from llmkit.runs.store import Store
from llmkit.structured.format import Format
from llmkit.structured.loop import Answered, Speaker, Task, generate
from llmkit.structured.outlay import worst_case
from llmkit.structured.strategy import Way, choose
from llmkit.structured.wording import issue_line
from llmkit.suites.form import Form
from llmkit.types import Completion, Failure, GenerationFacts, Request, Step, Totals, Usage

MOST_PROBLEMS = 3  # of one answer, in a sample's record
Call = Callable[[Request], Awaitable[Completion]]
Find = Callable[[bytes], Answer | None]


class Former:
    """Obtains the answers of one run.

    Args:
        plan: The run's; its suite has a form.
        run_id: Under which the attempts are stored.
        provider: The model, started.
        call: Makes a paid call.
        store: Where the attempts go.
        find: Looks an attempt up that was paid for before.
        seats: Gives the judges among the form's validators their models.
    """

    def __init__(
        self,
        plan: Plan,
        run_id: str,
        provider: Provider,
        call: Call,
        store: Store,
        find: Find,
        seats: SeatsOf | None = None,
    ) -> None:
        assert plan.suite.form is not None
        self._form: Form = plan.suite.form
        self._plan, self._run_id, self._provider = plan, run_id, provider
        self._call, self._store, self._find = call, store, find
        self._seats = seats
        self._keys = Keys(provider)
        self._way: Way | None = None

    async def __call__(self, job: Job) -> tuple[Completion, GenerationFacts, Failure | None]:
        """Run the loop for one sample; the failure says why it holds no answer at all, where that is so.

        Raises:
            GenerationFailed: The model's server, or a validator, broke; its cause says which.
        """
        form = self._form.of(job.sample.row)
        way = self._way_of(form) if self._form.bound else self._way
        if way is None:
            way = self._way = self._way_of(form)
        speaker = Speaker(self._plan.model.name, self._provider, job.request.params, partial(self._ask, job.epoch), way)
        task = Task(job.request.messages, form, self._form.checks, job.sample.row, described=True)
        seated = JUDGES.seated(self._seats) if self._seats is not None else contextlib.nullcontext()
        try:
            with seated:
                result = await generate(task, [speaker], self._form.policy)
        except GenerationFailed as failed:
            if failed.ledger.stop not in ("attempts", "repeated", "deadline"):
                raise
            return _whole(failed.ledger, None)
        return _whole(result.ledger, result)

    def _way_of(self, form: Format[Any]) -> Way:
        return choose(form, self._form.strategy, self._provider)

    async def _ask(self, epoch: int, request: Request, attempt: int) -> Answered:
        key = self._keys.key(request, Replicate(epoch=epoch, attempt=attempt, arm=self._plan.arm))
        found = self._find(key)
        if found is not None:
            return Answered(found.completion, cached=found.run_id != self._run_id)
        completion = storable(await self._call(request))
        await self._store.add_answer(self._run_id, key, completion, cacheable=no_answer(completion) is None)
        return Answered(completion)


def calls_at_most(plan: Plan) -> int:
    """Return the calls that a sample takes at most: its attempts, and what judges need to check each of them."""
    return plan.attempts * (1 + (0 if plan.form is None else checks_at_most(plan.form.checks)))


async def worst_case_of(plan: Plan, caller: Caller, job: Job) -> float:
    """Return dollars that a sample cannot exceed, over all its attempts.

    Raises:
        UsageError: No ``max_tokens``, or no known price; or answers are checked by a judge who is paid.
    """
    if plan.form is None:
        return await caller.worst_case(job.request)
    if (why := unbounded(plan.form.checks, caller.prices)) is not None:
        raise UsageError(why)
    return await worst_case(caller, job.request, plan.attempts, plan.form.policy)


def paid(ledger: Ledger) -> Totals:
    """Sum what the run paid for; attempts that brought no answer are charges of the run's already."""
    return totals(a for a in ledger.attempts if a.failure is None)


def _whole(ledger: Ledger, result: Result[object] | None) -> tuple[Completion, GenerationFacts, Failure | None]:
    """Make one answer of all attempts: the last that is one; where none is, the last attempt says why."""
    attempts = ledger.attempts
    last = next((a for a in reversed(attempts) if a.failure is None), attempts[-1])
    as_made = totals(replace(a, cached=False, lost=()) for a in attempts)
    later = totals(replace(a, cached=False, lost=()) for a in attempts[1:])
    completion = Completion(
        text=result.text if result is not None else last.text or "",
        finish_reason=last.finish_reason or "other",
        usage=Usage(as_made.input, as_made.output, as_made.cached, None, as_made.reasoning),
        cost_usd=as_made.cost_usd,
        latency_s=sum(a.latency_s or 0.0 for a in attempts),
        http_attempts=sum(a.http_attempts for a in attempts),
        served_model=last.served_model,
        request_id=last.request_id,
    )
    steps = tuple(Step(a.text, _problem(a), a.cost_usd) for a in attempts)
    facts = GenerationFacts(
        attempts=len(attempts),
        valid=result is not None,
        first_valid=attempts[0].valid,
        cost_usd=as_made.cost_usd,
        retry_cost_usd=later.cost_usd,
        strategy=attempts[-1].strategy,
        stop=ledger.stop,
        problem=steps[-1].problem,
        steps=steps,
        paid=paid(ledger),
    )
    return completion, facts, last.failure


def _problem(attempt: Attempt) -> str | None:
    if attempt.failure is not None:
        return attempt.failure.message
    return "; ".join(issue_line(issue) for issue in attempt.issues[:MOST_PROBLEMS]) or None
