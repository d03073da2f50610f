"""A file of another tool, as data with the line of every field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmkit.config import project_root
from llmkit.documents import confined, parse_foreign_yaml, read_text
from llmkit.documents.document import Keys, place
from llmkit.errors import DocumentError

OUTSIDE = "Files are read from the folder of the file that names them, from its project and from the current folder"


@dataclass(frozen=True)
class Source:
    """What a file says.

    Attributes:
        path: The file, as the user named it.
        data: Its content.
        lines: Line (from 1) of each field, by its keys.
    """

    path: Path
    data: Any
    lines: Mapping[Keys, int] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> Path:
        """The folder that its relative paths start from."""
        return self.path.parent

    def where(self, *keys: str | int) -> str:
        """``path:line`` of the field, or of its nearest ancestor whose line is known."""
        for end in range(len(keys), -1, -1):
            if (line := self.lines.get(keys[:end])) is not None:
                return place(self.path, line)
        return str(self.path)


def read_source(path: Path) -> Source:
    """Read a YAML or JSON file, which may have anything on top; tags of other tools stay as ``Tagged``.

    Raises:
        DocumentError: It cannot be read (``path:line``).
    """
    text = read_text(path)
    if path.suffix == ".json":
        try:
            return Source(path, json.loads(text))
        except (ValueError, RecursionError) as error:
            where = place(path, getattr(error, "lineno", None))
            raise DocumentError(f"not JSON: {getattr(error, 'msg', error)}", where=where) from None
    data, lines = parse_foreign_yaml(text, path=path)
    return Source(path, data, lines)


def named_file(name: str, source: Source, where: str) -> Path:
    """Find a file that a file names: a stranger's shall not have others copied.

    Raises:
        DocumentError: It lies elsewhere, or is not there.
    """
    root = project_root(source.folder)
    roots = [Path.cwd(), *([root] if root is not None else [])]
    path = confined(name, base=source.folder, roots=roots, where=where, what="the project", hint=OUTSIDE)
    if not path.is_file():
        raise DocumentError(f"no file {str(path)!r}", where=where)
    return path
