"""Whether what a script printed is what it should have printed."""

from __future__ import annotations

import math
from typing import Literal

Compare = Literal["lines", "exact", "tokens", "floats"]


def same(printed: str, expected: str, how: Compare, tolerance: float = 1e-6) -> bool:
    """Compare two outputs.

    Args:
        printed: The script's.
        expected: The row's.
        how: ``lines``: but for blanks at the ends of lines and empty lines at the end. ``exact``: character by
            character. ``tokens``: words alone. ``floats``: words alone, and numbers within ``tolerance``, absolute or
            relative.
        tolerance: See ``floats``.
    """
    if how == "exact":
        return printed == expected
    if how == "lines":
        return _trimmed(printed) == _trimmed(expected)
    ours, theirs = printed.split(), expected.split()
    if how == "tokens":
        return ours == theirs
    return len(ours) == len(theirs) and all(
        _close(one, other, tolerance) for one, other in zip(ours, theirs, strict=True)
    )


def _trimmed(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _close(one: str, other: str, tolerance: float) -> bool:
    if one == other:
        return True
    try:
        ours, theirs = float(one), float(other)
    except ValueError:
        return False
    return math.isfinite(ours) and math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance)
