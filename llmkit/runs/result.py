"""A run's end: its result, and its last line in the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Protocol

from llmkit.errors import BudgetError
from llmkit.runs.pace import speculation_of
from llmkit.runs.rows import RunRow
from llmkit.runs.runner import Runner
from llmkit.runs.state import State
from llmkit.runs.store import Store
from llmkit.types import Interval, Judged, MetricResult, RunResult, RunStatus, Totals

INTERRUPTIONS = (asyncio.CancelledError, KeyboardInterrupt)


def how_ended(error: BaseException) -> tuple[RunStatus, str]:
    """Return the status of a run that an error stopped, and what stopped it, in words."""
    if isinstance(error, INTERRUPTIONS):
        return "interrupted", "interrupted"
    return "budget" if isinstance(error, BudgetError) else "failed", str(error) or type(error).__name__


def result_from(
    run: RunRow,
    state: State,
    metrics: Mapping[str, MetricResult],
    judging: Mapping[str, Totals],
    status: RunStatus,
    wall_s: float,
    stopped_by: str | None,
) -> RunResult:
    """Make the record that reports show; ``wall_s`` is this stretch's, what went before is added."""
    return RunResult(
        run_id=run.run_id,
        suite=run.suite,
        model=run.model,
        status=status,
        total=state.total if state.total is not None else state.done,
        completed=state.completed,
        failed=state.failed,
        truncated=state.truncated,
        from_cache=state.from_cache,
        metrics=metrics,
        usage=state.totals,
        wall_s=run.wall_s + wall_s,
        started_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.started_at)),
        digest=run.digest,
        faults=dict(sorted(state.faults.items())),
        stopped_by=stopped_by,
        broken=state.broken,
        params=run.config.get("params", {}),
        origins=run.about.get("origins", {}),
        judging=judging,
        alias=run.alias,
        speculation=speculation_of(run),
        reasons={name: dict(sorted(sorts.items())) for name, sorts in sorted(state.reasons.items())},
    )


def result_of(run: RunRow) -> RunResult | None:
    """Read a run's stored result; None for a run that was killed before its end."""
    if run.result is None:
        return None
    metrics = {name: _metric(m) for name, m in run.result["metrics"].items()}
    faults = {name: (count, example) for name, (count, example) in run.result["faults"].items()}
    judging = {name: Totals(**paid) for name, paid in run.result.get("judging", {}).items()}  # older results have none
    read = {"metrics": metrics, "usage": Totals(**run.result["usage"]), "faults": faults, "judging": judging}
    return RunResult(**{**run.result, **read, "speculation": speculation_of(run)})


def _metric(stored: Mapping[str, Any]) -> MetricResult:
    intervals = {  # older results have no second one
        name: _interval(stored.get(name)) for name in ("interval", "interval_failures_wrong")
    }
    said = stored.get("judged")
    judged = None if said is None else Judged(**{**said, "interval": _interval(said["interval"])})
    slices = {name: {value: _metric(part) for value, part in parts.items()} for name, parts in stored["slices"].items()}
    return MetricResult(**{**stored, **intervals, "slices": slices, "judged": judged})


def _interval(stored: Mapping[str, Any] | None) -> Interval | None:
    return Interval(**stored) if stored else None


class Work(Protocol):
    """What a run did: a ``Runner``, or the ``Settler`` of a rescored run."""

    @property
    def run_id(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> State: ...  # noqa: D102

    def metrics(self) -> Mapping[str, MetricResult]:
        """Return the metrics over what was scored."""
        ...

    def judging(self) -> Mapping[str, Totals]:
        """Return the sums over the calls of each judge."""
        ...


def conclude(work: Work, store: Store, status: RunStatus, wall_s: float, stopped_by: str | None) -> RunResult:
    """Make a run's result and store it with the run's status."""
    run = store.run(work.run_id)
    attempts, usd = store.lost(run.run_id)
    work.state.totals = replace(work.state.totals, lost_attempts=attempts, lost_usd=usd)
    judging = work.judging()  # first: it says which models answered
    result = result_from(run, work.state, work.metrics(), judging, status, wall_s, stopped_by)
    store.set_status(run.run_id, status, wall_s=wall_s, planned=result.total, result=asdict(result))
    if status == "completed" and isinstance(work, Runner) and not work.plan.experiment:
        store.note(run.run_id, {"requests_fingerprint": work.requests_fingerprint})
    return result
