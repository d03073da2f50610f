"""Outcomes read back from the store, and shown."""

from __future__ import annotations

from collections.abc import Mapping

from llmkit.runs.records import Answer, Job, Outcome
from llmkit.runs.rows import SampleRow
from llmkit.types import Failure, Request, Sample, SampleResult, Score


def outcome_of(row: SampleRow, scores: Mapping[str, Score | Failure] | None = None) -> Outcome:
    """Return a stored sample as the outcome that it was, with the scores given."""
    job = None
    if row.input is not None:
        sample = Sample(row.sample_id, row.index, row.fields, row.references, row.cluster, row.slices)
        job = Job(sample, row.epoch, Request(row.messages), b"", row.input, row.prompt or b"", *row.texts)
    return Outcome(
        row.index, row.epoch, row.sample_id, job, row.answer, row.failure, dict(scores or {}), row.generation
    )


def from_cache(answer: Answer | None, run_id: str) -> bool:
    """Whether another run's call brought an answer; for one that a file of predictions holds, nobody was called."""
    return answer is not None and answer.completion.http_attempts > 0 and answer.run_id != run_id


def sample_result(outcome: Outcome, run_id: str) -> SampleResult:
    """Return an outcome of a run as the record that reports show."""
    job, answer = outcome.job, outcome.answer
    return SampleResult(
        outcome.sample_id,
        outcome.epoch,
        job.request.messages if job else (),
        job.sample.references if job else (),
        answer.completion if answer else None,
        outcome.scores,
        outcome.failure,
        from_cache(answer, run_id),
        job.sample.cluster if job else None,
        job.sample.slices if job else {},
        outcome.generation,
    )
