"""Two systems' corpus metrics over the same samples: paired bootstrap and approximate randomisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.alternative import Alternative
from llmkit.stats.bootstrap import Value, resampled_totals, unit_totals
from llmkit.stats.swaps import Swaps

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 10_000

_TOLERANCE = 1e-9


def side_by_side(systems: Sequence[Floats], value: Value) -> tuple[Floats, Value]:
    """Put statistics, each of shape (n, k), in one table; return it with the function of its sums, shape (..., s).

    Whatever resamples rows of that table draws the same samples for every system.
    """
    width = systems[0].shape[1]
    count = len(systems)

    def values(totals: Floats) -> Floats:
        return value(totals.reshape(*totals.shape[:-1], count, width))

    return np.concatenate(systems, axis=1), values


def difference_of(stats_a: Floats, stats_b: Floats, value: Value) -> tuple[Floats, Value]:
    """Return both sides' statistics as one table, and ``value(b) − value(a)`` as a function of its sums."""
    table, values = side_by_side([stats_a, stats_b], value)

    def difference(totals: Floats) -> Floats:
        both = values(totals)
        return np.asarray(both[..., 1] - both[..., 0])

    return table, difference


def paired_replicates(
    systems: Sequence[Floats],
    value: Value,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    clusters: Ints | None = None,
) -> Floats:
    """Return each system's metric on the same bootstrap samples, shape (resamples, s) (Koehn, EMNLP 2004).

    Args:
        systems: Sufficient statistics, each of shape (n, k), of the same samples in the same order.
        value: Maps sums, shape (..., k), to the metric, shape (...).
        resamples: Number of bootstrap samples.
        seed: Of the random numbers. The order of the rows changes nothing.
        clusters: Shape (n,), a number a cluster; then clusters are drawn.
    """
    table, values = side_by_side(systems, value)
    units = unit_totals(table, clusters)
    return np.asarray(values(resampled_totals(units, resamples=resamples, seed=seed)), dtype=np.float64)


def centred_p_value(drawn: Floats, seen: float) -> float:
    """Return a two-sided bootstrap p-value: how often |drawn − seen| reaches |seen|.

    The draws, moved to a mean difference of 0, stand for what chance does (Efron and Tibshirani 1993, §16.4).

    Args:
        drawn: Differences between two systems on bootstrap samples, shape (resamples,).
        seen: The difference on the samples themselves.
    """
    slack = _TOLERANCE * max(1.0, abs(seen))
    return (int((np.abs(drawn - seen) >= abs(seen) - slack).sum()) + 1) / (len(drawn) + 1)


def sacrebleu_p_value(drawn: Floats, seen: float) -> float:
    """Return the p-value that sacrebleu's paired bootstrap and Moses' script print.

    The share of |drawn| − mean |drawn| above |seen| (sacrebleu 2.6, ``significance.py``). Once the difference is clear
    of 0, nearly all draws have its sign and the share is that of one tail: half of a two-sided p-value. It is here
    for comparison with published figures; llmkit prints :func:`randomisation`.

    Arguments as in :func:`centred_p_value`.
    """
    sizes = np.abs(drawn)
    return (int((sizes - sizes.mean() > abs(seen)).sum()) + 1) / (len(drawn) + 1)


def randomisation(
    stats_a: Floats,
    stats_b: Floats,
    value: Value,
    alternative: Alternative = "two-sided",
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    clusters: Ints | None = None,
) -> float:
    """Test "the two systems' answers could be exchanged" by value(b) − value(a) (Noreen 1989; Riezler, Maxwell 2005).

    Each sample's two answers are swapped at random, or in all ways where at most 16 samples differ. ``greater`` is
    against a higher value of b. Swaps are drawn of pairs in a canonical order, inside and among themselves: whose
    answers are a's and whose are b's changes no two-sided p-value.

    Args:
        stats_a: Sufficient statistics, shape (n, k).
        stats_b: The same samples, in the same order.
        value: Maps sums, shape (..., k), to the metric, shape (...).
        alternative: Which differences the test is against.
        resamples: Number of random swaps.
        seed: Of the random swaps. The order of the samples changes nothing.
        clusters: Shape (n,), a number a cluster; then whole clusters are swapped.

    Raises:
        ArithmeticError: If the metric has no value (NaN) for either side, or for some swap.
    """
    units = unit_totals(np.concatenate([stats_a, stats_b], axis=1), clusters)
    first, second = np.split(units, 2, axis=1)
    lesser, greater = _canonical(first, second)
    change = greater - lesser
    differs = (change != 0).any(axis=1)
    swaps = Swaps(int(differs.sum()), resamples=resamples, seed=seed)
    moved = swaps.totals(change[differs])
    drawn = value(greater.sum(axis=0) - moved) - value(lesser.sum(axis=0) + moved)
    seen = float(value(second.sum(axis=0)) - value(first.sum(axis=0)))
    if not (np.isfinite(drawn).all() and np.isfinite(seen)):
        raise ArithmeticError("the metric has no value for some of the swapped samples")
    return swaps.p_value(_reached(np.asarray(drawn), seen, alternative))


def _canonical(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Put the lexicographically lesser row of each pair on the one side, and sort the pairs: both of shape (n, k)."""
    differs = first != second
    place = differs.argmax(axis=1)[:, None]  # of the first column that tells the two apart
    swapped = np.take_along_axis(first, place, axis=1) > np.take_along_axis(second, place, axis=1)
    lesser, greater = np.where(swapped, second, first), np.where(swapped, first, second)
    order = np.lexsort((*greater.T, *lesser.T))
    return lesser[order], greater[order]


def _reached(drawn: Floats, seen: float, alternative: Alternative) -> int:
    slack = _TOLERANCE * max(1.0, abs(seen))
    if alternative == "two-sided":
        return int((np.abs(drawn) >= abs(seen) - slack).sum())
    if alternative == "greater":
        return int((drawn >= seen - slack).sum())
    if alternative == "less":
        return int((drawn <= seen + slack).sum())
    raise ValueError(f"an alternative is two-sided, greater or less, not {alternative!r}")
