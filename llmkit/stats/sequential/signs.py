"""Proof of a drop in a binary metric, exact: given which pairs differ, losses are a fair coin's walk."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CELLS = 2_000_000  # of the transforms at a time
_ROUNDING = 1e-13  # of a transform and back


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


def critical_losses_many(discordant: Ints, levels: Sequence[float]) -> Ints:
    """Return :func:`critical_losses` for many trials at once, shape (r, looks) → (r, looks).

    The walks are convolved as Fourier transforms: that of n coins is (cos(ω/2)·e^{−iω/2})ⁿ. They lie on a ring that is
    as long as nine standard deviations to each side, so that none meets itself.
    """
    most = int(discordant.max(initial=0))
    size = 1 << math.ceil(min(most + 1, 9 * math.sqrt(most) + 1)).bit_length()
    rows = max(1, _CELLS // size)
    parts = [_critical(discordant[start : start + rows], levels, size) for start in range(0, len(discordant), rows)]
    return np.concatenate(parts)


def _critical(discordant: Ints, levels: Sequence[float], size: int) -> Ints:
    frequency, places = np.pi * np.arange(size // 2 + 1) / size, np.arange(size)
    ring = np.zeros((len(discordant), size))
    ring[:, 0] = 1.0
    spent, found = np.zeros(len(discordant)), np.empty_like(discordant)
    for look, level in enumerate(levels):
        new = np.diff(discordant[:, : look + 1], axis=1, prepend=0)[:, -1][:, None]
        turned = np.cos(frequency) ** new * np.exp(-1j * frequency * new)
        ring = np.fft.irfft(np.fft.rfft(ring, axis=1) * turned, n=size, axis=1)
        first = np.maximum(discordant[:, look] // 2 - size // 2, 0)[:, None]  # of the stretch that the walk is on
        alive = np.take_along_axis(ring, (first + places) % size, axis=1)
        tail = np.cumsum(alive[:, ::-1], axis=1)[:, ::-1]
        within = tail <= np.maximum(level - spent, 0.0)[:, None] + _ROUNDING
        critical = np.where(within.any(axis=1), within.argmax(axis=1), size)
        spent += np.where(
            critical < size, np.take_along_axis(tail, np.minimum(critical, size - 1)[:, None], 1)[:, 0], 0
        )
        alive[places >= critical[:, None]] = 0.0
        np.put_along_axis(ring, (first + places) % size, alive, axis=1)
        found[:, look] = critical + first[:, 0]
    return found
