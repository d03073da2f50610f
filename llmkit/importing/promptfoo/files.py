"""Files that a configuration names: which are code, and which a pattern means."""

from __future__ import annotations

import glob
from pathlib import Path

from llmkit.errors import DocumentError
from llmkit.importing.source import Source, named_file

CODE = (".js", ".ts", ".mjs", ".cjs", ".py", ".rb")
"""Endings of files that promptfoo runs."""
IS_CODE = "it is code, and nothing of an imported file is run"
_PATTERN = "*?["


def is_code(name: str) -> bool:
    """Whether a name is one of code: ``make.py``, or ``make.py:function``."""
    head, colon, function = name.rpartition(":")
    return name.endswith(CODE) or bool(colon and function.isidentifier() and head.endswith(CODE))


def is_there(path: Path) -> bool:
    """Whether a path is a file's; False also where it can be none, as a long text."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def matching(name: str, source: Source) -> list[str]:
    """Return the files that a name means from the configuration's folder, in order: itself, or what a pattern finds."""
    if not any(letter in name for letter in _PATTERN) or is_there(source.folder / name):
        return [name]
    try:
        found = glob.glob(name, root_dir=source.folder, recursive=True)  # noqa: PTH207 - which raises on "**x", "/x"
    except ValueError:  # a null character
        return []
    return sorted(each for each in found if is_there(source.folder / each))


def named_files(name: str, source: Source, where: str) -> list[Path]:
    """Find the files that a name, without its ``file://``, means.

    Raises:
        DocumentError: There is none, or it lies elsewhere.
    """
    paths = [named_file(each, source, where) for each in matching(name, source)]
    if not paths:
        raise DocumentError(f"no file is named {name!r}", where=where)
    return paths
