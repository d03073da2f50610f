"""Several configurations of one data set of the hub, read one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from llmkit.canonical import digest
from llmkit.samples.huggingface import HubSource
from llmkit.samples.source import Row
from llmkit.types import BadRow

FIELD = "config"
"""What a row's configuration is called in it."""


class JoinedSource:
    """Configurations of one split at one commit; each row has its configuration's name in the field ``config``.

    Args:
        parts: One source a configuration, in order; all of one data set, split and revision.
    """

    path: Path | None = None

    def __init__(self, parts: Sequence[HubSource]) -> None:
        self.parts = tuple(parts)

    def describe(self) -> str:
        """Return the name with the number of configurations, split and commit."""
        first = self.parts[0]
        return f"hf:{first.hub_id}/{len(self.parts)} configurations/{first.split}@{first.commit[:12]}"

    def where(self, line: int) -> str:
        """Return the name and the row's number over all configurations, from 1."""
        first = self.parts[0]
        return f"hf:{first.hub_id}/{len(self.parts)} configurations/{first.split}:{line}"

    def rows(self) -> Iterator[Row | BadRow]:
        """Read one configuration after the other; lines and indices count on."""
        before = 0
        for part in self.parts:
            count = 0
            for count, row in enumerate(part.rows(), 1):  # noqa: B007 - how many there were, after the loop
                if isinstance(row, BadRow):
                    yield BadRow(before + row.index, row.message, row.where, row.id)
                else:
                    yield Row({**row.values, FIELD: part.config}, before + row.line)
            before += count

    def fingerprint(self) -> str:
        """Return the hash of all configurations' fingerprints."""
        return digest([part.fingerprint() for part in self.parts])

    def notes(self) -> tuple[str, ...]:
        """Return which commit an unpinned revision means now."""
        return self.parts[0].notes()
