"""Bills added up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from llmkit.judgements import Verdict
from llmkit.types import Totals

_NAMES = tuple(each.name for each in fields(Totals))


def summed(parts: Iterable[Totals]) -> Totals:
    """Add bills; a sum with an unknown part is unknown."""
    parts = list(parts)
    sums: dict[str, Any] = {}
    for name in _NAMES:
        column = [getattr(part, name) for part in parts]
        sums[name] = None if None in column else sum(column)
    return Totals(**sums)


def dollars(verdicts: Iterable[Verdict]) -> float | None:
    """Return what verdicts cost when they were made, lost calls included; None where a part is unknown."""
    made = summed(verdict.made for verdict in verdicts)
    return None if made.cost_usd is None or made.lost_usd is None else made.cost_usd + made.lost_usd
