"""How many tokens a context has: counted whole, or, where it is long, counted anew only around its seams.

Tokenizers read a text word by word, so that what was measured of the haystack holds in the context, too, but for the
words beside a needle. A context of each length is counted whole all the same; where the sum was wrong once, every
context is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmkit.samples.needle.haystack import Haystack
from llmkit.tokens import Offsets, Tokenizer

Part = str | tuple[int, int]
"""A text, or (start, end) of a part of the haystack."""
SHORT = 16_000
"""Characters up to which a context is counted whole: that takes a few milliseconds."""
_AROUND = 300
"""Characters beside a seam that are counted anew: no token, and no word that tokens are made within, is as long."""
_KEPT = 2_000
"""Counts that are kept; more than the seams of a row."""
_SEARCHED = 64
"""Tokens looked through for one that ends before a blank."""


class Meter:
    """Counts contexts of one haystack.

    Args:
        haystack: The haystack, measured.
        tokenizer: Counts.
    """

    def __init__(self, haystack: Haystack, tokenizer: Tokenizer) -> None:
        self.haystack, self.tokenizer = haystack, tokenizer
        self._sums = isinstance(tokenizer, Offsets)
        self._begun: int | None = None
        self._checked: set[int] = set()
        self._windows: dict[str, int] = {}

    def text(self, parts: Sequence[Part]) -> str:
        """Put a context together."""
        text = self.haystack.text
        return "".join(part if isinstance(part, str) else text[part[0] : part[1]] for part in parts)

    def count(self, parts: Sequence[Part]) -> int:
        """Return a context's tokens."""
        if not self._sums or sum(_size(part) for part in parts) <= SHORT:
            return self.tokenizer.count(self.text(parts))
        known, windows = 0, [""]
        for part in parts:
            cuts = None if isinstance(part, str) else self._cuts(*part)
            if cuts is None or isinstance(part, str):
                windows[-1] += self.text([part])
                continue
            windows[-1] += self.text([(part[0], cuts[0])])
            windows.append(self.text([(cuts[1], part[1])]))
            known += self.haystack.between(*cuts)
        return known + sum(map(self._around, windows)) - self._beginning() * (len(windows) - 1)

    def right(self, parts: Sequence[Part], length: int) -> bool:
        """Whether a context that was counted is so long: the first of each length is counted whole, too."""
        if not self._sums or length in self._checked or sum(_size(part) for part in parts) <= SHORT:
            return True
        self._checked.add(length)
        self._sums = self.tokenizer.count(self.text(parts)) == length
        return self._sums

    def _around(self, window: str) -> int:
        """Count the text around a seam; the next try changes only the last of them."""
        if window not in self._windows:
            if len(self._windows) > _KEPT:
                self._windows.clear()
            self._windows[window] = self.tokenizer.count(window)
        return self._windows[window]

    def _cuts(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the part of a part of the haystack that lies away from both its ends, between whole words."""
        first = next(self._blanks(start + _AROUND, 1), None)
        last = next(self._blanks(end - _AROUND, -1), None)
        return (first, last) if first is not None and last is not None and start < first < last < end else None

    def _blanks(self, offset: int, step: int) -> Iterator[int]:
        """Yield where tokens end before a blank, from an offset on, or back."""
        number = self.haystack.before(offset)
        for _ in range(_SEARCHED):
            number += step
            end = self.haystack.end(number)
            if end is not None and self.haystack.text[end : end + 1] == " ":
                yield end

    def _beginning(self) -> int:
        """Return how many tokens more a text has that is counted alone: some tokenizers put a blank before it."""
        if self._begun is None:
            cuts = self._cuts(0, min(len(self.haystack.text), SHORT))
            alone = 0 if cuts is None else self.tokenizer.count(self.text([cuts]))
            self._begun = 0 if cuts is None else alone - self.haystack.between(*cuts)
        return self._begun


def _size(part: Part) -> int:
    return len(part) if isinstance(part, str) else part[1] - part[0]
