"""What the documents of a comparison and of a gate say of a sample on which two sides differ."""

from __future__ import annotations

from typing_extensions import TypedDict

from llmkit.comparisons import Answered, Flip
from llmkit.reports.finite import finite


class AnsweredDocument(TypedDict):
    """One side's answer to one sample."""

    text: str | None
    value: float | None
    extracted: str | None
    failure: str | None


class FlippedDocument(TypedDict):
    """A sample that differs, without its answers; ``change`` is negative for a loss, whatever the direction."""

    sample_id: str
    epoch: int
    metric: str
    change: float
    question: str
    references: list[str]


def flipped_document(flip: Flip) -> FlippedDocument:
    """Return what was asked, its texts whole."""
    return {
        "sample_id": flip.sample_id,
        "epoch": flip.epoch,
        "metric": flip.metric,
        "change": flip.change,
        "question": flip.question,
        "references": list(flip.references),
    }


def answered_document(side: Answered) -> AnsweredDocument:
    """Return one side's answer."""
    return {"text": side.text, "value": finite(side.value), "extracted": side.extracted, "failure": side.failure}
