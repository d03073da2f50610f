"""Which judges the suites of a project name, found without loading any."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from llmkit.documents import MAX_BYTES, Document, parse_yaml
from llmkit.errors import LlmkitError
from llmkit.judges.load import judge_path
from llmkit.judges.scorer import ENTRY, is_entry

_ENDINGS = (".yaml", ".yml")
_FOREIGN = frozenset({"node_modules", "site-packages", "__pycache__"})
_MAY_NAME = re.compile(rb"""scorers(?s:.*)["'{\s]judge["']?\s*:""")
"""A cheap look before parsing: a project may hold thousands of YAML files that are no suites."""


def judges_named(root: Path) -> dict[Path, str]:
    """Return the file of each judge that a suite below a folder scores with → ``path:line`` of the first to name it.

    A suite that is wrong, or names no judge that is there, says so where it is run, and is passed over here.
    """
    found: dict[Path, str] = {}
    for document in _suites(root):
        entries = document.data["scorers"]
        for place, entry in enumerate(entries if isinstance(entries, list) else ()):
            if not is_entry(entry):
                continue
            named = entry[ENTRY].get(ENTRY) if isinstance(entry[ENTRY], dict) else entry[ENTRY]
            if isinstance(named, str) and (path := _meant(named, document)) is not None:
                found.setdefault(path.resolve(), document.where("scorers", place))
    return found


def _meant(named: str, document: Document) -> Path | None:
    assert document.path is not None
    try:
        return judge_path(named, folder=document.path.parent)
    except LlmkitError:
        return None


def _suites(root: Path) -> Iterator[Document]:
    for path in _files(root):
        try:
            content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
            if _MAY_NAME.search(content) is None:
                continue
            document = parse_yaml(content.decode("utf-8-sig").replace("\r\n", "\n"), path=path)
        except (OSError, UnicodeDecodeError, LlmkitError):
            continue
        if "scorers" in document.data:
            yield document


def _files(root: Path) -> Iterator[Path]:
    """Yield the YAML files that are people's own: hidden folders and installed packages hold others'."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _FOREIGN)
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith(_ENDINGS) and not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path
