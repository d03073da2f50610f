"""The list of what is not carried over."""

from __future__ import annotations

from llmkit.errors import DocumentError
from llmkit.types import NotCarried, NotCarriedKind


class Items:
    """Collects what is not carried over; the same thing is said once."""

    def __init__(self) -> None:
        self._items: dict[NotCarried, None] = {}

    def lost(self, where: str, what: str, why: str, todo: str = "") -> None:
        """Say that something is gone."""
        self._add(where, what, why, todo, "lost")

    def changed(self, where: str, what: str, why: str, todo: str = "") -> None:
        """Say that something stands in its place that may give other figures."""
        self._add(where, what, why, todo, "changed")

    def note(self, where: str, what: str, why: str, todo: str = "") -> None:
        """Say of something that it is gone, and has no part in any figure."""
        self._add(where, what, why, todo, "note")

    def _add(self, where: str, what: str, why: str, todo: str, kind: NotCarriedKind) -> None:
        self._items[NotCarried(where, what, why, todo, kind)] = None

    def first_lost(self, since: int = 0) -> NotCarried | None:
        """Return the first thing that is gone, of those met after the first ``since``."""
        return next((item for item in list(self._items)[since:] if item.kind == "lost"), None)

    def __len__(self) -> int:
        return len(self._items)

    def nothing(self, message: str, where: str, hint: str = "", *, since: int = 0) -> DocumentError:
        """Return the error that nothing of a kind could be carried over, with the first reason, its place and its hint.

        Args:
            message: What there is none of.
            where: ``path:line`` where no reason is known.
            hint: What to do where the reason says nothing of it.
            since: How many items are of something else.
        """
        first = self.first_lost(since)
        if first is None:
            return DocumentError(message, where=where, hint=hint or None)
        return DocumentError(
            f"{message}: {first.what}: {first.why}", where=first.where, hint=first.todo or hint or None
        )

    def all(self) -> tuple[NotCarried, ...]:
        """Return what was collected: what matters most first, else in the order in which it was met."""
        order = {"lost": 0, "changed": 1, "note": 2}
        return tuple(sorted(self._items, key=lambda item: order[item.kind]))
