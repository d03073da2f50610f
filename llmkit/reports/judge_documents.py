"""What the JSON documents of judges share: rates, counts, figures, probes, and what calls came to."""

from __future__ import annotations

from typing_extensions import TypedDict

from llmkit.judgements import Counts, Figures, Probe, Rate
from llmkit.reports.finite import bounds, finite
from llmkit.types import Totals


class RateDocument(TypedDict):
    """A share or mean. ``ci`` is null where there is no interval, ``value`` where there is nothing to divide by."""

    value: float | None
    ci: tuple[float, float] | None
    ci_method: str | None
    confidence: float | None
    n: int


class CountsDocument(TypedDict):
    """Verdicts against labels: a row a label, a column a verdict; effective counts (Kish) where ``weighted``.

    ``cannot_tell_of`` and ``unread_of`` count by label, null where that is not known. ``drawn`` is the table in the
    shares in which the items were drawn, null where ``table`` is that.
    """

    labels: list[str]
    table: list[list[float]]
    cannot_tell: int
    unread: int
    cannot_tell_of: dict[str, int] | None
    unread_of: dict[str, int] | None
    weighted: bool
    drawn: list[list[float]] | None


class FiguresDocument(TypedDict):
    """How well verdicts agree with labels; a figure that the kind does not have is null."""

    counts: CountsDocument
    accuracy: RateDocument
    balanced_accuracy: RateDocument | None
    kappa: RateDocument | None
    weighted_kappa: RateDocument | None
    ac1: RateDocument | None
    tpr: RateDocument | None
    tnr: RateDocument | None
    spearman: RateDocument | None
    mae: RateDocument | None
    consistency: RateDocument | None


class ProbeDocument(TypedDict):
    """What moves verdicts and should not; ``passed`` is null without a limit, ``moved`` where it was not run."""

    name: str
    moved: float | None
    ci: tuple[float, float] | None
    n: int
    p_value: float | None
    limit: float | None
    passed: bool | None
    flagged: bool
    said: str


class PaidDocument(TypedDict):
    """What calls came to: ``cost_usd`` now, ``cached_cost_usd`` of what the store spared; null where unknown."""

    calls: int
    cost_usd: float | None
    cached_cost_usd: float | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    http_attempts: int
    lost_attempts: int
    lost_cost_usd: float | None


def rate_document(rate: Rate) -> RateDocument:
    """Return a rate as plain data."""
    return {
        "value": finite(rate.value),
        "ci": bounds(rate.interval),
        "ci_method": rate.interval.method if rate.interval else None,
        "confidence": rate.interval.confidence if rate.interval else None,
        "n": rate.n,
    }


def maybe_rate(rate: Rate | None) -> RateDocument | None:
    """Return a rate as plain data; None where there is none."""
    return None if rate is None else rate_document(rate)


def counts_document(counts: Counts) -> CountsDocument:
    """Return counts as plain data."""
    return {
        "labels": list(counts.labels),
        "table": [list(row) for row in counts.table],
        "cannot_tell": counts.cannot_tell,
        "unread": counts.unread,
        "cannot_tell_of": _by_label(counts, counts.cannot_tell, counts.cannot_tell_of),
        "unread_of": _by_label(counts, counts.unread, counts.unread_of),
        "weighted": counts.weighted,
        "drawn": [list(row) for row in counts.drawn] or None,
    }


def _by_label(counts: Counts, count: int, of: tuple[int, ...]) -> dict[str, int] | None:
    if count != sum(of):
        return None  # of a lock that did not keep them
    return dict(zip(counts.labels, of or (0,) * len(counts.labels), strict=True))


def figures_document(figures: Figures) -> FiguresDocument:
    """Return figures as plain data."""
    return {
        "counts": counts_document(figures.counts),
        "accuracy": rate_document(figures.accuracy),
        "balanced_accuracy": maybe_rate(figures.balanced_accuracy),
        "kappa": maybe_rate(figures.kappa),
        "weighted_kappa": maybe_rate(figures.weighted_kappa),
        "ac1": maybe_rate(figures.ac1),
        "tpr": maybe_rate(figures.tpr),
        "tnr": maybe_rate(figures.tnr),
        "spearman": maybe_rate(figures.spearman),
        "mae": maybe_rate(figures.mae),
        "consistency": maybe_rate(figures.consistency),
    }


def probe_document(probe: Probe) -> ProbeDocument:
    """Return a probe as plain data."""
    return {
        "name": probe.name,
        "moved": finite(probe.moved),
        "ci": bounds(probe.interval),
        "n": probe.n,
        "p_value": finite(probe.p_value),
        "limit": probe.limit,
        "passed": probe.passed,
        "flagged": probe.flagged,
        "said": probe.said,
    }


def paid_document(paid: Totals) -> PaidDocument:
    """Return what calls came to as plain data."""
    return {
        "calls": paid.calls,
        "cost_usd": finite(paid.cost_usd),
        "cached_cost_usd": finite(paid.cached_cost_usd),
        "input_tokens": paid.input,
        "output_tokens": paid.output,
        "cached_tokens": paid.cached,
        "reasoning_tokens": paid.reasoning,
        "http_attempts": paid.http_attempts,
        "lost_attempts": paid.lost_attempts,
        "lost_cost_usd": finite(paid.lost_usd),
    }
