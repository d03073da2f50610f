"""Score a stored run's answers anew, with no calls."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

from llmkit.canonical import digest
from llmkit.runs.grade import grade, item_of, prepare
from llmkit.runs.plan import new_run_id
from llmkit.runs.records import Job, Outcome
from llmkit.runs.result import result_from
from llmkit.runs.state import Observer, State
from llmkit.runs.store import RunRow, SampleRow, Store
from llmkit.runs.tally import Tally
from llmkit.scoring.base import Scorer
from llmkit.scoring.registry import parse
from llmkit.types import Request, RunResult, Sample

CHUNK = 256


def scorers_of(run: RunRow) -> list[Scorer]:
    """Build the scorers that a run was configured with, as the installed llmkit has them now."""
    return [parse(entry, f"run {run.run_id}") for entry in run.about["scorers"]]


async def rescore(
    store: Store, run: RunRow, scorers: Sequence[Scorer], *, observer: Observer | None = None, seed: int = 0
) -> RunResult:
    """Score every stored answer of ``run``; the result is a run of its own that points to the same answers.

    A score that stands already under the same signature is taken as it is.

    Args:
        store: Where the run lies.
        run: Which.
        scorers: One metric each.
        observer: Is told how it goes.
        seed: Of the bootstrap.
    """
    prepare(scorers)
    began, clock = time.time(), time.perf_counter()
    slices = list(run.about["slices"])
    suite = {**run.config["suite"], "scorers": {s.name: s.signature for s in scorers}}
    fingerprints = {**run.config["fingerprints"], "scorers": digest(suite["scorers"])}
    config = {**run.config, "suite": suite, "fingerprints": fingerprints}
    about = {**run.about, "rescored_from": run.run_id}
    new = replace(
        run, run_id=new_run_id(), status="running", config=config, digest=digest(config), about=about,
        started_at=began, wall_s=0.0, result=None,
    )  # fmt: skip
    store.start_run(new)
    state, tally = State(total=run.planned), Tally(scorers, slices, seed=seed)
    signatures = {s.name: s.signature for s in scorers}
    samples = store.samples(run.run_id)
    while chunk := list(itertools.islice(samples, CHUNK)):
        outcomes = [_outcome(s) for s in chunk]
        stored = store.find_scores([s.answer.answer_id for s in chunk if s.answer])
        for o in outcomes:
            if o.answer and o.job:
                at = (o.answer.answer_id, o.job.input)
                o.scores |= {n: stored[*at, sig] for n, sig in signatures.items() if (*at, sig) in stored}
        await grade(scorers, [o for o in outcomes if o.failure is None])
        store.add_outcomes(new.run_id, outcomes, signatures)
        for o, row in zip(outcomes, chunk, strict=True):
            state.count(o, new.run_id)
            tally.add(o.index, o.epoch, o.scores, item_of(o), row.cluster, row.slices)
        if observer is not None:
            state.metric = tally.running()
            observer.update(state)
    wall = time.perf_counter() - clock
    result = result_from(new, state, tally.results(), "completed", wall, None)
    store.set_status(new.run_id, "completed", wall_s=wall, planned=result.total, result=asdict(result))
    return result


def _outcome(row: SampleRow) -> Outcome:
    job = None
    if row.input is not None:
        sample = Sample(row.sample_id, row.index, row.fields, row.references, row.cluster, row.slices)
        job = Job(sample, row.epoch, Request(row.messages), b"", row.input, row.prompt or b"", *row.texts)
    return Outcome(row.index, row.epoch, row.sample_id, job, row.answer, row.failure)
