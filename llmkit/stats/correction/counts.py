"""What a correction gives, and what it asks of the counts that it starts from."""

from __future__ import annotations

import math
from typing import NamedTuple

from llmkit.stats.confusion import Confusion
from llmkit.types import Interval


class Corrected(NamedTuple):
    """A corrected rate or mean.

    Attributes:
        value: The estimate; a rate's lies in [0, 1].
        interval: Around it; None where the data show no spread to make one from.
        se: Standard error of the estimate, in its unit; None where the interval is not made from one.
    """

    value: float
    interval: Interval | None
    se: float | None


def check_labels(labels: Confusion) -> None:
    """Raise ValueError unless the four cells are finite and not negative, and one is positive."""
    if not all(math.isfinite(cell) and cell >= 0 for cell in labels):
        raise ValueError(f"counts of labels are finite and not negative, not {tuple(labels)}")
    if not labels.total:
        raise ValueError("a correction needs labels: there are none")


def check_verdicts(passed: float, n: float) -> None:
    """Raise ValueError unless 0 ≤ ``passed`` ≤ ``n`` and 0 < ``n`` < ∞."""
    if not (0 < n < math.inf and 0 <= passed <= n):
        raise ValueError(f"verdicts need 0 ≤ passed ≤ n and n > 0, not passed={passed}, n={n}")


def unit(value: float) -> float:
    """Cut ``value`` to what a rate can be."""
    return min(1.0, max(0.0, value))
