"""Proof by betting that one side's total over a finite set is above another's, valid whenever one looks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STAKES = np.arange(1, 10) / 10
"""Shares of the wealth that are staked, each by a bettor of its own; their mean is the wealth. Small ones find small
leads, large ones large leads soon."""
_MOST = 0.95  # of the wealth that may be lost at one draw: none goes broke


class Bets:
    """Bettors against "the total of these differences is not above 0", one for each of ``count`` series.

    Items are drawn at random without replacement from ``total``; each brings a difference in −1 … 1. If the total were
    0 or less, the mean of what is still to come would be at most −(sum so far) / (items to come), so a stake on more
    than that is a fair game at best, and its wealth exceeds 1/α at any time with a probability of at most α (Ville
    1939). The bets are those of I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by
    betting", JRSS B 86, 2024, section 4 (sampling without replacement). Which series is bet on may change from draw to
    draw, as long as it is chosen before the draw.

    Args:
        count: Series.
        total: Items that there are.

    Attributes:
        peaks: The largest log wealth of each so far, shape (count,).
    """

    def __init__(self, count: int, total: int) -> None:
        self._left = total
        self._wealth = np.zeros((count, len(STAKES)))
        self.peaks: Floats = np.zeros(count)

    def draw(self, differences: Floats, sums: Floats) -> None:
        """Take one item.

        Args:
            differences: What it brings to each series, shape (count,), in −1 … 1.
            sums: What the items before it brought to the same series.
        """
        fair = -sums / self._left
        room = np.maximum(1 + fair, 0.0)  # what the worst item would lose
        stakes = np.minimum(STAKES, _MOST / np.maximum(room, 1e-9)[:, None])
        self._wealth += np.log1p(stakes * (differences - fair)[:, None])
        self._wealth[sums > self._left] = math.inf  # the items to come cannot bring it back
        self._left -= 1
        self.peaks = np.maximum(self.peaks, np.logaddexp.reduce(self._wealth, axis=1) - math.log(len(STAKES)))
