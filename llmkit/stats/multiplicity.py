"""P-values of several tests at once: adjusted, so that each may be set against the level of the family."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def holm(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted by Holm's step-down method (Scand. J. Stat. 6, 1979), in the order given.

    To call what is at most alpha a finding errs at all, anywhere in the family, with a probability of at most alpha.

    Args:
        p_values: Shape (m,).

    Raises:
        ValueError: For what is no p-value.
    """
    ascending, order = _sorted(p_values)
    count = len(ascending)
    adjusted = np.maximum.accumulate(ascending * (count - np.arange(count)))
    return _restored(adjusted, order)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted by Benjamini and Hochberg's step-up method (JRSS B 57, 1995), in the order given.

    Among what is at most alpha, a share of at most alpha is expected to be no finding, where tests are independent.

    Args:
        p_values: Shape (m,).

    Raises:
        ValueError: For what is no p-value.
    """
    ascending, order = _sorted(p_values)
    count = len(ascending)
    scaled = ascending * count / np.arange(1, count + 1)
    return _restored(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _sorted(p_values: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values are a list of numbers in [0, 1]")
    order = np.argsort(values, kind="stable")
    return values[order], order


def _restored(adjusted: Floats, order: NDArray[np.int64]) -> Floats:
    result = np.empty(len(adjusted))
    result[order] = np.minimum(adjusted, 1.0)
    return result
