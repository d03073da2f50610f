"""``llmkit score``: answers that are there already become a run like any other, and no model is asked for them."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace

from llmkit.canonical import canonical, digest
from llmkit.errors import UsageError
from llmkit.judges.outlay import judges_of
from llmkit.providers.base import identity
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.entries import entries_of
from llmkit.runs.given import Given, Pair, folder_of
from llmkit.runs.grade import prepare
from llmkit.runs.plan import git_commit
from llmkit.runs.records import Job, Outcome, storable
from llmkit.runs.render import render
from llmkit.runs.rows import RunRow
from llmkit.runs.scoring import Ended, chunks, opened, settle_all
from llmkit.runs.settle import Settler
from llmkit.runs.state import Observer, State
from llmkit.runs.store import Store
from llmkit.structured.examine import Answer, examine
from llmkit.structured.wording import issue_line
from llmkit.suites.form import Form
from llmkit.types import BadRow, Completion, Failure, GenerationFacts, RunResult, Step
from llmkit.version import __version__


async def score(
    store: Store,
    given: Given,
    *,
    observer: Observer | None = None,
    ended: Ended | None = None,
    max_cost: float | None = None,
    cache: bool = True,
    concurrency: int | None = None,
    retry: RetryPolicy | None = None,
) -> RunResult:
    """Score given answers; the result is stored as a run, which can be shown, compared, rescored and exported.

    Nothing was paid for the answers by this run, and what they cost whoever asked for them is not known: their tokens,
    dollars and seconds are unknown. Judges are asked and paid for as in any run.

    Args:
        store: Where the run goes.
        given: The answers, and what they answer.
        observer: Is told how it goes.
        ended: Is told the result, also that of an interrupted scoring.
        max_cost: Hard cap in dollars on the judges' calls; the settings' where None.
        cache: Whether what judges said in other runs counts.
        concurrency: Judges' calls at once; None adapts.
        retry: How their calls are repeated.

    Raises:
        UsageError: A judge cannot be asked.
        BudgetError: The next call of a judge does not fit under the cap; what was scored is kept.
        ProviderError: A judge's server is of no use; likewise.
    """
    plan = given.plan
    scorers = plan.suite.scorers
    if plan.form is not None and judges_of(plan.form.checks):
        raise UsageError(
            f"suite {plan.suite.name} has answers checked by a judge while they are made, and these are made already",
            hint="Score them with --scorer judge:NAME",
        )
    prepare(scorers)
    async with opened(
        store, scorers, max_cost=max_cost, cache=cache, concurrency=concurrency, retry=retry
    ) as (run_id, bench):  # fmt: skip
        store.start_run(_row(given, run_id))
        settler = Settler(
            store, run_id, scorers, plan.suite.slice_names, state=State(total=_planned(given)), seed=plan.seed,
            observer=observer, bench=bench, pass_k=plan.pass_k, epochs=plan.epochs,
        )  # fmt: skip
        return await settle_all(store, settler, _kept(store, run_id, given), ended)


def _row(given: Given, run_id: str) -> RunRow:
    """Make the run's record."""
    plan, suite = given.plan, given.plan.suite
    config = plan.config(identity(given.provider))
    about = {
        "endpoint": None,
        "llmkit": __version__,
        "git": git_commit(folder_of(plan)),
        "suite_path": str(suite.path) if suite.path else None,
        "model": plan.model.name,
        "options": {},
        "origins": dict(plan.origins),
        **entries_of(suite.entries, suite.scorers, suite.path),
        "slices": list(suite.slice_names),
        "predictions": given.predictions.source.describe(),
    }
    planned = (plan.rows or 0) * plan.epochs
    name, model = suite.name, plan.model.name
    return RunRow(run_id, name, model, "running", digest(config), config, about, time.time(), 0, planned, None)


def _planned(given: Given) -> int | None:
    """Return how many samples there will be; None where rows have different numbers of answers."""
    return given.plan.rows if given.plan.epochs == 1 else None


async def _kept(store: Store, run_id: str, given: Given) -> AsyncGenerator[Sequence[Outcome], None]:
    """Yield the samples' outcomes, a batch at a time, their answers stored."""
    for chunk in chunks(outcome for pair in given.pairs() for outcome in _outcomes(given, pair)):
        yield await _keep(store, run_id, given, chunk)


def _outcomes(given: Given, pair: Pair) -> Iterator[tuple[Outcome, str | None]]:
    """Yield a sample's outcomes, one an answer, each with the answer's text; what has none has failed."""
    sample, said = pair
    if isinstance(sample, BadRow) or said is None:
        for piece in render(replace(given.plan, epochs=1), given.provider, [sample]):
            outcome = piece if isinstance(piece, Outcome) else _outcome(piece)
            if not isinstance(sample, BadRow) and outcome.failure is None:
                outcome.failure = Failure("data", *given.why(sample))
            yield outcome, None
        return
    pieces = render(replace(given.plan, epochs=len(said.answers)), given.provider, [sample])
    for piece, text in zip(pieces, said.answers, strict=True):
        outcome = piece if isinstance(piece, Outcome) else _outcome(piece)
        if outcome.failure is None and text is None:
            outcome.failure = Failure("data", "no_answer", f"{said.where}: {said.why}")
        yield outcome, text


def _outcome(job: Job) -> Outcome:
    return Outcome(job.sample.index, job.epoch, job.sample.id, job)


async def _keep(
    store: Store, run_id: str, given: Given, chunk: Sequence[tuple[Outcome, str | None]]
) -> Sequence[Outcome]:
    """Store the answers that are not stored yet, and have the outcomes point to them."""
    form, whose = given.plan.form, canonical(["llmkit prediction 1", identity(given.provider)])
    todo: list[tuple[Outcome, Completion, GenerationFacts | None]] = []
    for outcome, text in chunk:
        if outcome.failure is None and outcome.job is not None and text is not None:
            text, facts = (text, None) if form is None else await _formed(form, text, outcome.job)
            # No HTTP attempt: nobody was asked. What the answer cost, whoever asked for it, is not known.
            completion = storable(Completion(text, finish_reason="other", http_attempts=0))
            outcome.job.key = _key(whose, outcome, completion.text, facts)
            todo.append((outcome, completion, facts))
    known = store.find_answers([o.job.key for o, _, _ in todo if o.job], run_id)
    new = [(o, c, f) for o, c, f in todo if o.job and o.job.key not in known]
    made = await asyncio.gather(
        *(store.add_answer(run_id, o.job.key, c, cacheable=True, facts=f) for o, c, f in new if o.job)
    )
    known |= {o.job.key: answer for (o, _, _), answer in zip(new, made, strict=True) if o.job}
    for outcome, _, facts in todo:
        assert outcome.job is not None
        outcome.answer, outcome.generation = known[outcome.job.key], facts
    return [outcome for outcome, _ in chunk]


def _key(whose: bytes, outcome: Outcome, text: str, facts: GenerationFacts | None) -> bytes:
    """Return the 32 bytes under which an answer is stored: no request is answered by it, only the same file again."""
    said = [outcome.sample_id, outcome.epoch, text, None if facts is None else [facts.valid, facts.problem]]
    return hashlib.sha256(whose + canonical(said)).digest()


async def _formed(form: Form, text: str, job: Job) -> tuple[str, GenerationFacts]:
    """Read an answer in the suite's form; nothing is asked again."""
    checked = await examine(form.of(job.sample.row), Answer(text, job.sample.row), form.checks, repair=False)
    problem = None if checked.valid else "; ".join(issue_line(issue) for issue in checked.issues[:3])
    facts = GenerationFacts(
        attempts=1,
        valid=checked.valid,
        first_valid=checked.valid,
        retry_cost_usd=0.0,
        strategy="given",
        stop="valid" if checked.valid else "attempts",
        problem=problem,
        steps=(Step(text, problem, None),),
    )
    return checked.text if checked.valid else text, facts
