"""A few samples in full, before the big spend. Their answers belong to the run: they are not paid for again."""

from __future__ import annotations

import itertools

from llmkit.errors import ProviderError
from llmkit.runs.outcome import sample_result
from llmkit.runs.records import Job, Outcome
from llmkit.runs.render import pieces
from llmkit.runs.runner import Runner
from llmkit.types import Failure, SampleResult


async def preview(runner: Runner, count: int) -> list[SampleResult]:
    """Ask the first ``count`` samples, one after the other, and score them."""
    outcomes = []
    for piece in itertools.islice(pieces(runner.plan, runner.provider), count):
        outcomes.append(await _ask(runner, piece) if isinstance(piece, Job) else piece)
    await runner.score([o for o in outcomes if o.failure is None])
    return [sample_result(o, runner.run_id) for o in outcomes]


async def _ask(runner: Runner, job: Job) -> Outcome:
    if (known := runner.known(job)) is not None:
        return known
    try:
        return await runner.ask(job)
    except ProviderError as error:
        failure = Failure("provider", error.fault, str(error))
        return Outcome(job.sample.index, job.epoch, job.sample.id, job, failure=failure)
