"""The document of ``llmkit compare --json``: every figure of a comparison, and no number that JSON cannot hold."""

from __future__ import annotations

from typing import (
    Any,
    NotRequired,  # pydantic reads typing's own from Python 3.12 on
)

from typing_extensions import TypedDict

from llmkit.comparisons import AmountDifference, Comparison, Flip, MetricDifference, Side
from llmkit.reports.finite import bounds, finite
from llmkit.reports.flipped_document import AnsweredDocument, FlippedDocument, answered_document, flipped_document
from llmkit.reports.speed_document import SpeedDocument, speed_document
from llmkit.reports.variant_document import MarginDocument, SamenessDocument, margin_document, sameness_document


class SideDocument(TypedDict):
    """One run. ``stored`` is false for a file; ``status`` is null where a file does not say."""

    name: str
    run_id: str
    suite: str
    model: str
    status: str | None
    samples: int
    failed: int
    cost_usd: float | None
    stored: bool
    alias: NotRequired[str]


class DifferenceDocument(TypedDict):
    """One metric on both sides. ``difference`` is b − a; ``ci`` is null where there is no interval.

    ``p_adjusted`` is of slices alone: Holm's, over all slices of the metric. ``signature_a`` is null where both sides
    have the same; ``unknown`` says why there is no figure.
    """

    a: float | None
    b: float | None
    difference: float | None
    ci: tuple[float, float] | None
    ci_method: str | None
    confidence: float | None
    p_value: float | None
    test: str | None
    n: int
    clusters: int | None
    won: int
    lost: int
    tied: int
    failed_a: int
    failed_b: int
    higher_is_better: bool
    signature: str
    signature_a: str | None
    unknown: str | None
    p_adjusted: NotRequired[float | None]
    slices: NotRequired[dict[str, dict[str, DifferenceDocument]]]


class AmountDocument(TypedDict):
    """Dollars, tokens or seconds of an answer: mean, median or p95 of each side, and b / a."""

    name: str
    statistic: str
    a: float | None
    b: float | None
    ratio: float | None
    ci: tuple[float, float] | None
    ci_method: str | None
    n: int
    unknown: str | None


class FlipDocument(FlippedDocument):
    """A sample that differs; ``change`` is negative where b is worse, whatever the metric's direction."""

    a: AnsweredDocument
    b: AnsweredDocument


class ComparisonDocument(TypedDict):
    """Two runs, paired by sample and epoch. ``forced`` says what differs though it should not.

    ``verdict`` is that on all margins, null where none was asked about.
    """

    a: SideDocument
    b: SideDocument
    pairs: int
    only_a: int
    only_b: int
    metrics: dict[str, DifferenceDocument]
    amounts: list[AmountDocument]
    flips: list[FlipDocument]
    flipped: int
    forced: list[str]
    differs: list[str]
    notes: list[str]
    margins: list[MarginDocument]
    verdict: str | None
    sameness: SamenessDocument | None
    speed: SpeedDocument | None
    confidence: float
    seed: int


def comparison_document(comparison: Comparison) -> ComparisonDocument:
    """Return a comparison as plain dicts and lists, ready for ``json.dumps(…, allow_nan=False)``."""
    return {
        "a": _side(comparison.a),
        "b": _side(comparison.b),
        "pairs": comparison.pairs,
        "only_a": comparison.only_a,
        "only_b": comparison.only_b,
        "metrics": {name: _metric(metric) for name, metric in comparison.metrics.items()},
        "amounts": [_amount(amount) for amount in comparison.amounts],
        "flips": [flip_document(flip) for flip in comparison.flips],
        "flipped": comparison.flipped,
        "forced": list(comparison.forced),
        "differs": list(comparison.differs),
        "notes": list(comparison.notes),
        "margins": [margin_document(margin) for margin in comparison.margins],
        "verdict": comparison.verdict,
        "sameness": sameness_document(comparison.sameness),
        "speed": speed_document(comparison.speed),
        "confidence": comparison.confidence,
        "seed": comparison.seed,
    }


def comparison_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(ComparisonDocument).json_schema()


def flip_document(flip: Flip) -> FlipDocument:
    """Return one flip, its texts whole."""
    return {**flipped_document(flip), "a": answered_document(flip.a), "b": answered_document(flip.b)}


def _side(side: Side) -> SideDocument:
    shown: SideDocument = {
        "name": side.name,
        "run_id": side.run_id,
        "suite": side.suite,
        "model": side.model,
        "status": side.status,
        "samples": side.samples,
        "failed": side.failed,
        "cost_usd": finite(side.cost_usd),
        "stored": side.stored,
    }
    if side.alias is not None:
        shown["alias"] = side.alias
    return shown


def _metric(metric: MetricDifference, *, part: bool = False) -> DifferenceDocument:
    interval = metric.interval
    shown: DifferenceDocument = {
        "a": finite(metric.a),
        "b": finite(metric.b),
        "difference": finite(metric.difference),
        "ci": bounds(interval),
        "ci_method": interval.method if interval else None,
        "confidence": interval.confidence if interval else None,
        "p_value": finite(metric.p_value),
        "test": metric.test,
        "n": metric.n,
        "clusters": metric.clusters,
        "won": metric.won,
        "lost": metric.lost,
        "tied": metric.tied,
        "failed_a": metric.failed_a,
        "failed_b": metric.failed_b,
        "higher_is_better": metric.higher_is_better,
        "signature": metric.signature,
        "signature_a": metric.signature_a,
        "unknown": metric.unknown,
    }
    if part:
        shown["p_adjusted"] = finite(metric.p_adjusted)
    if metric.slices:
        shown["slices"] = {
            name: {value: _metric(one, part=True) for value, one in parts.items()}
            for name, parts in metric.slices.items()
        }
    return shown


def _amount(amount: AmountDifference) -> AmountDocument:
    return {
        "name": amount.name,
        "statistic": amount.statistic,
        "a": finite(amount.a),
        "b": finite(amount.b),
        "ratio": finite(amount.ratio),
        "ci": bounds(amount.interval),
        "ci_method": amount.interval.method if amount.interval else None,
        "n": amount.n,
        "unknown": amount.unknown,
    }
