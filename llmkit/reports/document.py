"""The document of ``--json``: every figure of some runs, and no number that JSON cannot hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    Any,
    NotRequired,  # pydantic reads typing's own from Python 3.12 on
)

from typing_extensions import TypedDict

from llmkit.comparisons import Comparison
from llmkit.reports.comparison_document import ComparisonDocument, comparison_document
from llmkit.reports.finite import bounds, finite
from llmkit.types import MetricResult, RunResult


class MetricDocument(TypedDict):
    """One metric. ``ci`` is null where there is no interval; ``value`` where nothing was scored.

    ``value_failures_wrong`` counts failures as wrong answers; it has an interval of its own where there are some.
    """

    value: float | None
    ci: tuple[float, float] | None
    n: int
    failed: int
    value_failures_wrong: float | None
    ci_failures_wrong: tuple[float, float] | None
    signature: str
    ci_method: str | None
    confidence: float | None
    slices: NotRequired[dict[str, dict[str, MetricDocument]]]


class SamplesDocument(TypedDict):
    """Counts of samples."""

    total: int
    completed: int
    failed: int
    truncated: int
    from_cache: int


class UsageDocument(TypedDict):
    """Sums over the calls of a run; null where a provider did not say."""

    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    calls: int
    http_attempts: int
    lost_attempts: int


class FaultDocument(TypedDict):
    """How often something went wrong, and one message."""

    count: int
    example: str


class RunDocument(TypedDict):
    """One run. ``origins`` says of ``model``, of each parameter and of each provider's option what set it."""

    run_id: str
    suite: str
    model: str
    status: str
    samples: SamplesDocument
    metrics: dict[str, MetricDocument]
    usage: UsageDocument
    cost_usd: float | None
    cached_cost_usd: float | None
    lost_cost_usd: float | None
    wall_s: float
    started_at: str
    digest: str
    faults: dict[str, FaultDocument]
    stopped_by: str | None
    params: dict[str, Any]
    origins: dict[str, str]


class ResultsDocument(TypedDict):
    """What ``--json`` prints. ``comparisons`` are of several models on one suite, each against the first."""

    runs: list[RunDocument]
    comparisons: NotRequired[list[ComparisonDocument]]


def document(results: Sequence[RunResult], comparisons: Sequence[Comparison] = ()) -> ResultsDocument:
    """Return the runs as plain dicts and lists, ready for ``json.dumps(…, allow_nan=False)``."""
    shown: ResultsDocument = {"runs": [_run(run) for run in results]}
    if comparisons:
        shown["comparisons"] = [comparison_document(comparison) for comparison in comparisons]
    return shown


def document_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(ResultsDocument).json_schema()


def _run(run: RunResult) -> RunDocument:
    return {
        "run_id": run.run_id,
        "suite": run.suite,
        "model": run.model,
        "status": run.status,
        "samples": {
            "total": run.total,
            "completed": run.completed,
            "failed": run.failed,
            "truncated": run.truncated,
            "from_cache": run.from_cache,
        },
        "metrics": {name: _metric(metric) for name, metric in run.metrics.items()},
        "usage": {
            "input_tokens": run.usage.input,
            "output_tokens": run.usage.output,
            "cached_tokens": run.usage.cached,
            "reasoning_tokens": run.usage.reasoning,
            "calls": run.usage.calls,
            "http_attempts": run.usage.http_attempts,
            "lost_attempts": run.usage.lost_attempts,
        },
        "cost_usd": finite(run.usage.cost_usd),
        "cached_cost_usd": finite(run.usage.cached_cost_usd),
        "lost_cost_usd": finite(run.usage.lost_usd),
        "wall_s": run.wall_s,
        "started_at": run.started_at,
        "digest": run.digest,
        "faults": {name: {"count": times, "example": example} for name, (times, example) in run.faults.items()},
        "stopped_by": run.stopped_by,
        "params": dict(run.params),
        "origins": dict(run.origins),
    }


def _metric(metric: MetricResult) -> MetricDocument:
    interval = metric.interval
    shown: MetricDocument = {
        "value": finite(metric.value),
        "ci": bounds(interval),
        "n": metric.n,
        "failed": metric.failed,
        "value_failures_wrong": finite(metric.value_failures_wrong),
        "ci_failures_wrong": bounds(metric.interval_failures_wrong),
        "signature": metric.signature,
        "ci_method": interval.method if interval else None,
        "confidence": interval.confidence if interval else None,
    }
    if metric.slices:
        shown["slices"] = {
            name: {part: _metric(result) for part, result in parts.items()} for name, parts in metric.slices.items()
        }
    return shown
