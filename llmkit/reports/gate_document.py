"""The document of ``llmkit gate --json``: every figure with its n, interval and signature, null for what is unknown."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from llmkit.comparisons import Flip
from llmkit.judgements import Rate
from llmkit.reports.finite import finite
from llmkit.reports.flipped_document import AnsweredDocument, FlippedDocument, answered_document, flipped_document
from llmkit.verdicts import (
    Change,
    GateReport,
    JudgedVerdict,
    JudgeSpent,
    MetricVerdict,
    Needs,
    Planned,
    Spent,
    SuiteVerdict,
    Unjudged,
)


class ChangeDocument(TypedDict):
    """One thing that differs between base and head."""

    part: str
    how: str
    path: str | None
    old_path: str | None
    detail: str
    lines: list[tuple[int, int]]
    asks: bool


class NeedsDocument(TypedDict):
    """What a run planned anew would need; null where nothing would do.

    Of a slice, samples and available are of that part, and of_all is what the whole data set would have to be.
    """

    samples: int | None
    epochs: int | None
    margin: float | None
    available: int | None
    of_all: int | None


class RateDocument(TypedDict):
    """A share with its interval; null where there is nothing to divide by."""

    value: float | None
    n: int
    ci: tuple[float | None, float | None] | None
    confidence: float | None


class UnjudgedDocument(TypedDict):
    """Answers of one side without a verdict: their pairs are left out."""

    asked: int
    cannot_tell: int
    unread: int


class JudgedVerdictDocument(TypedDict):
    """What stands behind a judged metric.

    Its ``base`` and ``head`` are raw rates, its ``difference`` is ``raw_difference`` ÷ ``youden``, which is
    TPR + TNR − 1. ``refused`` says why this judge may decide nothing; ``differential`` is true where the labels prove
    that it errs otherwise on one side.
    """

    judge: str
    status: str
    lock: str | None
    raw_difference: float | None
    youden: float | None
    tpr: RateDocument | None
    tnr: RateDocument | None
    base: UnjudgedDocument
    head: UnjudgedDocument
    errors: str
    differential: bool
    refused: str | None


class JudgeSpentDocument(TypedDict):
    """What one judge's calls came to, on both sides together; ``cost_usd`` is null where it is unknown."""

    judge: str
    model: str
    calls: int
    cost_usd: float | None


class VerdictDocument(TypedDict):
    """One gating metric. A bound of ``ci`` that cannot be had is null; ``relative``: shares of base's value."""

    metric: str
    slice: tuple[str, str] | None
    verdict: str
    within_margin: bool
    margin: float
    relative: bool
    higher_is_better: bool
    base: float | None
    head: float | None
    difference: float | None
    ci: tuple[float | None, float | None] | None
    ci_method: str | None
    confidence: float | None
    adjusted: float | None
    ruled_out: float | None
    n: int
    look: int
    gains: int
    losses: int
    ties: int
    reason: str | None
    needs: NeedsDocument | None
    method: str
    signature: str
    judged: JudgedVerdictDocument | None


class PlannedDocument(TypedDict):
    """How many samples may be asked, why, and what that costs at most."""

    n_max: int
    wanted: int
    available: int
    unit: str
    epochs: int
    spread: str
    resolvable: dict[str, float]
    calls: int
    from_cache: int
    judge_calls: dict[str, int]
    worst_case_usd: float | None
    unknown: str | None


class SpentDocument(TypedDict):
    """What one side's answers came to; ``cost_usd`` is null where it is unknown."""

    model: str
    run_id: str | None
    calls: int
    from_cache: int
    failed: int
    cost_usd: float | None


class FlipDocument(FlippedDocument):
    """A sample on which the sides differ; ``change`` is negative for a loss, whatever the metric's direction."""

    base: AnsweredDocument
    head: AnsweredDocument


class SuiteDocument(TypedDict):
    """One suite that a change reaches."""

    suite: str
    path: str | None
    verdict: str
    exit_code: int
    changes: list[ChangeDocument]
    metrics: list[VerdictDocument]
    planned: PlannedDocument | None
    n: int
    look: int
    looks: int
    base: SpentDocument
    head: SpentDocument
    judges: list[JudgeSpentDocument]
    flipped: int
    flips: list[FlipDocument]
    dropped_pairs: int
    shared_requests: int
    failures_rule: str
    stopped_by: str | None
    reason: str | None
    warning: str | None
    new: bool
    missing: list[str]
    saved_calls: int
    saved_usd: float | None
    notes: list[str]


class GateDocument(TypedDict):
    """What ``llmkit gate --json`` prints."""

    verdict: str
    exit_code: int
    base: str
    head: str
    suites: list[SuiteDocument]
    untouched: list[str]
    on_inconclusive: str | None
    alpha: float
    seed: int
    listed: bool
    wall_s: float
    notes: list[str]


def gate_document(report: GateReport) -> GateDocument:
    """Return the report as plain dicts and lists, ready for ``json.dumps(…, allow_nan=False)``."""
    return {
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "base": report.base,
        "head": report.head,
        "suites": [_suite(suite) for suite in report.suites],
        "untouched": list(report.untouched),
        "on_inconclusive": report.on_inconclusive,
        "alpha": report.alpha,
        "seed": report.seed,
        "listed": report.listed,
        "wall_s": report.wall_s,
        "notes": list(report.notes),
    }


def gate_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(GateDocument).json_schema()


def _suite(suite: SuiteVerdict) -> SuiteDocument:
    return {
        "suite": suite.suite,
        "path": suite.path,
        "verdict": suite.verdict,
        "exit_code": suite.exit_code,
        "changes": [_change(change) for change in suite.changes],
        "metrics": [_metric(metric) for metric in suite.metrics],
        "planned": None if suite.planned is None else _planned(suite.planned),
        "n": suite.n,
        "look": suite.look,
        "looks": suite.looks,
        "base": _spent(suite.base),
        "head": _spent(suite.head),
        "judges": [_judge_spent(one) for one in suite.judges],
        "flipped": suite.flipped,
        "flips": [_flip(flip) for flip in suite.flips],
        "dropped_pairs": suite.dropped,
        "shared_requests": suite.same,
        "failures_rule": suite.rule,
        "stopped_by": suite.stopped_by,
        "reason": suite.reason,
        "warning": suite.warning,
        "new": suite.new,
        "missing": list(suite.missing),
        "saved_calls": suite.saved_calls,
        "saved_usd": finite(suite.saved_usd),
        "notes": list(suite.notes),
    }


def _metric(metric: MetricVerdict) -> VerdictDocument:
    interval = metric.interval
    return {
        "metric": metric.metric,
        "slice": metric.slice,
        "verdict": metric.verdict,
        "within_margin": metric.within,
        "margin": metric.margin,
        "relative": metric.relative,
        "higher_is_better": metric.higher_is_better,
        "base": finite(metric.base),
        "head": finite(metric.head),
        "difference": finite(metric.difference),
        "ci": None if interval is None else (finite(interval.low), finite(interval.high)),
        "ci_method": None if interval is None else interval.method,
        "confidence": None if interval is None else interval.confidence,
        "adjusted": finite(metric.adjusted),
        "ruled_out": finite(metric.ruled_out),
        "n": metric.n,
        "look": metric.look,
        "gains": metric.gains,
        "losses": metric.losses,
        "ties": metric.ties,
        "reason": metric.reason,
        "needs": None if metric.needs is None else _needs(metric.needs),
        "method": metric.method,
        "signature": metric.signature,
        "judged": None if metric.judged is None else _judged(metric.judged),
    }


def _judged(judged: JudgedVerdict) -> JudgedVerdictDocument:
    return {
        "judge": judged.judge,
        "status": judged.status,
        "lock": judged.lock,
        "raw_difference": finite(judged.raw),
        "youden": finite(judged.youden),
        "tpr": _rate(judged.tpr),
        "tnr": _rate(judged.tnr),
        "base": _unjudged(judged.base),
        "head": _unjudged(judged.head),
        "errors": judged.errors,
        "differential": judged.differential,
        "refused": judged.refused,
    }


def _rate(rate: Rate | None) -> RateDocument | None:
    if rate is None:
        return None
    interval = rate.interval
    return {
        "value": finite(rate.value),
        "n": rate.n,
        "ci": None if interval is None else (finite(interval.low), finite(interval.high)),
        "confidence": None if interval is None else interval.confidence,
    }


def _unjudged(one: Unjudged) -> UnjudgedDocument:
    return {"asked": one.asked, "cannot_tell": one.cannot_tell, "unread": one.unread}


def _judge_spent(one: JudgeSpent) -> JudgeSpentDocument:
    return {"judge": one.judge, "model": one.model, "calls": one.calls, "cost_usd": finite(one.cost_usd)}


def _needs(needs: Needs) -> NeedsDocument:
    return {
        "samples": needs.samples,
        "epochs": needs.epochs,
        "margin": finite(needs.margin),
        "available": needs.available,
        "of_all": needs.of_all,
    }


def _change(change: Change) -> ChangeDocument:
    return {
        "part": change.part,
        "how": change.how,
        "path": change.path,
        "old_path": change.old_path,
        "detail": change.detail,
        "lines": list(change.lines),
        "asks": change.asks,
    }


def _planned(planned: Planned) -> PlannedDocument:
    return {
        "n_max": planned.n_max,
        "wanted": planned.wanted,
        "available": planned.available,
        "unit": planned.unit,
        "epochs": planned.epochs,
        "spread": planned.spread,
        "resolvable": dict(planned.resolvable),
        "calls": planned.calls,
        "from_cache": planned.from_cache,
        "judge_calls": dict(planned.judge_calls),
        "worst_case_usd": finite(planned.worst_case_usd),
        "unknown": planned.unknown,
    }


def _spent(spent: Spent) -> SpentDocument:
    return {
        "model": spent.model,
        "run_id": spent.run_id,
        "calls": spent.calls,
        "from_cache": spent.from_cache,
        "failed": spent.failed,
        "cost_usd": finite(spent.cost_usd),
    }


def _flip(flip: Flip) -> FlipDocument:
    return {**flipped_document(flip), "base": answered_document(flip.a), "head": answered_document(flip.b)}
