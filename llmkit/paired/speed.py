"""How fast two engines answered the same samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llmkit.paired.held import Held
from llmkit.paired.pairing import Pairs
from llmkit.paired.rows import Source
from llmkit.stats.ratio import rate_ratio
from llmkit.variants import Speed

ENGINES = frozenset({"local", "vllm"})
"""Providers whose engine is one's own: what a service's speed is, its load decides, and latency says it."""


def speed(
    one: tuple[Source, Held], two: tuple[Source, Held], pairs: Pairs, *, confidence: float, seed: int
) -> Speed | None:
    """Compare the speed of two engines; None where a side is no engine of one's own.

    Only answers that both runs asked for themselves make the ratio; each side's pace is over all that it asked for.
    """
    (source_a, a), (source_b, b) = one, two
    if not all(held.setup.model.partition("/")[0] in ENGINES for held in (a, b)):
        return None
    sides = ((a, pairs.a), (b, pairs.b))
    reads = not any((held.amounts("output_tokens") > 0).any() for held, _ in sides)
    found = Speed(source_a.pace(), source_b.pace(), reads=reads, cached=(_cached(*sides[0]), _cached(*sides[1])))
    if cached := [which for which, (held, rows) in zip("ab", sides, strict=True) if not held.fresh[rows].any()]:
        return replace(found, unknown=f"the answers of {' and '.join(cached)} come from the cache")
    tokens = [held.amounts("input_tokens" if reads else "output_tokens")[rows] for held, rows in sides]
    seconds = [held.amounts("latency_s")[rows] for held, rows in sides]
    known = a.fresh[pairs.a] & b.fresh[pairs.b] & ~np.isnan([*tokens, *seconds]).any(axis=0)
    rates = [(amount[known], time[known]) for amount, time in zip(tokens, seconds, strict=True)]
    found = replace(found, n=int(known.sum()))
    if min(float(part.sum()) for rate in rates for part in rate) <= 0:
        return replace(found, unknown="no pair has tokens and seconds on both sides")
    units = (pairs.sample if pairs.clusters is None else pairs.clusters)[known]
    interval = rate_ratio(rates[0], rates[1], units, confidence=confidence, seed=seed)
    each_a, each_b = (float(amount.sum() / time.sum()) for amount, time in rates)
    files = [which for which, held in (("a", a), ("b", b)) if not held.setup.stored]
    unknown = f"how many calls were in flight is not known of {' and '.join(files)}, a file" if files else None
    return replace(
        found, a_each=each_a, b_each=each_b, ratio=each_b / each_a, interval=interval, unknown=unknown
    )  # fmt: skip


def _cached(side: Held, rows: NDArray[np.int64]) -> int:
    return int((~side.fresh & (side.said != 0))[rows].sum())
