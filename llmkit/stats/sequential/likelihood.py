"""Means of bounded values with no model of their noise: empirical likelihood with a pessimist's observation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential.roots import crossing
from llmkit.stats.sequential.tango import QUARTER

Floats = NDArray[np.float64]

_STEPS = 60
_CELLS = 50_000  # at a time: they stay in the processor's cache


def el_z(d: Floats, margin: float, w: float = QUARTER) -> float:
    """Return the score of "the mean of ``d`` is −``margin``" against more, from the empirical likelihood.

    The variance is that of the distribution on the data which is most likely at the margin (Owen, Biometrika 75, 1988).
    A t statistic knows nothing of rare collapses that the sample happens to lack; one more observation of −1, of weight
    ``w``, stands for them. For values of −1, 0 and 1 it is :func:`~.tango.tango_z`, but for n + w in place of n.

    Args:
        d: Shape (n,), positive is better; −1 is as bad as what was not seen is thought to be.
        margin: In (−1, 1).
        w: Weight of the observation that is added.
    """
    return float(el_scores(np.asarray(d, dtype=np.float64)[None, :], margin, w)[0]) if len(d) else -math.inf


def el_scores(d: Floats, margin: float, w: float = QUARTER) -> Floats:
    """Return :func:`el_z` of each row of ``d``, shape (r, n) → (r,)."""
    n = d.shape[1]
    shift = d + margin
    worst = margin - 1.0
    surplus = d.sum(axis=1) - w + n * margin
    found = np.full(len(d), -np.inf)
    good = surplus > 0
    if not good.all():
        found[~good] = surplus[~good] / np.sqrt(n * ((shift[~good] ** 2).sum(axis=1) + w * worst**2) / (n + w))
    if good.any():
        rows = np.flatnonzero(good)
        for part in np.array_split(rows, 1 + len(rows) * n // _CELLS):
            found[part] = surplus[part] / np.sqrt(n * _constrained_variance(shift[part], worst, w))
    return found


def el_bound(d: Floats, z: float, w: float = QUARTER) -> float:
    """Return the drop above which every margin has a score of at least ``z``; 1 where none has."""
    if not len(d) or math.isinf(z):
        return 1.0
    low = max(-1.0 + 1e-9, -float(d.mean()) - 1e-12)
    return crossing(lambda margin: el_z(d, margin, w) - z, low, 1.0 - 1e-9, tolerance=1e-7)


def _constrained_variance(x: Floats, worst: float, w: float) -> Floats:
    """Return the second moment under p_i ∝ w_i/(1 + λx_i) with mean 0, by Newton's steps kept in a bracket."""
    low, high = np.zeros(len(x)), -1.0 / np.minimum(x.min(axis=1), worst)
    tilt = np.minimum(np.maximum((x.sum(axis=1) + w * worst) / ((x**2).sum(axis=1) + w * worst**2), 0.0), high / 2)
    for _ in range(_STEPS):
        ratio, end = x / (1.0 + tilt[:, None] * x), worst / (1.0 + tilt * worst)
        value = ratio.sum(axis=1) + w * end
        slope = -(np.einsum("ij,ij->i", ratio, ratio) + w * end**2)
        low, high = np.where(value > 0, tilt, low), np.where(value > 0, high, tilt)
        step = tilt - value / slope
        following = np.where((step > low) & (step < high), step, (low + high) / 2)
        moved = np.abs(following - tilt) > 1e-10 * np.maximum(1.0, tilt)
        tilt = following
        if not moved.any():
            break
    weight, end = 1.0 / (1.0 + tilt[:, None] * x), w / (1.0 + tilt * worst)
    total = weight.sum(axis=1) + end
    return np.asarray(((weight * x**2).sum(axis=1) + end * worst**2) / total)
