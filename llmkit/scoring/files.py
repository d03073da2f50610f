"""Files that a scorer's options name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmkit.documents import confined
from llmkit.errors import DocumentError

FILES = "files"
"""The key under which a scorer's validation finds ``Files`` in its context."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files that an entry of a suite names lie, and where that stands.

    Attributes:
        folder: The suite's; None: paths are the user's own, from the current folder on.
        roots: Further folders that they may lie in.
        where: ``path:line`` of the entry.
    """

    folder: Path | None = None
    roots: Sequence[Path] = ()
    where: str | None = None

    def find(self, name: str) -> Path:
        """Return the path that an option names; nothing needs to lie there.

        Raises:
            DocumentError: A suite's name leads out of its folders.
        """
        if self.folder is None:
            if "\0" in name:
                raise DocumentError("a path cannot hold a NUL character", where=self.where)
            return Path(name).expanduser()
        return confined(
            name,
            base=self.folder,
            roots=self.roots,
            where=self.where,
            hint="A suite may name files of its own folder and of its project (where llmkit.toml lies)",
        )
