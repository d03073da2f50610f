"""Which run a plan is: one that goes on from before, or a new one."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmkit.canonical import digest
from llmkit.errors import ResumeMismatchError, UsageError
from llmkit.providers.base import Provider
from llmkit.runs.key import identity
from llmkit.runs.lock import RunLock
from llmkit.runs.options import Options
from llmkit.runs.plan import Plan, changed_keys, new_run_id
from llmkit.runs.rows import RunRow
from llmkit.runs.store import Store

UNFINISHED = ("running", "interrupted", "budget", "failed")


@dataclass(frozen=True, slots=True)
class Planned:
    """A run about to start: its plan, its provider, where it is stored, and whether it goes on from before."""

    run_id: str
    plan: Plan
    provider: Provider
    config: dict[str, Any]
    digest: str
    lock: RunLock
    resumed: bool


def plan_run(plan: Plan, provider: Provider, options: Options, store: Store, locks: contextlib.ExitStack) -> Planned:
    """Find the run to go on with, or make a new one; its lock is held until ``locks`` are closed.

    Raises:
        ResumeMismatchError: The run to go on with was configured otherwise.
        UsageError: There is no such run, or another process executes it.
    """
    config = plan.config(identity(provider))
    config_digest = digest(config)
    run, lock = _unfinished(plan, config, config_digest, options, store)
    if run is None:
        run_id, lock = new_run(store)
    else:
        run_id = run.run_id
        store.charge_killed(run_id)
    locks.callback(lock.release)
    return Planned(run_id, plan, provider, config, config_digest, lock, run is not None)


def new_run(store: Store) -> tuple[str, RunLock]:
    """Choose an id that no run has, and lock it: a command may start a hundred runs in the second that an id names."""
    while True:
        run_id = new_run_id()
        lock = RunLock(store.path.parent, run_id)
        if lock.acquire():
            if not store.has_run(run_id):
                return run_id, lock
            lock.release()


def _unfinished(
    plan: Plan, config: Mapping[str, Any], config_digest: str, options: Options, store: Store
) -> tuple[RunRow | None, RunLock]:
    """Find the run to go on with, and lock it; one that another process executes is left alone."""
    none = RunLock(store.path.parent, "none")
    insist = options.resume or options.resume_run is not None
    if options.fresh and insist:
        raise UsageError("--fresh starts anew and --resume goes on: give one of them")
    if options.fresh:
        return None, none
    if options.resume_run is not None:
        candidates = [_resumable(store.run(options.resume_run))]
    elif options.resume:
        same = (plan.suite.name, plan.model.name)
        unended = [r for r in store.runs() if (r.suite, r.model) == same and _unended(r)]
        # One model may have been asked in several configurations: the run of this one goes on, whichever was the last.
        candidates = sorted(unended, key=lambda run: run.digest != config_digest)[:1]
    else:
        candidates = [r for r in store.runs(digest=config_digest) if _unended(r)]
    for run in candidates:
        if run.digest != config_digest:
            raise ResumeMismatchError(run.run_id, changed_keys(run.config, config))
        lock = RunLock(store.path.parent, run.run_id)
        if lock.acquire():
            now = store.run(run.run_id)  # it may have come to its end since it was looked at
            if _unended(now):
                return now, lock
            lock.release()
            if options.resume_run is not None:
                _resumable(now)
            continue
        if insist:
            raise UsageError(f"run {run.run_id} is being executed by another process", hint="Wait for it to end")
    if insist:
        what = options.resume_run or f"of {plan.suite.name} on {plan.model.name}"
        raise UsageError(f"there is no unfinished run {what}", hint="`llmkit runs list` shows what there is")
    return None, none


def _unended(run: RunRow) -> bool:
    # A rescored run asks nothing, whatever its status; nor does one that scored given answers.
    return run.status in UNFINISHED and run.rescored_from is None and "predictions" not in run.about


def _resumable(run: RunRow) -> RunRow:
    if run.rescored_from is not None:
        raise UsageError(
            f"run {run.run_id} scored the answers of run {run.rescored_from} anew: there is nothing to ask",
            hint=f"Go on with `llmkit rescore {run.rescored_from}`",
        )
    if given := run.about.get("predictions"):
        raise UsageError(
            f"run {run.run_id} scored the answers in {given}: there is nothing to ask",
            hint=f"Go on with `llmkit score {given}`",
        )
    if run.status not in UNFINISHED:
        raise UsageError(
            f"run {run.run_id} is {run.status}: there is nothing to go on with",
            hint="Without --resume-run, the same command starts a new run, and its answers come from the cache",
        )
    return run
