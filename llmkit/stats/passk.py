"""Some of k answers right, all of k answers right: from n answers to a sample, c of them right."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def pass_at_k(n: ArrayLike, c: ArrayLike, k: int) -> Floats:
    """Return 1 − C(n−c, k) / C(n, k): at least one of k answers is right (Chen et al., arXiv 2107.03374, §2.1).

    NaN where ``n`` < ``k``: fewer answers than k say nothing unbiased about k of them.

    Args:
        n: Answers to each sample, any shape.
        c: Of them right, of a shape that broadcasts with ``n``.
        k: How many are looked at.

    Raises:
        ValueError: Unless ``k`` ≥ 1 and 0 ≤ ``c`` ≤ ``n``, all whole.
    """
    answers, right = _checked(n, c, k)
    return 1.0 - _all_among(answers, answers - right, k)


def pass_hat_k(n: ArrayLike, c: ArrayLike, k: int) -> Floats:
    """Return C(c, k) / C(n, k): all of k answers are right (Yao et al., τ-bench, arXiv 2406.12045, §3).

    NaN where ``n`` < ``k``. Arguments and errors as in :func:`pass_at_k`.
    """
    answers, right = _checked(n, c, k)
    return _all_among(answers, right, k)


def _all_among(n: Floats, c: Floats, k: int) -> Floats:
    """Return C(c, k) / C(n, k) as a product of k quotients, none of which overflows."""
    result = np.ones(n.shape)
    for drawn in range(k):
        left = n - drawn
        result *= np.maximum(c - drawn, 0.0) / np.where(left > 0, left, np.nan)
    return result


def _checked(n: ArrayLike, c: ArrayLike, k: int) -> tuple[Floats, Floats]:
    answers, right = np.broadcast_arrays(np.asarray(n, dtype=np.float64), np.asarray(c, dtype=np.float64))
    whole = (answers == np.floor(answers)) & (right == np.floor(right))
    if k < 1 or not (whole & (right >= 0) & (right <= answers)).all():
        raise ValueError(f"pass@k needs whole numbers 0 ≤ c ≤ n and k ≥ 1, not k={k}")
    return answers, right
