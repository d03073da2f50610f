"""The list of stored runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.table import Table
from rich.text import Text

from llmkit.reports.numbers import count, figure
from llmkit.reports.text import one_line
from llmkit.text import labelled


class StoredRun(Protocol):
    """What the list shows of a run."""

    @property
    def run_id(self) -> str: ...  # noqa: D102
    @property
    def suite(self) -> str: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def alias(self) -> str | None: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102
    @property
    def started_at(self) -> float: ...  # noqa: D102
    @property
    def side(self) -> str | None: ...  # noqa: D102
    @property
    def result(self) -> Mapping[str, Any] | None: ...  # noqa: D102


def runs_table(runs: Sequence[StoredRun]) -> Table:
    """Return one line a run: id, when, what, how it ended, its first metric."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "started (UTC)", "suite", "model", "status", "samples", "first metric"):
        table.add_column(name, overflow="fold", justify="right" if name == "samples" else "left")
    for run in runs:
        started = time.strftime("%Y-%m-%d %H:%M", time.gmtime(run.started_at))
        samples = f"{count(run.result['completed'])}/{count(run.result['total'])}" if run.result else "unknown"
        suite = f"{run.suite} ({run.side})" if run.side else run.suite
        name = labelled(run.model, run.alias)
        cells = (run.run_id, started, suite, name, run.status, samples, _first_metric(run.result))
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    return table


def runs_document(runs: Sequence[StoredRun]) -> dict[str, Any]:
    """Return the list as plain data."""
    return {"runs": [_run(run) for run in runs]}


def _run(run: StoredRun) -> dict[str, Any]:
    done = run.result or {}
    return {
        "run_id": run.run_id,
        "suite": run.suite,
        "model": run.model,
        **({} if run.alias is None else {"alias": run.alias}),
        "side": run.side,
        "status": run.status,
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.started_at)),
        "digest": run.digest,
        "samples": {key: done.get(key) for key in ("total", "completed", "failed")},
        "metrics": {name: metric["value"] for name, metric in done.get("metrics", {}).items()},
        **_judges(done.get("metrics", {})),
    }


def _judges(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Say whose raw rates are among the metrics, and what each judge was measured to be."""
    found = {name: metric["judged"]["status"] for name, metric in metrics.items() if metric.get("judged")}
    return {"judges": found} if found else {}


def _first_metric(result: Mapping[str, Any] | None) -> str:
    for name, metric in (result or {}).get("metrics", {}).items():
        said = f"{name} {figure(metric['value'], 3) if metric['value'] is not None else 'unknown'}"
        judged = metric.get("judged")
        return said if judged is None else f"{said} (raw, {judged['status']} judge)"
    return ""
