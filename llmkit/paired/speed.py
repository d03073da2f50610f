"""How fast two engines answered the same samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llmkit.paired.held import Held
from llmkit.paired.pairing import Pairs
from llmkit.paired.rows import Source
from llmkit.stats.ratio import rate_ratio
from llmkit.variants import Speed

Floats = NDArray[np.float64]

ENGINES = frozenset({"local", "vllm"})
"""Providers whose engine is one's own: what a service's speed is, its load decides, and latency says it."""


def speed(
    one: tuple[Source, Held], two: tuple[Source, Held], pairs: Pairs, *, confidence: float, seed: int
) -> Speed | None:
    """Compare the speed of two engines; None where a side is no engine of one's own, or is a file.

    Only answers that both runs asked for themselves make the ratio; each side's pace is over all that it asked for.
    """
    if not all(held.setup.model.partition("/")[0] in ENGINES and held.setup.stored for _, held in (one, two)):
        return None
    (source_a, a), (source_b, b) = one, two
    pace_a, pace_b = source_a.pace(), source_b.pace()
    cached = [which for which, pace in (("a", pace_a), ("b", pace_b)) if pace is None]
    if cached:
        return Speed(pace_a, pace_b, unknown=f"the answers of {' and '.join(cached)} come from the cache")
    known = a.fresh[pairs.a] & b.fresh[pairs.b]
    rates = [_written(side, rows) for side, rows in ((a, pairs.a), (b, pairs.b))]
    for tokens, seconds in rates:
        known &= ~np.isnan(tokens) & ~np.isnan(seconds)
    n = int(known.sum())
    (tokens_a, seconds_a), (tokens_b, seconds_b) = [(tokens[known], seconds[known]) for tokens, seconds in rates]
    sums = [float(part.sum()) for part in (tokens_a, seconds_a, tokens_b, seconds_b)]
    if min(sums) <= 0:
        return Speed(pace_a, pace_b, n=n, unknown="no pair has tokens written and seconds on both sides")
    units = (pairs.sample if pairs.clusters is None else pairs.clusters)[known]
    interval = rate_ratio(
        (tokens_a, seconds_a), (tokens_b, seconds_b), units, confidence=confidence, seed=seed
    )  # fmt: skip
    each_a, each_b = sums[0] / sums[1], sums[2] / sums[3]
    return Speed(pace_a, pace_b, each_a, each_b, each_b / each_a, interval, n)


def _written(side: Held, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
    return side.amounts("output_tokens")[rows], side.amounts("latency_s")[rows]
