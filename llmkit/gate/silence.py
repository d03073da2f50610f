"""Answers of which a judge says nothing: how many a gate may leave out of a metric, and still decide.

A pair of which one side has no verdict is left out. Few of them, and on both sides alike, change little; else what is
left out may be what got worse, and whoever decided on the rest would decide on other answers than were given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from llmkit.gate.evidence import Evidence
from llmkit.gate.judging import Deciding
from llmkit.gate.measures import Gated
from llmkit.gate.order import Unit
from llmkit.judges.correct import too_silent
from llmkit.judges.judge import Judge
from llmkit.stats.proportion import binomial_tail, lower_bound
from llmkit.stats.sequential.trial import ALPHA
from llmkit.verdicts import Unjudged

Sides = tuple[Unjudged, Unjudged, tuple[int, int]]
"""Answers without a verdict on base and on head; pairs of which base alone, and head alone, has none."""


def silences(
    measures: Sequence[Gated], judged: Mapping[str, Deciding], evidence: Evidence, units: Sequence[Unit]
) -> dict[str, str]:
    """Return measure → why too little was judged to decide on it, of those of which that is so.

    Args:
        measures: All that gates.
        judged: Metric → its judge.
        evidence: What both sides answered.
        units: What was asked, all of it on both sides.
    """
    found = {}
    for measure in measures:
        if (one := judged.get(measure.gating.name)) is None:
            continue
        sides = evidence.unjudged(one.gating.name, units, measure.part)
        if why := silence(one.judge, sides, whole=measure.part is None):
            found[measure.name] = why
    return found


def silence(judge: Judge, sides: Sides, *, whole: bool) -> str:
    """Say why too little was judged to decide; empty where that is not so.

    More of a side's answers without a verdict than calibration allows the judge (``accept.max_unread``,
    ``accept.max_cannot_tell``), or provably more of one side's than of the other's. A slice is small: one answer of
    thirty is above any share, so that there the share must be provably above what may be.

    Args:
        judge: With its limits.
        sides: What is without a verdict.
        whole: Whether it is the whole metric, and not a slice of it.
    """
    base, head, alone = sides
    return "; ".join([*_too_many(judge, "base", base, whole), *_too_many(judge, "head", head, whole), *_uneven(alone)])


def hopeless(judge: Judge, sides: Sides, pairs: int) -> bool:
    """Say whether too little will have been judged at the last look even if every verdict still to come is one.

    Args:
        judge: With its limits.
        sides: What is without a verdict so far.
        pairs: All that may be asked.
    """
    return any(too_silent(judge, pairs, one.cannot_tell, one.unread) for one in sides[:2])


def _too_many(judge: Judge, side: str, one: Unjudged, whole: bool) -> Iterator[str]:
    accept = judge.spec.accept
    unread = whole or _proven(one.unread, one.asked, accept.max_unread)
    cannot_tell = whole or _proven(one.cannot_tell, one.asked, accept.max_cannot_tell)
    why = too_silent(judge, one.asked, one.cannot_tell if cannot_tell else 0, one.unread if unread else 0)
    if why:
        yield f"{side}: {why}"


def _proven(count: int, asked: int, most: float) -> bool:
    return count > 0 and lower_bound(count, asked, 1 - ALPHA) > most


def _uneven(alone: tuple[int, int]) -> Iterator[str]:
    """Say that one side has provably more pairs of which it alone has no verdict."""
    base, head = alone
    if not base + head:
        return
    p = min(1.0, 2 * binomial_tail(max(base, head), base + head, 0.5))
    if p <= ALPHA:
        yield (
            f"head alone has no verdict in {head} pairs, base alone in {base} (sign test, p = {p:.2g}): a style that"
            " confuses the judge looks like this"
        )
