"""Runs and samples as the store keeps them: the records that it returns, and the rows that they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from llmkit.runs import records
from llmkit.runs.records import Answer, Job, Outcome
from llmkit.types import Failure, GenerationFacts, Message, RunStatus

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as stored. ``config`` decides the digest; ``about`` is what else was true (versions, git commit)."""

    run_id: str
    suite: str
    model: str
    status: RunStatus
    digest: str
    config: Mapping[str, Any]
    about: Mapping[str, Any]
    started_at: float
    wall_s: float
    planned: int
    result: Mapping[str, Any] | None

    @property
    def side(self) -> str | None:
        """``gate base``, ``A/A arm 2``: which side of an experiment it is; None for a run of its own."""
        experiment = self.config.get("experiment") or {}
        if "gate" in experiment:
            return f"gate {experiment['side']}"
        return f"A/A arm {experiment['arm']}" if "aa" in experiment else None

    @property
    def alias(self) -> str | None:
        """What the user called the model; None: by its name."""
        found: str | None = self.about.get("alias")
        return found

    @property
    def rescored_from(self) -> str | None:
        """The run whose answers this one scored anew; None for a run that asked."""
        found: str | None = self.about.get("rescored_from")
        return found


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample of a run as stored, with everything that it points to.

    ``texts`` are the fields, references and messages as the JSON that they are stored as.
    """

    index: int
    epoch: int
    sample_id: str
    fields: Mapping[str, Any]
    references: tuple[str, ...]
    cluster: str | None
    slices: Mapping[str, str]
    messages: tuple[Message, ...]
    input: bytes | None
    prompt: bytes | None
    texts: tuple[str, str, str]
    answer: Answer | None
    failure: Failure | None
    generation: GenerationFacts | None = None


def run_of(row: tuple[Any, ...]) -> RunRow:
    """Read a row of ``RUN_COLUMNS``."""
    run_id, suite, model, status, digest, config, about, started_at, wall_s, planned, result = row
    said = json.loads(result) if result else None
    config, about = json.loads(config), json.loads(about)
    return RunRow(run_id, suite, model, status, digest, config, about, started_at, wall_s, planned, said)


SQL_VARIABLES = 500  # keys of one SELECT; SQLite's own limit is 32,766, and the plan does not get better beyond this


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield values in the numbers that one SELECT takes."""
    for start in range(0, len(values), SQL_VARIABLES):
        yield values[start : start + SQL_VARIABLES]


def input_row(job: Job) -> tuple[Any, ...]:
    """Return the values of the table ``inputs``."""
    slices = json.dumps(dict(job.sample.slices), ensure_ascii=False)
    return (job.input, job.fields, job.references, job.sample.cluster, slices)


def sample_row(run_id: str, o: Outcome) -> tuple[Any, ...]:
    """Return the values of the table ``samples``."""
    job, failure = o.job, o.failure
    said = (failure.stage, failure.kind, failure.message) if failure else (None, None, None)
    answer_id = o.answer.answer_id if o.answer else None
    return (run_id, o.index, o.epoch, o.sample_id, job and job.input, job and job.prompt, answer_id, *said)


SCORE_KIND = 6
"""Where the kind of a failure stands among the values of the table ``scores``."""


def score_rows(outcomes: Iterable[Outcome], signatures: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of the table ``scores``."""
    for o in outcomes:
        if o.answer is None or o.job is None:
            continue
        for name, score in o.scores.items():
            yield (o.answer.answer_id, o.job.input, signatures[name], *records.score_row(score))


def sample_of(row: tuple[Any, ...]) -> SampleRow:
    """Read what ``Store.samples`` selects."""
    index, epoch, sample_id, fields, refs, cluster, slices, messages, input_, prompt, *rest = row
    stage, kind, message, facts, *answer = rest
    return SampleRow(
        index,
        epoch,
        sample_id,
        json.loads(fields) if fields else {},
        tuple(json.loads(refs)) if refs else (),
        cluster,
        json.loads(slices) if slices else {},
        records.messages_of(messages) if messages else (),
        input_,
        prompt,
        (fields or "{}", refs or "[]", messages or "[]"),
        records.answer_of(tuple(answer)) if answer[0] is not None else None,
        Failure(stage, kind, message) if stage else None,
        records.facts_of(facts) if facts else None,
    )
