"""How many simulated trials, and settings of them, a test takes: a part by default, all in ``.ci/deep``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

ALL = os.environ.get("LLMKIT_SIMULATIONS") == "all"


def runs(full: int, part: int) -> int:
    """Return how many trials to simulate; a test's tolerance follows from it."""
    return full if ALL else part


def every(settings: Sequence[T], step: int) -> list[T]:
    """Return all settings, or by default each ``step``-th of them."""
    return list(settings if ALL else settings[::step])
