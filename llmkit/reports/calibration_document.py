"""The document of ``llmkit judge calibrate --json``: every figure, and no number that JSON cannot hold."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from llmkit.calibrations import Best, Calibration, Candidate, Disagreement, SliceFigures, Worth
from llmkit.redact import redact
from llmkit.reports.finite import finite
from llmkit.reports.judge_documents import (
    FiguresDocument,
    PaidDocument,
    ProbeDocument,
    RateDocument,
    figures_document,
    maybe_rate,
    paid_document,
    probe_document,
    rate_document,
)
from llmkit.reports.plain import plain


class BestDocument(TypedDict):
    """The best status that the labels can reach; class → how many more labels of it a judge would need."""

    status: str
    needs: dict[str, int]
    needs_at_95: dict[str, int]
    said: str


class SplitDocument(TypedDict):
    """Part → class → items; ``folds`` of cross-fitting, 0 without; ``groups`` is null where each item is its own."""

    sizes: dict[str, dict[str, int]]
    folds: int
    groups: int | None
    digest: str


class CandidateDocument(TypedDict):
    """One configuration of the search, the chosen one first."""

    name: str
    settings: dict[str, Any]
    dev: RateDocument
    n: int
    stopped: bool
    unread: int
    cost_usd: float | None


class SliceDocument(TypedDict):
    """Accuracy on a slice of the test part; ``p_adjusted`` is Holm's."""

    name: str
    value: str
    accuracy: RateDocument
    p_value: float | None
    p_adjusted: float | None


class DisagreementDocument(TypedDict):
    """An item on which judge and people differ."""

    id: str
    part: str
    label: str
    verdict: str
    reason: str
    input: str
    answer: str


class WorthDocument(TypedDict):
    """Widths of intervals from the labels alone, and with ``n`` verdicts; null where there is none."""

    labels_width: float | None
    corrected_width: float | None
    n: int
    usd_per_1000: float | None
    tokens_per_1000: float | None


class CalibrationDocument(TypedDict):
    """What ``llmkit judge calibrate --json`` prints."""

    judge: str
    kind: str
    status: str
    reasons: list[str]
    needs: dict[str, int]
    required: dict[str, float]
    best: BestDocument
    split: SplitDocument
    candidates: list[CandidateDocument]
    runner_up_p: float | None
    dev: FiguresDocument | None
    test: FiguresDocument
    optimism: float | None
    ceiling: RateDocument | None
    probes: list[ProbeDocument]
    slices: list[SliceDocument]
    disagreements: list[DisagreementDocument]
    worth: WorthDocument
    estimator: str | None
    estimator_why: str
    threshold: float | None
    calibrator: dict[str, Any] | None
    looks: int
    looks_known: bool
    model: str
    served: str | None
    paid: PaidDocument
    saved_calls: int
    planned_calls: int
    lock: str
    lock_path: str
    seed: int
    notes: list[str]
    next: str


def calibration_document(found: Calibration) -> CalibrationDocument:
    """Return a calibration as plain dicts and lists, ready for ``json.dumps(…, allow_nan=False)``."""
    return {
        "judge": found.judge,
        "kind": found.kind,
        "status": found.status,
        "reasons": list(found.reasons),
        "needs": dict(found.needs),
        "required": dict(found.required),
        "best": best_document(found.best),
        "split": _split(found),
        "candidates": [_candidate(each) for each in found.candidates],
        "runner_up_p": finite(found.runner_up_p),
        "dev": None if found.dev is None else figures_document(found.dev),
        "test": figures_document(found.test),
        "optimism": finite(found.optimism),
        "ceiling": maybe_rate(found.ceiling),
        "probes": [probe_document(probe) for probe in found.probes],
        "slices": [_slice(each) for each in found.slices],
        "disagreements": [_disagreement(each) for each in found.disagreements],
        "worth": _worth(found.worth),
        "estimator": found.estimator,
        "estimator_why": found.estimator_why,
        "threshold": finite(found.threshold),
        "calibrator": None if found.calibrator is None else plain(found.calibrator),
        "looks": found.looks,
        "looks_known": found.looks_known,
        "model": found.model,
        "served": found.served,
        "paid": paid_document(found.paid),
        "saved_calls": found.saved_calls,
        "planned_calls": found.planned_calls,
        "lock": found.lock,
        "lock_path": found.lock_path,
        "seed": found.seed,
        "notes": list(found.notes),
        "next": found.next,
    }


def calibration_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(CalibrationDocument).json_schema()


def best_document(best: Best) -> BestDocument:
    """Return what was said before any call as plain data."""
    return {
        "status": best.status,
        "needs": dict(best.needs),
        "needs_at_95": dict(best.needs_at_95),
        "said": best.said,
    }


def _split(found: Calibration) -> SplitDocument:
    split = found.split
    sizes = {str(part): dict(classes) for part, classes in split.sizes.items()}
    return {"sizes": sizes, "folds": split.folds, "groups": split.groups, "digest": split.digest}


def _candidate(each: Candidate) -> CandidateDocument:
    return {
        "name": each.name,
        "settings": plain(each.settings),
        "dev": rate_document(each.dev),
        "n": each.n,
        "stopped": each.stopped,
        "unread": each.unread,
        "cost_usd": finite(each.cost_usd),
    }


def _slice(each: SliceFigures) -> SliceDocument:
    return {
        "name": each.name,
        "value": each.value,
        "accuracy": rate_document(each.accuracy),
        "p_value": finite(each.p_value),
        "p_adjusted": finite(each.p_adjusted),
    }


def _disagreement(each: Disagreement) -> DisagreementDocument:
    return {
        "id": each.id,
        "part": each.part,
        "label": each.label,
        "verdict": each.verdict,
        "reason": redact(each.reason),
        "input": redact(each.input),
        "answer": redact(each.answer),
    }


def _worth(worth: Worth) -> WorthDocument:
    return {
        "labels_width": finite(worth.labels_width),
        "corrected_width": finite(worth.corrected_width),
        "n": worth.n,
        "usd_per_1000": finite(worth.usd_per_1000),
        "tokens_per_1000": finite(worth.tokens_per_1000),
    }
