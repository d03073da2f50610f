"""What differs between two answers, word by word, cut to what a person reads."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

LONGEST = 320
"""Characters of one answer that are shown whole; of a longer one, the surroundings of what differs."""
CONTEXT = 60
"""Characters kept on either side of a difference."""
MOST_CHANGES = 6
"""Stretches that differ, of one pair of answers, before the rest is only counted."""
MOST_WORDS = 1500
"""Words that are aligned, common beginning and end apart; the alignment's time grows with their square."""
LEAST_SHARED = 0.3
"""Share of words that two answers must have in common for marks to help; else both are shown plainly."""
ELLIPSIS = "…"

_TOKENS = re.compile(r"\s+|\w+|[^\w\s]")
_WORD = re.compile(r"\w")

Kind = Literal["same", "other", "cut"]
Tokens = Sequence[str]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one answer: as in the other one, not as there, or a sign that something is left out."""

    text: str
    kind: Kind = "same"


Pieces = tuple[Piece, ...]


class _Block(NamedTuple):
    """A stretch of both answers."""

    equal: bool
    a: str
    b: str


def differing(a: str, b: str) -> tuple[Pieces, Pieces]:
    """Split two texts into what they share and what not, each cut around the differences.

    Texts with little in common come back whole (or cut in the middle), as one piece of kind ``same``: marking
    everything tells nothing.
    """
    blocks = _blocks(_TOKENS.findall(a), _TOKENS.findall(b))
    if _shared(blocks) < LEAST_SHARED:
        return tuple(_plain(a)), tuple(_plain(b))
    shown, more = _first(blocks)
    return _side(shown, "a", more, len(a)), _side(shown, "b", more, len(b))


def middle_cut(text: str, most: int = LONGEST) -> str:
    """Leave out the middle of a long text; its end is worth more than its beginning, for questions stand there."""
    if len(text) <= most:
        return text
    head = most // 3
    return f"{text[:head]} {ELLIPSIS} {text[head + 3 - most :]}"


def _plain(text: str) -> Iterator[Piece]:
    if text:
        yield Piece(middle_cut(text))


def _blocks(a: Tokens, b: Tokens) -> list[_Block]:
    """Return equal and differing stretches in turn."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    mid_a, mid_b = a[start : len(a) - end], b[start : len(b) - end]
    before, after = "".join(a[:start]), "".join(a[len(a) - end :])
    found = [_Block(True, before, before), *_aligned(mid_a, mid_b), _Block(True, after, after)]
    return _joined([block for block in found if block.a or block.b])


def _aligned(a: Tokens, b: Tokens) -> Iterator[_Block]:
    if len(a) > MOST_WORDS or len(b) > MOST_WORDS:
        yield _Block(False, "".join(a), "".join(b))
        return
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b).get_opcodes():
        yield _Block(tag == "equal", "".join(a[i:j]), "".join(b[k:m]))


def _joined(blocks: Sequence[_Block]) -> list[_Block]:
    """Join differences that only blanks and punctuation keep apart: ``red fish`` → ``blue bird`` is one change."""
    joined: list[_Block] = []
    for number, (equal, a, b) in enumerate(blocks):
        inside = 0 < number < len(blocks) - 1 and not (blocks[number - 1].equal or blocks[number + 1].equal)
        equal = equal and not (inside and not _WORD.search(a))
        if joined and joined[-1].equal == equal:
            joined[-1] = _Block(equal, joined[-1].a + a, joined[-1].b + b)
        else:
            joined.append(_Block(equal, a, b))
    return joined


def _shared(blocks: Sequence[_Block]) -> float:
    """Return the share of the longer answer's words that stand in the other one too, at their place."""
    same = sum(_words(block.a) for block in blocks if block.equal)
    return same / max(1, sum(_words(block.a) for block in blocks), sum(_words(block.b) for block in blocks))


def _words(text: str) -> int:
    return sum(1 for _ in re.finditer(r"\w+", text))


def _first(blocks: Sequence[_Block]) -> tuple[Sequence[_Block], int]:
    """Return the blocks up to the last difference that is shown, and how many more there are."""
    places = [place for place, block in enumerate(blocks) if not block.equal]
    if len(places) <= MOST_CHANGES:
        return blocks, 0
    return blocks[: places[MOST_CHANGES - 1] + 1], len(places) - MOST_CHANGES


def _side(blocks: Sequence[_Block], side: Literal["a", "b"], more: int, length: int) -> Pieces:
    pieces: list[Piece] = []
    for number, block in enumerate(blocks):
        text = block.a if side == "a" else block.b
        if not block.equal:
            pieces += [Piece(middle_cut(text), "other")] if text else []
        elif length <= LONGEST:
            pieces.append(Piece(text))
        else:
            pieces += _near(text, first=number == 0, last=number == len(blocks) - 1)
    if more:
        pieces.append(Piece(f" {ELLIPSIS} and {more:,} more differences", "cut"))
    return tuple(piece for piece in pieces if piece.text)


def _near(text: str, *, first: bool, last: bool) -> list[Piece]:
    """Return what of an equal stretch stands near a difference."""
    before, after = (0 if first else CONTEXT), (0 if last else CONTEXT)
    if len(text) <= before + after + len(ELLIPSIS) + 2:
        return [Piece(text)]
    gap = Piece(f" {ELLIPSIS} " if before and after else f" {ELLIPSIS}" if before else f"{ELLIPSIS} ", "cut")
    return [Piece(text[:before]), gap, Piece(text[len(text) - after :] if after else "")]
