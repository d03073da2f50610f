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
from llmkit.reports.heat import HeatDocument, heat_document, heat_maps
from llmkit.reports.speed_document import SpeculationDocument, speculation_document
from llmkit.types import Judged, MetricResult, RunResult, Totals


class JudgedDocument(TypedDict):
    """What stands behind a judged metric, whose own ``value`` and ``ci`` are raw: of verdicts.

    ``rate`` and ``ci`` are corrected; null where nothing is, and ``why`` says why.
    """

    judge: str
    status: str
    lock: str | None
    rate: float | None
    ci: tuple[float, float] | None
    ci_method: str | None
    confidence: float | None
    estimator: str | None
    why: str
    cannot_tell: int
    unread: int


class MetricDocument(TypedDict):
    """One metric. ``ci`` is null where there is no interval; ``value`` where nothing was scored.

    ``value_failures_wrong`` counts failures as wrong answers; it has an interval of its own where there are some.
    ``judged`` is there where a judge gave the scores, ``overflowed`` where some of ``failed`` had prompts that are
    longer than the model's context.
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
    overflowed: NotRequired[int]
    slices: NotRequired[dict[str, dict[str, MetricDocument]]]
    judged: NotRequired[JudgedDocument]


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


class JudgingDocument(UsageDocument):
    """Sums over the calls of one judge; they are no part of the run's own ``usage``."""

    cost_usd: float | None
    cached_cost_usd: float | None
    lost_cost_usd: float | None


class FaultDocument(TypedDict):
    """How often something went wrong, and one message."""

    count: int
    example: str


class RunDocument(TypedDict):
    """One run. ``origins`` says of ``model``, of each parameter and of each provider's option what set it.

    ``reasons`` counts wrong answers by metric and sort of reason; ``alias`` is what the user called the model.
    """

    run_id: str
    suite: str
    model: str
    alias: NotRequired[str]
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
    judging: NotRequired[dict[str, JudgingDocument]]
    heat_maps: NotRequired[list[HeatDocument]]
    reasons: NotRequired[dict[str, dict[str, int]]]
    speculation: NotRequired[SpeculationDocument]


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
    shown: RunDocument = {
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
        "usage": _usage(run.usage),
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
    if run.alias is not None:
        shown["alias"] = run.alias
    if maps := heat_maps(run):
        shown["heat_maps"] = [heat_document(found) for found in maps]
    if run.reasons:
        shown["reasons"] = {name: dict(sorts) for name, sorts in run.reasons.items()}
    if (drafted := speculation_document(run.speculation)) is not None:
        shown["speculation"] = drafted
    if run.judging:
        shown["judging"] = {name: _judging(totals) for name, totals in run.judging.items()}
    return shown


def _usage(totals: Totals) -> UsageDocument:
    return {
        "input_tokens": totals.input,
        "output_tokens": totals.output,
        "cached_tokens": totals.cached,
        "reasoning_tokens": totals.reasoning,
        "calls": totals.calls,
        "http_attempts": totals.http_attempts,
        "lost_attempts": totals.lost_attempts,
    }


def _judging(totals: Totals) -> JudgingDocument:
    return {
        **_usage(totals),
        "cost_usd": finite(totals.cost_usd),
        "cached_cost_usd": finite(totals.cached_cost_usd),
        "lost_cost_usd": finite(totals.lost_usd),
    }


def _judged(judged: Judged) -> JudgedDocument:
    return {
        "judge": judged.judge,
        "status": judged.status,
        "lock": judged.lock,
        "rate": finite(judged.rate),
        "ci": bounds(judged.interval),
        "ci_method": judged.interval.method if judged.interval else None,
        "confidence": judged.interval.confidence if judged.interval else None,
        "estimator": judged.estimator,
        "why": judged.why,
        "cannot_tell": judged.cannot_tell,
        "unread": judged.unread,
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
    if metric.judged is not None:
        shown["judged"] = _judged(metric.judged)
    if metric.overflowed:
        shown["overflowed"] = metric.overflowed
    if metric.slices:
        shown["slices"] = {
            name: {part: _metric(result) for part, result in parts.items()} for name, parts in metric.slices.items()
        }
    return shown
