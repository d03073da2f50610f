"""How two different answers part: at a near tie of two tokens, or by more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Literal, NamedTuple

from llmkit.paired.rows import Chosen
from llmkit.types import TokenLogprob

Parting = Literal["tie", "more", "unknown"]

_UNREADABLE = "\ufffd"  # a part of a character: different tokens look the same


class _Gap(NamedTuple):
    """The least and the most that |log P(x) − log P(y)| can be on a side, by what it stores."""

    least: float
    most: float


def parting(a: Chosen | None, b: Chosen | None, tolerance: float) -> Parting:
    """Say how two different answers part: at a near tie, by more, or in a way that what is stored does not show.

    Up to the first token in which they differ both sides had the same to go on. There a took x and b took y; each side
    that tells of both has a gap, |log P(x) − log P(y)|. It is a tie where one gap is known to lie within the tolerance,
    and none to lie beyond it; and more where one lies beyond. Continuations that were compared have gaps of their own.

    Args:
        a: One side's answer; None where it is not stored.
        b: The other's.
        tolerance: In nats.
    """
    gaps = [] if a is None or b is None else list(_gaps(a, b, tolerance))
    if any(gap.least > tolerance for gap in gaps):
        return "more"
    return "tie" if any(gap.most <= tolerance for gap in gaps) else "unknown"


def _gaps(a: Chosen, b: Chosen, tolerance: float) -> Iterator[_Gap]:
    if a.finish_reason == b.finish_reason == "compared":
        yield from _compared(a, a.text, b.text)
        yield from _compared(b, a.text, b.text)
    elif a.logprobs and b.logprobs:
        yield from _of_both(a, b, a.logprobs, b.logprobs, tolerance)
    elif a.logprobs:
        yield from _of_one(a, a.logprobs, b)
    elif b.logprobs:
        yield from _of_one(b, b.logprobs, a)


def _of_both(
    a: Chosen, b: Chosen, tokens_a: Sequence[TokenLogprob], tokens_b: Sequence[TokenLogprob], tolerance: float
) -> Iterator[_Gap]:
    """Yield the gaps at the first token that differs."""
    for x, y in zip_longest(tokens_a, tokens_b):
        if x is None or y is None:
            ended, own = (a, y) if x is None else (b, x)
            if ended.finish_reason != "length":  # else it was cut off, and chose nothing
                yield _gap(own, None)
            return
        if x.token != y.token:
            if not (_UNREADABLE in x.token and _UNREADABLE in y.token):
                yield _gap(x, _named(x, y.token))
                yield _gap(y, _named(y, x.token))
            return
        if _UNREADABLE in x.token and abs(x.logprob - y.logprob) > tolerance:
            return


def _of_one(side: Chosen, tokens: Sequence[TokenLogprob], other: Chosen) -> Iterator[_Gap]:
    """Yield the gap at the first token of one side that the other's text does not go on with.

    Nothing where the tokens do not make up the side's own text: then they say nothing of the other's, either.
    """
    if not "".join(token.token for token in tokens).startswith(side.text):
        return
    rest = other.text
    for number, own in enumerate(tokens, start=1):
        if rest.startswith(own.token) and (own.token or number < len(tokens)):  # the end may be a token without a text
            rest = rest[len(own.token) :]
        elif rest:
            yield _gap(own, [logprob for token, logprob in own.top if token and rest.startswith(token)])
            return
        else:
            if other.finish_reason != "length":
                yield _gap(own, None)
            return


def _gap(own: TokenLogprob, others: Sequence[float] | None) -> _Gap:
    """Return the gap between a side's own token and what the other side took there.

    Args:
        own: What the side took.
        others: The log-probabilities that it has for what the other took. Empty: that is not among the likeliest, and
            no likelier than any of them. None: it is the answer's end, which is stored under no name, so that it may
            be any alternative.
    """
    if others:
        near, far = abs(own.logprob - max(others)), abs(own.logprob - min(others))
        return _Gap(min(near, far), max(near, far))
    taken = math.exp(min(own.logprob, 0.0))
    most = math.log1p(-taken) if taken < 1 else -math.inf
    alternatives = [logprob for token, logprob in own.top if others is not None or token != own.token]
    if alternatives:
        most = min(most, max(alternatives) if others is None else min(alternatives))
    return _Gap(own.logprob - most, math.inf)


def _named(own: TokenLogprob, token: str) -> list[float]:
    """Return what a side has for a token, where that is among the likeliest."""
    found = [logprob for name, logprob in own.top if name == token]
    return [max(found)] if found else []


def _compared(side: Chosen, x: str, y: str) -> Iterator[_Gap]:
    """Yield the gap between two of the continuations that a side compared."""
    of = {entry.token: entry.logprob for entry in side.logprobs or ()}
    if x in of and y in of:
        gap = abs(of[x] - of[y])
        yield _Gap(gap, gap)
