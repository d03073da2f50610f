"""``characters:4``: a fixed number of characters a token. An approximation, and called so wherever it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Characters:
    """Counts ``each`` characters as a token, a last incomplete one included."""

    each: int

    @property
    def name(self) -> str:
        """As a suite writes it."""
        return f"characters:{self.each}"

    def count(self, text: str) -> int:
        """Return the number of characters / ``each``, rounded up."""
        return -(-len(text) // self.each)

    def ends(self, text: str) -> Sequence[int]:
        """Return every ``each``-th offset, and the text's end."""
        ends = range(self.each, len(text) + 1, self.each)
        return [*ends, len(text)] if len(text) % self.each else ends
