"""Tokenizers to make rows with: of words and their parts, with and without saying where tokens end."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PIECE = re.compile(r" ?[^\W\d_]{1,4}|(?<=[^\W\d_])[^\W\d_]{1,4}| ?\d| ?[^\w\s]+| ?_|\s")


class Words:
    """Words in parts of four letters with the blank before them, digits one by one, as byte-pair encodings do."""

    name = "words"

    def count(self, text: str) -> int:
        return len(self.ends(text))

    def ends(self, text: str) -> Sequence[int]:
        return [piece.end() for piece in _PIECE.finditer(text)]


class Counted:
    """The same, by a server that tells numbers alone; ``asked`` is how many characters it was sent."""

    name = "counted"

    def __init__(self) -> None:
        self.asked = 0

    def count(self, text: str) -> int:
        self.asked += len(text)
        return Words().count(text)


class Pairs:
    """Counts by twos, so that no odd length can be had."""

    name = "pairs"

    def count(self, text: str) -> int:
        return 2 * -(-len(text) // 8)
