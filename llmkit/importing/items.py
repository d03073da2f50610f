"""The list of what is not carried over."""

from __future__ import annotations

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

    def all(self) -> tuple[NotCarried, ...]:
        """Return what was collected: what matters most first, else in the order in which it was met."""
        order = {"lost": 0, "changed": 1, "note": 2}
        return tuple(sorted(self._items, key=lambda item: order[item.kind]))
