"""When the failures so far say that the rest would fail, too."""

from __future__ import annotations

from llmkit.errors import OVERFLOW, ProviderFault

STREAK = 10  # this many calls in a row that fail alike end a run
FATAL: frozenset[ProviderFault] = frozenset({"auth", "not_found"})  # a first call that fails so: the rest would, too
# What a server does to every call. Other faults are a row's own (a prompt that is too long, say) and fail it alone.
SERVERS_FAULT: frozenset[ProviderFault] = FATAL | {"connection", "malformed", "rate_limit", "server", "timeout"}
# What only the row's own length decides: the first ten may be the longest of a grid, and the others still fit.
ROWS_FAULT: frozenset[ProviderFault] = frozenset({OVERFLOW})


class Streak:
    """Calls in a row that failed alike.

    Attributes:
        ever_answered: Whether any call was answered.
    """

    def __init__(self) -> None:
        self.ever_answered = False
        self._fault: str = ""
        self._count = 0

    def answered(self) -> None:
        """Note an answer."""
        self._fault, self._count, self.ever_answered = "", 0, True

    def failed(self, fault: ProviderFault) -> None:
        """Note a failure."""
        self._count = self._count + 1 if fault == self._fault else 1
        self._fault = fault

    def hopeless(self, fault: ProviderFault) -> bool:
        """Say whether to stop: the first calls all fail alike, or the server fails every call by now."""
        long = self._count >= STREAK
        if self.ever_answered:
            return long and fault in SERVERS_FAULT
        return (long and fault not in ROWS_FAULT) or fault in FATAL
