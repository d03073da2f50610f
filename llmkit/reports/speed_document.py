"""Two engines' speed, and what speculation came to, as JSON."""

from __future__ import annotations

from typing_extensions import TypedDict

from llmkit.reports.finite import bounds, finite
from llmkit.speculation import Speculation
from llmkit.variants import Pace, Speed


class SpeculationDocument(TypedDict):
    """What drafting came to; rates are null where nothing was drafted."""

    drafts: int
    drafted: int
    accepted: int
    accepted_by_position: list[int]
    acceptance_rate: float | None
    accepted_length: float | None


class PaceDocument(TypedDict):
    """One side, over the calls that its own run made. Null is unknown."""

    calls: int
    busy_s: float
    in_flight: float | None
    input_tokens: int | None
    output_tokens: int | None
    input_tokens_per_s: float | None
    output_tokens_per_s: float | None
    speculation: SpeculationDocument | None


class SpeedDocument(TypedDict):
    """Both sides; ``a_each``, ``b_each`` and their ratio are tokens a second of an answer's own time.

    ``tokens`` says which: ``output``, or ``input`` where the answers write nothing. ``cached_a`` and ``cached_b`` count
    the pairs whose answers came from the cache; they are not behind the ratio.
    """

    a: PaceDocument | None
    b: PaceDocument | None
    a_each: float | None
    b_each: float | None
    ratio: float | None
    ci: tuple[float, float] | None
    ci_method: str | None
    n: int
    tokens: str
    cached_a: int
    cached_b: int
    comparable: bool
    unknown: str | None


def speculation_document(found: Speculation | None) -> SpeculationDocument | None:
    """Return one run's counts; None where nothing was told."""
    if found is None:
        return None
    return {
        "drafts": found.drafts,
        "drafted": found.drafted,
        "accepted": found.accepted,
        "accepted_by_position": list(found.by_position),
        "acceptance_rate": finite(found.acceptance_rate),
        "accepted_length": finite(found.accepted_length),
    }


def speed_document(speed: Speed | None) -> SpeedDocument | None:
    """Return the whole comparison; None where no engine of one's own is on both sides."""
    if speed is None:
        return None
    return {
        "a": _pace(speed.a),
        "b": _pace(speed.b),
        "a_each": finite(speed.a_each),
        "b_each": finite(speed.b_each),
        "ratio": finite(speed.ratio),
        "ci": bounds(speed.interval),
        "ci_method": speed.interval.method if speed.interval else None,
        "n": speed.n,
        "tokens": "input" if speed.reads else "output",
        "cached_a": speed.cached[0],
        "cached_b": speed.cached[1],
        "comparable": speed.alike and speed.unknown is None,
        "unknown": speed.unknown,
    }


def _pace(pace: Pace | None) -> PaceDocument | None:
    if pace is None:
        return None
    return {
        "calls": pace.calls,
        "busy_s": pace.busy_s,
        "in_flight": finite(pace.in_flight),
        "input_tokens": pace.input_tokens,
        "output_tokens": pace.output_tokens,
        "input_tokens_per_s": finite(pace.input_rate),
        "output_tokens_per_s": finite(pace.output_rate),
        "speculation": speculation_document(pace.speculation),
    }
