"""How a count is held against a number: the two relations that the instructions know."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Relation = Literal["at least", "less than"]
Count = Annotated[int, Field(ge=0)]


def holds(count: int, relation: Relation, bound: int) -> bool:
    """Whether ``count`` stands in ``relation`` to ``bound``."""
    return count >= bound if relation == "at least" else count < bound
