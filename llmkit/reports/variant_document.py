"""What a variant does to quality, as ``llmkit compare --json`` has it."""

from __future__ import annotations

from typing_extensions import TypedDict

from llmkit.reports.finite import bounds, finite
from llmkit.variants import MarginVerdict, Sameness


class MarginDocument(TypedDict):
    """Whether b is worse by the margin or more. ``ci`` inverts two one-sided tests; ``difference`` is b − a.

    ``ruled_out`` is the smallest worsening that is; ``within_margin`` and ``beyond_margin``: a worsening is proven, and
    shown to be smaller, or larger, than the margin. ``failures_wrong`` is the verdict with what ``left_out`` counts as
    wrong answers. ``needs`` are the units that decide, ``decidable`` is the margin that so many as here decide.
    """

    metric: str
    verdict: str
    margin: float
    a: float | None
    b: float | None
    difference: float | None
    ci: tuple[float, float] | None
    ci_method: str | None
    confidence: float | None
    alpha: float
    n: int
    clustered: bool
    won: int
    lost: int
    tied: int
    ruled_out: float | None
    within_margin: bool
    beyond_margin: bool
    counted_wrong_a: int
    counted_wrong_b: int
    left_out: int
    failures_wrong: str | None
    needs: int | None
    decidable: float | None
    reason: str | None
    higher_is_better: bool


class SamenessDocument(TypedDict):
    """How many answers are equal to the byte; of those that differ, what their first differing token shows.

    ``shared`` pairs share one stored answer and are in no other figure. Of ``unknown``, ``logged`` have stored
    log-probabilities that do not settle it.
    """

    pairs: int
    same: int
    tied: int
    beyond_tie: int
    unknown: int
    logged: int
    shared: int
    tolerance_nats: float
    examples: list[str]


def margin_document(margin: MarginVerdict) -> MarginDocument:
    """Return one margin's verdict."""
    interval = margin.interval
    return {
        "metric": margin.metric,
        "verdict": margin.verdict,
        "margin": margin.margin,
        "a": finite(margin.a),
        "b": finite(margin.b),
        "difference": finite(margin.difference),
        "ci": bounds(interval),
        "ci_method": interval.method if interval else None,
        "confidence": interval.confidence if interval else None,
        "alpha": margin.alpha,
        "n": margin.n,
        "clustered": margin.clustered,
        "won": margin.gains,
        "lost": margin.losses,
        "tied": margin.ties,
        "ruled_out": finite(margin.ruled_out),
        "within_margin": margin.within,
        "beyond_margin": margin.beyond,
        "counted_wrong_a": margin.wrong_a,
        "counted_wrong_b": margin.wrong_b,
        "left_out": margin.left_out,
        "failures_wrong": margin.failures_wrong,
        "needs": margin.needs,
        "decidable": finite(margin.decidable),
        "reason": margin.reason,
        "higher_is_better": margin.higher_is_better,
    }


def sameness_document(sameness: Sameness | None) -> SamenessDocument | None:
    """Return how many answers are the same; None where no pair has an answer on both sides."""
    if sameness is None:
        return None
    return {
        "pairs": sameness.pairs,
        "same": sameness.same,
        "tied": sameness.tied,
        "beyond_tie": sameness.beyond,
        "unknown": sameness.unknown,
        "logged": sameness.logged,
        "shared": sameness.shared,
        "tolerance_nats": sameness.tolerance,
        "examples": list(sameness.examples),
    }
