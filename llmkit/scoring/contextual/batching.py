"""Texts of like length together: what is padded is computed in vain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield the positions of all texts, the shortest first, in batches that take ``budget`` tokens when padded.

    Args:
        lengths: Tokens of each text.
        budget: Texts of a batch × tokens of the longest of them, at most; a longer text is a batch of its own.
    """
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda at: (lengths[at], at)):
        if batch and (len(batch) + 1) * lengths[position] > budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch
