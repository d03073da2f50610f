"""Failures read as wrong answers: what stands in place of scores that are not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.paired.differences import Scored, scored_on
from llmkit.paired.held import Held
from llmkit.paired.pairing import Pairs
from llmkit.paired.rows import Key, Source
from llmkit.runs.state import OWN_DOING
from llmkit.scoring.base import Scorer
from llmkit.types import Score

Floats = NDArray[np.float64]
Wrong = Mapping[int, Score | None]
"""Row of a side → the score of a wrong answer to it; None where its scorer has none."""


class Readings(NamedTuple):
    """One metric's scores on the pairs, read in two ways.

    Attributes:
        own: With the model's own failures as wrong answers, as the gate reads them.
        wrong: With every failure as a wrong answer.
        wrong_a: Failures of side a that ``own`` has as wrong answers.
        wrong_b: Of side b.
        unreadable: Failures that cannot be read as wrong answers.
    """

    own: Scored
    wrong: Scored
    wrong_a: int
    wrong_b: int
    unreadable: int


def wrong_answers(
    source: Source, side: Held, rows: NDArray[np.int64], scorers: Mapping[str, Scorer]
) -> dict[str, Wrong]:
    """Return metric → what its failures would score as wrong answers, reading the side once more where it has some.

    Args:
        source: Where the samples are.
        side: Its rows.
        rows: Those that are paired.
        scorers: Metric → its scorer, of the metrics that are wanted.
    """
    missing = {name: set(rows[np.isnan(side.values(name)[rows])].tolist()) for name in scorers}
    wanted = set[int]().union(*missing.values())
    found: dict[str, dict[int, Score | None]] = {name: {} for name in scorers}
    if not wanted:
        return dict(found)
    places: dict[Key, int] = {key: place for place, key in side.keys(sorted(wanted)).items()}
    for key, item in source.items(places.keys()):
        for name, scorer in scorers.items():
            if (place := places[key]) in missing[name]:
                found[name][place] = scorer.wrong(item)
    return dict(found)


def readings(metric: str, a: Held, b: Held, pairs: Pairs, wrong: tuple[Wrong, Wrong]) -> Readings:
    """Read a metric's failures in both ways.

    Args:
        metric: Which.
        a: One side.
        b: The other.
        pairs: Their pairs.
        wrong: Of each side, what :func:`wrong_answers` returned for the metric.
    """
    plain = scored_on(metric, a, b, pairs)
    sides = ((a, pairs.a, plain.a, plain.stats_a, wrong[0]), (b, pairs.b, plain.b, plain.stats_b, wrong[1]))
    own, every, counts, unreadable = [], [], [], 0
    for side, rows, values, stats, scores in sides:
        failed = np.flatnonzero(np.isnan(values)).tolist()
        kinds = side.unscored(metric)
        doing = [place for place in failed if kinds.get(int(rows[place])) in OWN_DOING]
        readable = {place for place in failed if scores.get(int(rows[place])) is not None}
        own.append(_filled(values, stats, rows, scores, [place for place in doing if place in readable]))
        every.append(_filled(values, stats, rows, scores, sorted(readable)))
        counts.append(sum(place in readable for place in doing))
        unreadable += len(failed) - len(readable)
    return Readings(_scored(own), _scored(every), counts[0], counts[1], unreadable)


def _filled(
    values: Floats, stats: Floats, rows: NDArray[np.int64], scores: Wrong, places: list[int]
) -> tuple[Floats, Floats]:
    values, stats = values.copy(), stats.copy()
    for place in places:
        score = scores[int(rows[place])]
        assert score is not None
        values[place] = score.value
        if score.stats and len(score.stats) == stats.shape[1]:
            stats[place] = score.stats
    return values, stats


def _scored(sides: list[tuple[Floats, Floats]]) -> Scored:
    return Scored(sides[0][0], sides[1][0], sides[0][1], sides[1][1])
