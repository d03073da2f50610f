"""Names as numbers: what equal names have in common, where arrays are wanted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def numbered(names: Sequence[Hashable]) -> Ints:
    """Number names by first sight, equal ones alike: shape (n,), from 0 without gaps."""
    found: dict[Hashable, int] = {}
    return np.asarray([found.setdefault(name, len(found)) for name in names], dtype=np.int64)
