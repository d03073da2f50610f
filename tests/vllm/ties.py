"""Greedy answers that differ only where the model was undecided.

Two ways of computing one sum differ in its last digits. Where two tokens are all but equally likely that decides which
comes first, and all that follows may differ then: the first difference alone says whether the two ways disagree.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmkit.types import Completion

NEAR = 0.02
"""Nats between two tokens that count as a tie, in float32; sums of 30 layers in another order differ by 1e-4."""


def gap_where_they_part(one: Completion, two: Completion) -> float | None:
    """Return how much likelier, in nats, the first answer's token is than the second's where they first differ.

    Both have ``top_logprobs`` of at least 2. None: they are equal. Infinite: the other token is not among them.
    """
    assert one.logprobs is not None and two.logprobs is not None
    for mine, theirs in zip(one.logprobs, two.logprobs, strict=False):
        if mine.token != theirs.token:
            return mine.logprob - dict(mine.top).get(theirs.token, -float("inf"))
    return None if len(one.logprobs) == len(two.logprobs) else float("inf")


def ties(ones: Sequence[Completion], twos: Sequence[Completion], *, near: float = NEAR) -> int:
    """Count the answers that differ after a near tie.

    Raises:
        AssertionError: Two differ where the model was decided.
    """
    gaps = [gap_where_they_part(one, two) for one, two in zip(ones, twos, strict=True)]
    apart = [gap for gap in gaps if gap is not None]
    assert all(gap <= near for gap in apart), f"greedy answers differ by {max(apart)} nats, not by rounding"
    return len(apart)
