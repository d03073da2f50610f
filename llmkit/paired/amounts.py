"""Dollars, tokens and seconds an answer, side against side, over the pairs that both know them of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from llmkit.comparisons import AmountDifference
from llmkit.paired.held import Held
from llmkit.paired.pairing import Pairs
from llmkit.stats.ratio import mean_ratio, quantile, quantile_ratios
from llmkit.types import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SECONDS = {"median": 0.5, "p95": 0.95}
"""Of seconds, the statistics: a mean would be that of the few answers that hung."""

LEAST = {"median": 6, "p95": 20}
"""Pairs below which a statistic is not said: 95 % intervals of a median start at 6, and p95 of fewer is the maximum."""


def amounts(a: Held, b: Held, pairs: Pairs, *, confidence: float, seed: int) -> tuple[AmountDifference, ...]:
    """Compare what answers cost, how long they are and how long they took.

    An answer from the cache took its time in another run, under another load: only answers that both runs asked for
    themselves count for seconds. What an answer costs and counts does not depend on who asked.
    """
    # What is drawn anew in the bootstrap: clusters, else samples with all their epochs.
    units = pairs.sample if pairs.clusters is None else pairs.clusters

    def means(one: Floats, two: Floats, of: Ints) -> list[Interval | None]:
        return [mean_ratio(one, two, of, confidence=confidence, seed=seed)]

    def quantiles(one: Floats, two: Floats, of: Ints) -> list[Interval | None]:
        return quantile_ratios(one, two, list(SECONDS.values()), of, confidence=confidence, seed=seed)

    found: list[AmountDifference] = []
    for name in ("cost_usd", "output_tokens"):
        found += _amounts(name, {"mean": _mean}, _known(name, a, b, pairs), units, means, (a, b))
    fresh = a.fresh[pairs.a] & b.fresh[pairs.b]
    one, two = (np.where(fresh, seconds, np.nan) for seconds in _known("latency_s", a, b, pairs))
    figures = {statistic: partial(quantile, q=q) for statistic, q in SECONDS.items()}
    return (*found, *_amounts("latency_s", figures, (one, two), units, quantiles, (a, b)))


def _mean(values: Floats) -> float:
    return float(values.mean())


def _known(name: str, a: Held, b: Held, pairs: Pairs) -> tuple[Floats, Floats]:
    return a.amounts(name)[pairs.a], b.amounts(name)[pairs.b]


def _amounts(
    name: str,
    figures: Mapping[str, Callable[[Floats], float]],
    known: tuple[Floats, Floats],
    units: Ints,
    intervals: Callable[[Floats, Floats, Ints], list[Interval | None]],
    sides: tuple[Held, Held],
) -> Iterator[AmountDifference]:
    """Yield one amount's statistics over the pairs that know it on both sides."""
    both = ~(np.isnan(known[0]) | np.isnan(known[1]))
    n = int(both.sum())
    if not n:
        why = _why(name, *sides)
        yield from (AmountDifference(name, statistic, None, None, None, None, 0, why) for statistic in figures)
        return
    one, two = (side[both] for side in known)
    for (statistic, figure), interval in zip(figures.items(), intervals(one, two, units[both]), strict=True):
        before, after = figure(one), figure(two)
        if n < LEAST.get(statistic, 1):
            have = "1 pair has" if n == 1 else f"{n} pairs have"
            why = f"only {have} it on both sides; {LEAST[statistic]} are needed"
            yield AmountDifference(name, statistic, None, None, None, None, n, why)
        elif before > 0:
            yield AmountDifference(name, statistic, before, after, after / before, interval, n)
        else:  # free answers have no price to be a multiple of
            yield AmountDifference(name, statistic, before, after, None, None, n)


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
