"""Randomisation along the looks: which unit's arms are swapped is a coin, so the paths of a statistic are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FLIPS = 9_999
"""With 999, one seed freezes the size anywhere in 5 ± 0.7 %."""

TIE = 1e-6
"""Of a unit's largest value: sums that differ by less differ by rounding."""

_CELLS = 2_000_000  # coins at a time


def swapped_totals(values: Floats, counts: Sequence[int], seed: Sequence[int], flips: int = FLIPS) -> Floats:
    """Return, for each way to swap, the total of the units that are swapped, up to each look.

    The coins of the units between two looks depend on ``seed`` and the look alone, so that a later look continues the
    very paths of an earlier one.

    Args:
        values: Shape (n, c).
        counts: Units up to each look; never falling.
        seed: Of the coins.
        flips: Ways to swap that are drawn.

    Returns:
        Shape (flips + 1, looks, c). The first is the one observed: nothing swapped.
    """
    totals = np.zeros((flips + 1, len(counts), values.shape[1]))
    before = 0
    for look, count in enumerate(counts):
        part = values[before:count]
        if look:
            totals[:, look] = totals[:, look - 1]
        if len(part):
            _add(totals[1:, look], part, np.random.default_rng([*seed, look]))
        before = count
    return totals


def sign_flips(losses: Floats, counts: Sequence[int], seed: Sequence[int], flips: int = FLIPS) -> Floats:
    """Return the sums of ``losses``, shape (n,), with random signs, up to each look: (flips + 1, looks).

    They are in units of the largest loss; the first row is the one observed.
    """
    scale = float(np.abs(losses).max(initial=0.0)) or 1.0
    values = losses / scale
    observed = np.array([values[:count].sum() for count in counts])
    return np.asarray(observed - 2 * swapped_totals(values[:, None], counts, seed, flips)[:, :, 0])


def crossed(paths: Floats, levels: Sequence[float], tie: float = TIE) -> int | None:
    """Return the look, from 0, at which the first of ``paths`` crossed; None where it did not.

    At look k at most ⌊A_k·paths⌋ of them have crossed; those do that are strictly above the best which may not. If
    swapping arms changes nothing in distribution, the observed path is one of equals: exact, whatever the data.

    Args:
        paths: Shape (paths, looks); larger is worse for head.
        levels: Cumulative error that may be spent up to each look.
        tie: What two values must differ by.
    """
    alive, stopped = np.ones(len(paths), dtype=bool), 0
    for look, level in enumerate(levels):
        budget = math.floor(level * len(paths) + 1e-9) - stopped
        values = paths[:, look]
        going = values[alive]
        if budget <= 0 or budget >= len(going):
            continue
        place = len(going) - budget - 1
        over = alive & (values > np.partition(going, place)[place] + tie)
        if over[0]:
            return look
        alive &= ~over
        stopped += int(over.sum())
    return None


def _add(totals: Floats, part: Floats, random: np.random.Generator) -> None:
    """Add to ``totals``, shape (flips, c), the rows of ``part`` that a coin chooses, in place."""
    units, flips = len(part), len(totals)
    rows = max(1, _CELLS // units)
    for start in range(0, flips, rows):
        size = min(rows, flips - start)
        coins = random.integers(0, 256, size=(size, -(-units // 8)), dtype=np.uint8)
        totals[start : start + size] += np.unpackbits(coins, axis=1, count=units).astype(np.float64) @ part
