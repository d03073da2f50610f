"""The JSON documents of labels: how far people agree, and how each of them does."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from llmkit.agreements import Agreement, Annotator
from llmkit.reports.finite import finite
from llmkit.reports.judge_documents import RateDocument, maybe_rate, rate_document


class KappaDocument(TypedDict):
    """Cohen's kappa of two people; quadratically weighted where the level is ordinal."""

    annotators: tuple[str, str]
    kappa: RateDocument


class AgreementDocument(TypedDict):
    """How far people agree; a coefficient that cannot be had is null."""

    judge: str
    level: str
    items: int
    overlapping: int
    annotators: list[str]
    alpha: RateDocument | None
    gwet: RateDocument | None
    fleiss: RateDocument | None
    kappas: list[KappaDocument]
    majority: dict[str, int]
    ties: int
    dawid_skene: dict[str, int]
    differing: list[str]
    human_ceiling: RateDocument | None


class AnnotatorDocument(TypedDict):
    """One person; null is unknown."""

    name: str
    n: int
    gold: RateDocument | None
    agreement: RateDocument | None
    wawa: float | None
    p_value: float | None
    p_adjusted: float | None
    flagged: bool
    seconds: float | None


def agreement_document(found: Agreement) -> AgreementDocument:
    """Return how far people agree as plain data."""
    return {
        "judge": found.judge,
        "level": found.level,
        "items": found.items,
        "overlapping": found.overlapping,
        "annotators": list(found.annotators),
        "alpha": maybe_rate(found.alpha),
        "gwet": maybe_rate(found.ac1),
        "fleiss": maybe_rate(found.fleiss),
        "kappas": [{"annotators": pair, "kappa": rate_document(kappa)} for pair, kappa in found.kappas.items()],
        "majority": dict(found.majority),
        "ties": found.ties,
        "dawid_skene": dict(found.dawid_skene),
        "differing": list(found.differing),
        "human_ceiling": maybe_rate(found.ceiling),
    }


def annotators_document(judge: str, found: Sequence[Annotator]) -> dict[str, object]:
    """Return how each person does as plain data, the best first."""
    return {"judge": judge, "annotators": [_annotator(one) for one in found]}


def _annotator(one: Annotator) -> AnnotatorDocument:
    return {
        "name": one.name,
        "n": one.n,
        "gold": maybe_rate(one.gold),
        "agreement": maybe_rate(one.agreement),
        "wawa": finite(one.skill),
        "p_value": finite(one.p_value),
        "p_adjusted": finite(one.p_adjusted),
        "flagged": one.flagged,
        "seconds": finite(one.seconds),
    }
