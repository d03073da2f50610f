"""One suite at head and at base, with the files that each is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmkit.config import Settings
from llmkit.documents import MAX_BYTES
from llmkit.gate.git import Repository, Unreadable, lfs_oid, sha256_of
from llmkit.gate.lines import Stretches, lines_of, stretches
from llmkit.gate.snapshot import Snapshot
from llmkit.providers.base import ModelRef
from llmkit.suites import Suite
from llmkit.verdicts import How


@dataclass(frozen=True)
class Side:
    """One suite at one commit.

    Attributes:
        suite: What it says there, over head's data and scorers.
        path: Its file, from the top of the repository.
        prompt: The prompt's file, from the top; None for messages, and for a prompt that comes with llmkit.
        model: Who is asked; None where that cannot be told.
        settings: The project's configuration there.
        origins: What set the model and each parameter, for people.
    """

    suite: Suite
    path: str
    prompt: str | None
    model: ModelRef | None
    settings: Settings
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Files:
    """Files of the working tree and of base, by their paths from the top."""

    repository: Repository
    snapshot: Snapshot

    def head(self, path: str) -> Path:
        """Return the file in the working tree."""
        return self.repository.top / path

    def changed_lines(self, path: str, old_path: str | None) -> Stretches:
        """Return which lines of head's file are not base's; none where either cannot be read as text."""
        old = self._base_lines(old_path) if old_path is not None else None
        try:
            with self.head(path).open("rb") as stream:
                new = lines_of(stream.read(MAX_BYTES))
        except OSError:
            return ()
        return stretches(old, new) if old is not None else ()

    def has(self, path: str) -> bool:
        """Whether base has such a file, and git holds it here."""
        try:
            return self.snapshot.find(path) is not None
        except Unreadable:
            return False

    def same(self, path: str, old_path: str) -> bool | None:
        """Whether head's file holds what base's does; None where that cannot be told, as base has no such file."""
        if not self.has(old_path) or (found := self.snapshot.find(old_path)) is None:
            return None
        if self.repository.holds(self.head(path), found[1].oid):
            return True
        try:
            oid = lfs_oid(self.snapshot.read(old_path) or b"")
        except Unreadable:  # as long files are; pointers are short
            return False
        return oid is not None and sha256_of(self.head(path)) == oid

    def differs(self, path: str) -> How | None:
        """Say how the working tree's file differs from base's of that path; None where it does not."""
        there = self.head(path).is_file()
        if path not in self.snapshot.entries:
            return "added" if there else None
        if not there:
            return "deleted"
        return None if self.same(path, path) else "changed"

    def _base_lines(self, path: str) -> list[str] | None:
        try:
            content = self.snapshot.read(path)
        except Unreadable:
            return None
        return None if content is None else lines_of(content)
