"""Score a stored run's answers anew: the model is not asked, and judges only where they are among the scorers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmkit.canonical import digest
from llmkit.config import project_root
from llmkit.errors import UsageError
from llmkit.judges.scorer import is_entry
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.entries import entries_of
from llmkit.runs.grade import prepare
from llmkit.runs.outcome import outcome_of
from llmkit.runs.records import Outcome
from llmkit.runs.rows import RunRow
from llmkit.runs.scoring import Ended, chunks, opened, settle_all
from llmkit.runs.settle import Settler
from llmkit.runs.state import Observer, State
from llmkit.runs.store import Store
from llmkit.scoring.base import Scorer
from llmkit.scoring.learning import taught
from llmkit.scoring.registry import check_names
from llmkit.suites.scorers import build
from llmkit.types import RunResult, RunStatus


def scorers_of(run: RunRow) -> list[Scorer]:
    """Build the scorers that a run was configured with, as the installed llmkit has them now.

    Raises:
        UsageError: One of them was made in Python: a store can name it, and cannot make it.
    """
    if made := run.about.get("scorer_objects"):
        raise UsageError(
            f"run {run.run_id} was scored by Python objects, which the store cannot hold: {', '.join(made)}",
            hint="Name scorers with --scorer",
        )
    return [build(entry, f"run {run.run_id}", **_places(run)) for entry in run.about["scorers"]]


def build_scorers(entries: Sequence[str | Mapping[str, Any] | Scorer], where: str) -> list[Scorer]:
    """Build the scorers that a user names; a judge's file may then lie anywhere.

    Args:
        entries: Names, ``{name: {option: value}}``, ``{"judge": name}``, or scorers.
        where: Names them in errors.
    """
    return [build(e, None if is_entry(e) else where) if isinstance(e, (str, Mapping)) else e for e in entries]


def _places(run: RunRow) -> dict[str, Any]:
    """Where a run's judges are looked for: where its suite lies, if that is still there, else from here on."""
    path = run.about.get("suite_path")
    folder = Path(path).parent if path and Path(path).parent.is_dir() else Path()
    root = project_root(folder)
    return {"folder": folder, "roots": [root] if root is not None else []}


async def rescore(
    store: Store,
    run: RunRow,
    scorers: Sequence[str | Mapping[str, Any] | Scorer] | None = None,
    *,
    observer: Observer | None = None,
    seed: int | None = None,
    anew: bool = False,
    ended: Ended | None = None,
    max_cost: float | None = None,
    cache: bool = True,
    concurrency: int | None = None,
    retry: RetryPolicy | None = None,
    pass_k: Sequence[int] | None = None,
) -> RunResult:
    """Score every stored answer of ``run``; the result is a run of its own that points to the same answers.

    The model that answered is never asked. A judge is, and what it says is kept: a judge that has not changed, asked
    about the same answers, takes no call.

    A score that stands already under the same signature is taken as it is, what broke in a scorer is not. The new run
    is as complete as ``run``: where that was stopped, so is this one, and thresholds find too little evidence.

    Args:
        store: Where the run lies.
        run: Which.
        scorers: Names, ``{name: {option: value}}``, or scorers; the run's own where None.
        observer: Is told how it goes.
        seed: Of the bootstrap; the run's own where None.
        anew: Score everything, also what has a score under the same signature.
        ended: Is told the result, also that of an interrupted rescoring.
        max_cost: Hard cap in dollars on the judges' calls; the settings' where None.
        cache: Whether what judges said in other runs counts; with ``anew`` and without this they are asked again.
        concurrency: Judges' calls at once; None adapts.
        retry: How their calls are repeated.
        pass_k: For which k pass@k and pass^k are made; the run's own where None.

    Raises:
        UsageError: Two scorers of one name, or the run's own cannot be had; a judge cannot be asked.
        BudgetError: The next call of a judge does not fit under the cap; what was scored is kept, as a run of its own.
        ProviderError: A judge's server is of no use; likewise.
    """
    where = f"rescore {run.run_id}"
    own: Sequence[str | Mapping[str, Any] | Scorer] = scorers_of(run) if scorers is None else scorers
    built = build_scorers(own, where)
    check_names(built, lambda position: where)
    built = list(taught(built, lambda: _references(store, run)))
    prepare(built)
    path = run.about.get("suite_path") if scorers is None else None
    async with opened(
        store, built, max_cost=max_cost, cache=cache, concurrency=concurrency, retry=retry
    ) as (run_id, bench):  # fmt: skip
        entries = entries_of(run.about["scorers"] if scorers is None else scorers, built, path)
        changed: dict[str, Any] = {} if seed is None else {"seed": seed}
        if pass_k is not None:
            changed["pass_k"] = list(pass_k)
        new = _row(run, run_id, built, entries, changed)
        store.start_run(new)
        settler = Settler(
            store, run_id, built, list(run.about["slices"]),
            state=State(total=run.planned or None), seed=new.config["seed"], observer=observer, anew=anew, bench=bench,
            pass_k=new.config.get("pass_k", ()), epochs=new.config["epochs"],
        )  # fmt: skip
        return await settle_all(store, settler, _outcomes(store, run), ended, _ending_of(run))


def _references(store: Store, run: RunRow) -> Iterator[Sequence[str]]:
    """Yield the right answers of each sample that could be asked, once: what the run's own scorers have learnt from."""
    seen: set[int] = set()
    with contextlib.closing(store.samples(run.run_id)) as samples:
        for row in samples:
            if row.input is not None and row.index not in seen:
                seen.add(row.index)
                yield row.references


async def _outcomes(store: Store, run: RunRow) -> AsyncGenerator[Sequence[Outcome], None]:
    """Yield what is stored of the run's samples, a batch at a time."""
    with contextlib.closing(store.samples(run.run_id)) as samples:
        for chunk in chunks(samples):
            yield [outcome_of(row) for row in chunk]


def _ending_of(run: RunRow) -> tuple[RunStatus, str | None]:
    """Return how the source ended, which no scoring makes better."""
    if run.status in ("running", "killed"):  # what is stored is not all
        return "interrupted", f"run {run.run_id} had not ended"
    return run.status, (run.result or {}).get("stopped_by")


def _row(
    run: RunRow, run_id: str, scorers: Sequence[Scorer], entries: Mapping[str, Any], changed: Mapping[str, Any]
) -> RunRow:
    """Make the new run's record: the source's but for what scores it."""
    suite = {**run.config["suite"], "scorers": {s.name: s.signature for s in scorers}}
    fingerprints = {**run.config["fingerprints"], "scorers": digest(suite["scorers"])}
    config = {**run.config, "suite": suite, "fingerprints": fingerprints, **changed}
    about = {**run.about, **entries, "rescored_from": run.run_id}
    return replace(
        run, run_id=run_id, status="running", config=config, digest=digest(config), about=about,
        started_at=time.time(), wall_s=0.0, result=None,
    )  # fmt: skip
