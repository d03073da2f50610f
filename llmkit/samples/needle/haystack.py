"""The text that needles are hidden in: where its sentences begin, and how many tokens lie between them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from llmkit.tokens import Offsets, Tokenizer

LONGEST_SENTENCE = 500
"""Characters. What goes on longer (a table, a text without full stops) is cut where a word ends."""
_CHUNK = 8_000
"""Characters counted at once where a tokenizer says how many tokens there are, and not where they end."""
_END = re.compile(r"""[.!?…]["'”’»)\]_*]{0,3}(?=\s)|[。！？](?:[」』”])?|\n""")
_BLANKS = re.compile(r"\s*")
_LONGEST_WORD = 40
"""Characters that are given up so that a context ends with a whole word; scripts without blanks end anywhere."""


def sentence_starts(text: str) -> list[int]:
    """Return the offsets at which sentences begin, 0 among them; none is at the text's end."""
    starts = [0]

    def begin(offset: int) -> None:
        while offset - starts[-1] > LONGEST_SENTENCE:
            cut = text.rfind(" ", starts[-1] + 1, starts[-1] + LONGEST_SENTENCE) + 1
            starts.append(cut or starts[-1] + LONGEST_SENTENCE)
        if starts[-1] < offset < len(text):
            starts.append(offset)

    for end in _END.finditer(text):
        blanks = _BLANKS.match(text, end.end())
        begin(blanks.end() if blanks else end.end())
    begin(len(text))
    return starts


class Haystack:
    """A text, measured.

    Args:
        text: The text, without blanks at its ends.
        tokenizer: Counts.

    Attributes:
        starts: Offsets at which sentences begin.
    """

    def __init__(self, text: str, tokenizer: Tokenizer) -> None:
        self.text = text
        self.starts = sentence_starts(text)
        self._ends = _ends(text, tokenizer)

    @property
    def tokens(self) -> int:
        """Tokens of the whole text; where the tokenizer does not tell where they end, within a few."""
        return len(self._ends)

    def before(self, offset: int) -> int:
        """Return how many tokens end at ``offset`` or before it."""
        return bisect_right(self._ends, offset)

    def end(self, number: int) -> int | None:
        """Return where a token ends, the first being number 1."""
        return self._ends[number - 1] if 0 < number <= len(self._ends) else None

    def between(self, start: int, end: int) -> int:
        """Return how many tokens lie between two offsets."""
        return self.before(end) - self.before(start)

    def reach(self, start: int, tokens: int) -> int:
        """Return the last offset at which a word ends and up to which there are at most so many tokens."""
        last = self.before(start) + tokens
        if tokens <= 0 or last == 0:
            return start
        end = longest = max(start, self._ends[min(last, len(self._ends)) - 1])
        while end > start and _within_word(self.text, end):
            end -= 1
        if longest - end > _LONGEST_WORD:
            end = longest
        while end > start and self.text[end - 1].isspace():
            end -= 1
        return end

    def word_before(self, end: int) -> int:
        """Return where the word before the last one ends; one character before, where no word ends near."""
        near = self.text[max(0, end - _LONGEST_WORD) : end]
        cut = near.rstrip().rfind(" ")
        return max(0, end - 1) if cut < 0 else end - len(near) + len(near[:cut].rstrip())

    @cached_property
    def folded(self) -> str:
        """The text as needles are looked for in it."""
        return self.text.casefold()


def _within_word(text: str, offset: int) -> bool:
    return 0 < offset < len(text) and text[offset - 1].isalnum() and text[offset].isalnum() and text[offset].isascii()


def _ends(text: str, tokenizer: Tokenizer) -> Sequence[int]:
    if isinstance(tokenizer, Offsets):
        return tokenizer.ends(text)
    ends: list[int] = []
    for start in range(0, len(text), _CHUNK):
        size = min(_CHUNK, len(text) - start)
        count = tokenizer.count(text[start : start + size])
        ends += [start + size * number // count for number in range(1, count + 1)]
    return ends
