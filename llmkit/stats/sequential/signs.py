"""Proof of a drop in a binary metric, exact: given which pairs differ, losses are a fair coin's walk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def critical_losses(discordant: Sequence[int], levels: Sequence[float]) -> tuple[int, ...]:
    """Return the losses that prove a drop at each look; more than there are discordant pairs: none prove it.

    Without a difference each discordant pair is a loss with probability ½ (McNemar's condition), so the walk of the
    losses is known once their numbers are: what may still be spent at a look is held exactly, and what coarse counts
    leave unspent goes on to the next look. No later look is needed.

    Args:
        discordant: Pairs that differ up to each look; never falling.
        levels: Cumulative error that may be spent up to each look.
    """
    alive, spent, before, found = np.ones(1), 0.0, 0, []
    for pairs, level in zip(discordant, levels, strict=True):
        if pairs > before:
            alive = np.convolve(alive, coin(pairs - before))
        tail = np.append(np.cumsum(alive[::-1])[::-1], 0.0)
        critical = int(np.argmax(tail <= max(level - spent, 0.0)))
        spent += float(tail[critical])
        alive, before = alive[:critical], pairs
        found.append(critical)
    return tuple(found)


def coin(n: int) -> Floats:
    """Return the probabilities of 0 … n heads of a fair coin, shape (n + 1,)."""
    steps = np.log(np.arange(n, 0, -1)) - np.log(np.arange(1, n + 1))
    logs = np.concatenate([[0.0], np.cumsum(steps)]) - n * np.log(2.0)
    return np.asarray(np.exp(logs))


def losses_and_pairs(d: Ints, counts: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the losses, and the discordant pairs, up to each look. ``d``, shape (n,), is −1 where head lost."""
    lost, differ = np.cumsum(d < 0, dtype=np.int64), np.cumsum(d != 0, dtype=np.int64)
    return _up_to(lost, counts), _up_to(differ, counts)


def _up_to(totals: Ints, counts: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(totals[n - 1]) if n else 0 for n in counts)
