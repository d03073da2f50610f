"""Whether every id is there once, at eight bytes a row."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator

from llmkit.errors import DataError

Ids = Iterable[tuple[str, str]]
"""(id, ``path:line``) of each row."""


class IdHashes:
    """64-bit hashes of the ids seen: 8 bytes a row, 9 with the array's reserve, and 1 while duplicates are sought."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, name: str) -> None:
        """Note one id."""
        self._hashes.append(hash(name))

    def repeated(self) -> frozenset[int]:
        """Return the hashes seen more than once. Equal hashes are no proof of equal ids."""
        import numpy as np

        ordered = np.frombuffer(self._hashes, dtype=np.int64)
        ordered.sort()  # in place: a sorted copy would double the memory
        return frozenset(ordered[1:][ordered[1:] == ordered[:-1]].tolist())


def check_unique(hashes: IdHashes, again: Callable[[], Ids]) -> None:
    """Fail where an id was seen twice.

    Args:
        hashes: All ids of a first pass.
        again: Reads the same ids a second time; called only where hashes are equal.

    Raises:
        DataError: Naming both rows.
    """
    suspects = hashes.repeated()
    if not suspects:
        return
    first: dict[str, str] = {}
    for name, where in _of(again(), suspects):
        if name in first:
            raise DataError(
                f"the id {name!r} stands twice: first at {first[name]}",
                where=where,
                hint="Give each row its own id, or map none (rows are then numbered)",
            )
        first[name] = where


def _of(ids: Ids, suspects: frozenset[int]) -> Iterator[tuple[str, str]]:
    return ((name, where) for name, where in ids if hash(name) in suspects)
