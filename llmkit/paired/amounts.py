"""Dollars, tokens and seconds an answer, side against side, over the pairs that both know them of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from llmkit.comparisons import AmountDifference
from llmkit.paired.held import Held
from llmkit.paired.pairing import Pairs
from llmkit.stats.ratio import mean_ratio, quantile, quantile_ratio
from llmkit.types import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEDIAN, TAIL = 0.5, 0.95


def amounts(a: Held, b: Held, pairs: Pairs, *, confidence: float, seed: int) -> tuple[AmountDifference, ...]:
    """Compare what answers cost, how long they are and how long they took.

    An answer from the cache took its time in another run, under another load: only answers that both runs asked for
    themselves count for seconds. What an answer costs and counts does not depend on who asked.
    """
    # What is drawn anew in the bootstrap: clusters, else samples with all their epochs.
    units = pairs.sample if pairs.clusters is None else pairs.clusters

    def means(one: Floats, two: Floats, of: Ints) -> Interval | None:
        return mean_ratio(one, two, of, confidence=confidence, seed=seed)

    found = [
        _amount(name, "mean", _known(name, a, b, pairs), units, lambda values: float(values.mean()), means, (a, b))
        for name in ("cost_usd", "output_tokens")
    ]
    fresh = a.fresh[pairs.a] & b.fresh[pairs.b]
    seconds = _known("latency_s", a, b, pairs)
    seconds = (np.where(fresh, seconds[0], np.nan), np.where(fresh, seconds[1], np.nan))
    for q, statistic in ((MEDIAN, "median"), (TAIL, "p95")):

        def quantiles(one: Floats, two: Floats, of: Ints, q: float = q) -> Interval | None:
            return quantile_ratio(one, two, q, of, confidence=confidence, seed=seed)

        def at(values: Floats, q: float = q) -> float:
            return quantile(values, q)

        found.append(_amount("latency_s", statistic, seconds, units, at, quantiles, (a, b)))
    return tuple(found)


def _known(name: str, a: Held, b: Held, pairs: Pairs) -> tuple[Floats, Floats]:
    return a.amounts(name)[pairs.a], b.amounts(name)[pairs.b]


def _amount(
    name: str,
    statistic: str,
    known: tuple[Floats, Floats],
    units: Ints,
    figure: Callable[[Floats], float],
    interval: Callable[[Floats, Floats, Ints], Interval | None],
    sides: tuple[Held, Held],
) -> AmountDifference:
    one, two = known
    both = ~(np.isnan(one) | np.isnan(two))
    n = int(both.sum())
    if not n:
        return AmountDifference(name, statistic, None, None, None, None, 0, _why(name, *sides))
    one, two = one[both], two[both]
    before, after = figure(one), figure(two)
    if before <= 0:  # free answers have no price to be a multiple of
        return AmountDifference(name, statistic, before, after, None, None, n)
    return AmountDifference(name, statistic, before, after, after / before, interval(one, two, units[both]), n)


def _why(name: str, a: Held, b: Held) -> str:
    """Say why no pair knows an amount on both sides."""
    sides = (("a", a), ("b", b))
    silent = [which for which, side in sides if np.isnan(side.amounts(name)).all()]
    if silent:
        what = {"cost_usd": "no price is known", "output_tokens": "the provider counts no tokens"}
        return f"{what.get(name, 'nothing is known')} of {' and '.join(silent)}"
    cached = [which for which, side in sides if not side.fresh.any()]
    if name == "latency_s" and cached:
        return f"the answers of {' and '.join(cached)} come from the cache"
    return "no pair has it on both sides"
