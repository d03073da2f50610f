"""Correlation of two paired columns: Pearson's, Spearman's, Kendall's. None where a column does not vary."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmkit.stats.quantiles import t_tail, z_of
from llmkit.stats.ranks import midranks
from llmkit.types import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDING = 1e-12  # a spread below this share of the values' size is rounding


def pearson(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return Pearson's r: the covariance over the product of the standard deviations (Pearson 1895).

    Args:
        x: Shape (n,).
        y: Shape (n,).

    Returns:
        None for fewer than two pairs, and where either column does not vary.

    Raises:
        ValueError: For columns that differ in length, or a value that is not finite.
    """
    a, b = _columns(x, y)
    if len(a) < 2 or not _varies(a) or not _varies(b):
        return None
    a, b = _unit(a), _unit(b)
    return min(1.0, max(-1.0, float(a @ b)))


def spearman(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return Spearman's ρ: Pearson's r of the ranks, equal values sharing their mean rank (Spearman 1904).

    Arguments as in :func:`pearson`.
    """
    a, b = _columns(x, y)
    return pearson(midranks(a), midranks(b))


def kendall_tau_b(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return τ-b = (C − D) / √((C + D + Tx)(C + D + Ty)) over all pairs of rows (Kendall, Biometrika 33, 1945).

    C and D count concordant and discordant pairs, Tx and Ty pairs that are tied in x alone and in y alone.
    Arguments as in :func:`pearson`.
    """
    a, b = _columns(x, y)
    score, pairs, tied_x, tied_y = _kendall(a, b)
    if pairs in (tied_x, tied_y):
        return None
    return min(1.0, max(-1.0, score / math.sqrt((pairs - tied_x) * (pairs - tied_y))))


def kendall_tau_c(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return τ-c = 2(C − D) / (n²(m − 1)/m), m the fewer distinct values (Stuart, Biometrika 40, 1953).

    For scales of different length, such as a grade of 1 to 5 against a share. Arguments as in :func:`pearson`.
    """
    a, b = _columns(x, y)
    fewer = min(len(np.unique(a)), len(np.unique(b)))
    if fewer < 2:
        return None
    return 2 * _kendall(a, b)[0] / (len(a) ** 2 * (fewer - 1) / fewer)


def correlation_p_value(r: float, n: int) -> float | None:
    """Return the two-sided p-value of "no correlation", by t = r·√((n−2)/(1−r²)) with n − 2 degrees of freedom.

    Exact for Pearson's r of normal columns, the usual approximation for Spearman's ρ (Kendall and Stuart, vol. 2,
    §31.19), and not for τ. None for fewer than three pairs.

    Raises:
        ValueError: For an r outside [−1, 1].
    """
    _check(r)
    if n < 3:
        return None
    if abs(r) == 1:
        return 0.0
    t = abs(r) * math.sqrt((n - 2) / ((1 - r) * (1 + r)))
    return 2 * t_tail(t, n - 2)


def fisher_interval(r: float, n: int, confidence: float = 0.95) -> Interval | None:
    """Return tanh(artanh r ± z/√(n−3)), of Pearson's r (Fisher, Metron 1, 1921).

    None for fewer than four pairs and for r = ±1, where it would have no width.

    Raises:
        ValueError: For an r outside [−1, 1].
    """
    _check(r)
    if n < 4 or abs(r) == 1:
        return None
    half = z_of(confidence) / math.sqrt(n - 3)
    centre = math.atanh(r)
    return Interval(math.tanh(centre - half), math.tanh(centre + half), "fisher-z", confidence)


def spearman_interval(rho: float, n: float, confidence: float = 0.95) -> Interval | None:
    """Return tanh(artanh ρ ± z·√((1 + ρ²/2)/(n − 3))) (Bonett and Wright, Psychometrika 65, 2000, eq. 4).

    None for fewer than four pairs, effective ones included, and for ρ = ±1, where it would have no width.

    Raises:
        ValueError: For a ρ outside [−1, 1].
    """
    _check(rho)
    if n < 4 or abs(rho) == 1:
        return None
    half = z_of(confidence) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    centre = math.atanh(rho)
    return Interval(math.tanh(centre - half), math.tanh(centre + half), "bonett-wright", confidence)


def _columns(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"a correlation is of two lists of one length, not of shapes {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a correlation is of finite numbers")
    return a, b


def _varies(values: Floats) -> bool:
    return bool(np.ptp(values) > _ROUNDING * np.abs(values).max())


def _unit(values: Floats) -> Floats:
    """Return the centred values at length 1, scaled first so that no square leaves the floats."""
    centred = values - values.mean()
    centred = centred / np.abs(centred).max()
    return np.asarray(centred / np.linalg.norm(centred), dtype=np.float64)


def _kendall(x: Floats, y: Floats) -> tuple[int, int, int, int]:
    """Return C − D, the number of pairs, and how many of them are tied in x and in y.

    In the order of x, and of y among equal x, the discordant pairs are the inversions of y (Knight, JASA 61, 1966).
    """
    a, b = (np.unique(values, return_inverse=True)[1].astype(np.int64) for values in (x, y))
    tied_x, tied_y, tied_both = _tied(a), _tied(b), _tied(a * (len(b) + 1) + b)
    pairs = len(a) * (len(a) - 1) // 2
    discordant = _inversions(b[np.lexsort((b, a))])
    return pairs - tied_x - tied_y + tied_both - 2 * discordant, pairs, tied_x, tied_y


def _tied(codes: Ints) -> int:
    times = np.unique(codes, return_counts=True)[1]
    return int((times * (times - 1) // 2).sum())


def _inversions(codes: Ints) -> int:
    """Count the pairs i < j with codes[i] > codes[j], in n·log n steps and no loop over items.

    Two numbers are ordered by their highest bit that differs. So, from the highest bit down, the rows are kept sorted
    by the bits above it and otherwise in place, and a 0 there counts the 1s before it within its group.
    """
    found = 0
    for bit in reversed(range(int(codes.max(initial=0)).bit_length())):
        group, one = codes >> (bit + 1), (codes >> bit) & 1
        before = np.cumsum(one) - one
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        sizes = np.diff(np.append(starts, len(codes)))
        within = before - np.repeat(before[starts], sizes)
        found += int(within[one == 0].sum())
        codes = codes[np.argsort(codes >> bit, kind="stable")]
    return found


def _check(r: float) -> None:
    if not -1 <= r <= 1:
        raise ValueError(f"a correlation lies in [−1, 1], not {r}")
