"""Files whose text is an option of the model, a chat template say: base is asked with what the file held at base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from llmkit.gate.git import Unreadable, lfs_oid
from llmkit.gate.lines import said
from llmkit.gate.sides import Files, Side
from llmkit.gate.snapshot import BaseError
from llmkit.providers.base import ModelRef
from llmkit.providers.registry import text_options
from llmkit.verdicts import Change


class _Differing(NamedTuple):
    """A file that is not what it was: the option that names it, its path from the top, and base's text."""

    option: str
    path: str
    text: str


def file_changes(head: Side, base: Side, files: Files) -> Iterator[Change]:
    """Say which files differ that both sides name by one path; another path is a changed option."""
    for option, path, _ in _differing(base, files):
        if head.model is None or base.model is None or head.model.options.get(option) != base.model.options[option]:
            continue
        how, lines = files.differs(path) or "changed", files.changed_lines(path, path)
        yield Change("params", how, path, f"{option}: {how}{said(lines)}", lines=lines)


def with_base_files(base: Side, files: Files) -> ModelRef | None:
    """Return base's model, its options holding the texts of files that are not what they were.

    Raises:
        BaseError: One cannot be had.
    """
    if base.model is None:
        return None
    texts = {each.option: each.text for each in _differing(base, files)}
    return replace(base.model, options={**base.model.options, **texts})


def _differing(base: Side, files: Files) -> Iterator[_Differing]:
    """Yield what differs. What the command line names, or git does not hold, is the working tree's for both sides.

    Raises:
        BaseError: It differs, and base's is no text.
    """
    if base.model is None:
        return
    for option, kind in text_options(base.model.provider).items():
        value = base.model.options.get(option)
        if not isinstance(value, str) or kind.is_text(value) or base.origins.get(option) == "-M":
            continue
        path = _inside(value, files)
        if path is None or files.same(path, path):
            continue
        text = _base_text(option, path, files)
        if text == _text_of(files.head(path)):
            continue
        if not kind.is_text(text):
            raise BaseError(f"base's {option} cannot be told from a path: {files.snapshot.called(path)}")
        yield _Differing(option, path, text)


def _inside(value: str, files: Files) -> str | None:
    """Return the path from the top of a file that base has; None for any other."""
    try:
        path = files.repository.path_of(Path(value).expanduser())
    except (OSError, RuntimeError, ValueError):  # no such home, a name that no file can have: its reader says so
        return None
    return path if path is not None and files.has(path) else None


def _base_text(option: str, path: str, files: Files) -> str:
    try:
        content = files.snapshot.read(path) or b""
        if lfs_oid(content) is not None:
            raise Unreadable("its content is in Git LFS, and the commit holds a pointer alone")
        return _lines(content.decode())
    except (Unreadable, UnicodeDecodeError) as error:
        raise BaseError(f"base's {option} cannot be read: {files.snapshot.called(path)}: {error}") from None


def _text_of(file: Path) -> str | None:
    try:
        return _lines(file.read_bytes().decode())
    except (OSError, UnicodeDecodeError):
        return None


def _lines(text: str) -> str:
    """End lines as files opened for text do."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
