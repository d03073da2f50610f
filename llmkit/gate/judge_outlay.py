"""What a suite's judges may ask for one side, and what that costs at most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmkit.gate.baseline import Baseline
from llmkit.judges.judge import Judge
from llmkit.judges.outlay import costs_nothing, dearest
from llmkit.judges.scorer import JudgeScorer
from llmkit.judges.subject import Subject
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.runs.records import Job
from llmkit.scoring.base import Item


async def dearest_of(judge: Judge, subjects: Iterable[Subject], prices: Prices) -> float:
    """Return dollars that judging subjects cannot exceed; of a judge that costs nothing none is looked at.

    Raises:
        LlmkitError: The judge's model has no known price or no ``max_tokens``, an answer that is not there yet has no
            limit, or the judge cannot be asked about a subject.
    """
    caller = Caller(create(judge.model, display=True), prices=prices)
    if costs_nothing(judge, caller):
        return 0.0
    return sum([await dearest(judge, subject, caller) for subject in subjects])


def recorded(scorer: JudgeScorer, jobs: Sequence[Job], baseline: Baseline) -> list[Subject]:
    """Return what a judge will look at of a baseline's answers."""
    found = []
    for job in jobs:
        there = baseline.answers[job.sample.id, job.epoch]
        if there.completion is not None:
            sample = job.sample
            item = Item(there.completion.text, sample.references, sample.row, None, sample.id, there.messages)
            found.append(scorer.subject(item))
    return found
