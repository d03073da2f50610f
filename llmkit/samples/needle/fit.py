"""A context of exactly so many tokens: how much of the haystack fits beside the needles, and where they stand."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmkit.samples.needle.haystack import Haystack
from llmkit.samples.needle.meter import Meter, Part

TRIES = 4
"""With other shares of the haystack; mostly the first or the second fits, as tokens seldom run over a word's end."""
ENDS = 8
"""Words given up one by one, after that, with filler in their place."""
FILLER = " ."
"""Brings a context to its length where the next word is too long; one token under the common tokenizers."""
LEAST = 8
"""Tokens that must be left for the haystack, or there is nothing to hide in."""


@dataclass(frozen=True, slots=True)
class Needle:
    """A sentence to hide, and where: in percent of the haystack's tokens."""

    text: str
    depth: float


@dataclass(frozen=True, slots=True)
class Context:
    """A row's context; its text is put together when it is asked for, so that a large set takes little memory.

    Attributes:
        parts: In order: texts, and (start, end) of parts of the haystack.
        tokens: Tokens of the whole, counted.
        placed: Of each needle, in the order in which they were given, the share of the haystack's tokens before it, in
            percent.
    """

    parts: tuple[Part, ...]
    tokens: int
    placed: tuple[float, ...]

    def text(self, haystack: str) -> str:
        """Return the context, of the haystack that it was made of."""
        return "".join(part if isinstance(part, str) else haystack[part[0] : part[1]] for part in self.parts)


def fit(meter: Meter, needles: Sequence[Needle], length: int, start: int = 0) -> Context:
    """Return a context of ``length`` tokens that begins with the haystack's offset ``start``.

    How many tokens a whole has is not the sum of its parts' (a blank joins the word after it), so the whole is counted,
    and the haystack's share is changed until the count is right. Where no share gives it, as with a tokenizer that
    counts by twos, the context stays below, and its ``tokens`` say by how much.

    Args:
        meter: Of a haystack that holds enough tokens from ``start`` on.
        needles: To hide.
        length: Tokens of the whole.
        start: Where a sentence begins.

    Raises:
        ValueError: The needles leave no room for a haystack.
    """
    wanted = length - sum(meter.tokenizer.count(needle.text) + 1 for needle in needles)
    if wanted < LEAST:
        raise ValueError(f"{length:,} tokens are too few to hold {length - wanted:,} tokens of needles and a haystack")
    best: Context | None = None
    for context in _tried(meter, needles, length, start, wanted):
        if context.tokens == length:
            # Where the sum of parts is not the whole, all that was tried is worth nothing.
            return context if meter.right(context.parts, length) else fit(meter, needles, length, start)
        if context.tokens < length and (best is None or context.tokens > best.tokens):
            best = context
    if best is None:
        raise ValueError(f"no context of {length:,} tokens can be made")
    return best


def _tried(meter: Meter, needles: Sequence[Needle], length: int, start: int, wanted: int) -> Iterator[Context]:
    """Yield contexts, each nearer to the length; after the last none is to be had."""
    haystack = meter.haystack
    end = start
    for _ in range(TRIES):
        end = haystack.reach(start, wanted)
        filler = max(0, wanted - haystack.between(start, end))
        context = _assembled(meter, needles, start, end, FILLER * filler)
        yield context
        wanted = max(1, wanted + length - context.tokens)
    end = haystack.reach(start, wanted)
    for _ in range(ENDS):
        bare = _assembled(meter, needles, start, end, "")
        yield bare
        if (missing := length - bare.tokens) > 0:
            filled = _assembled(meter, needles, start, end, FILLER * missing)
            yield filled
            won = max(1, filled.tokens - bare.tokens)  # with a tokenizer that takes a piece of filler for more, or less
            yield _assembled(meter, needles, start, end, FILLER * round(missing * missing / won))
        end = haystack.word_before(end)


def _assembled(meter: Meter, needles: Sequence[Needle], start: int, end: int, filler: str) -> Context:
    haystack = meter.haystack
    places = [_place(haystack, start, end, needle.depth) for needle in needles]
    order = sorted(range(len(needles)), key=lambda number: places[number])
    hidden = [(places[number], needles[number].text) for number in order]
    parts = tuple(part for part in _parts(haystack.text, hidden, start, end, filler) if part)
    whole = haystack.between(start, end) or 1
    placed = tuple(round(100 * haystack.between(start, place) / whole, 2) for place in places)
    return Context(parts, meter.count(parts), placed)


def _parts(text: str, hidden: Sequence[tuple[int, str]], start: int, end: int, filler: str) -> Iterator[Part]:
    at = start
    for place, needle in hidden:
        if place < end:
            yield from [(at, place)] if at < place else []
            yield f"{needle}\n" if text[place - 1 : place] == "\n" else f"{needle} "
            at = place
    yield from [(at, end)] if at < end else []
    yield filler
    yield from (f" {needle}" for place, needle in hidden if place >= end)


def _place(haystack: Haystack, start: int, end: int, depth: float) -> int:
    """Return the beginning of the sentence nearest to a depth, or the end of the haystack's part."""
    whole = haystack.between(start, end)
    target = depth / 100 * whole
    low, high = bisect_left(haystack.starts, start), bisect_left(haystack.starts, end)
    after = bisect_right(haystack.starts, target, low, high, key=lambda offset: haystack.between(start, offset))
    around = [*haystack.starts[max(low, after - 1) : min(high, after + 1)], end]
    return min(around, key=lambda offset: abs(haystack.between(start, offset) - target))
