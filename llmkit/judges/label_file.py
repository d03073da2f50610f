"""Files of labels and items: one JSON object a line, added to at the end, and sound after a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.config import project_root
from llmkit.documents import confined
from llmkit.documents.writing import explained, written
from llmkit.errors import DocumentError
from llmkit.judges.judge import Judge
from llmkit.samples.jsonl import read_jsonl
from llmkit.text import one_line
from llmkit.types import BadRow

OWN_FILES = "A judge may name files of its own folder and of its project (where llmkit.toml lies)"


@dataclass(frozen=True, slots=True)
class Line:
    """One object of a file.

    Attributes:
        values: Field → value.
        where: ``path:line``.
    """

    values: Mapping[str, Any]
    where: str


def labels_path(judge: Judge) -> Path:
    """Return the file of a judge's labels, which need not be there.

    Raises:
        DocumentError: The judge names none, or one outside its project.
    """
    if judge.spec.labels is None:
        raise DocumentError(
            f"the judge {judge.name!r} names no labels",
            where=judge.where(),
            hint=f"Write labels: {{file: labels/{judge.name}.jsonl}}",
        )
    return _file(judge, judge.spec.labels.file, "file")


def items_path(judge: Judge) -> Path | None:
    """Return the file of what is labelled; None where the labels hold it themselves.

    Raises:
        DocumentError: As of :func:`labels_path`.
    """
    if judge.spec.labels is None or judge.spec.labels.items is None:
        return None
    return _file(judge, judge.spec.labels.items, "items")


def _file(judge: Judge, name: str, key: str) -> Path:
    folder = judge.path.parent
    here = folder.resolve()
    root = project_root(here) or (here.parent if here.name == "judges" else None)
    where = judge.where("labels", key)
    path = confined(name, base=folder, roots=[root] if root else [], where=where, hint=OWN_FILES)
    if not path.name.endswith(".jsonl"):
        raise DocumentError(f"{name!r} is no .jsonl file", where=where, hint="One JSON object a line")
    return path


def read_lines(path: Path, *, where: str | None = None, hint: str | None = None) -> tuple[list[Line], tuple[str, ...]]:
    """Read a whole file.

    A last line without its end that is no object is the rest of a write that a kill cut short: it is passed over.

    Args:
        path: The file.
        where: ``path:line`` of what names it.
        hint: What to do where it is not there.

    Returns:
        The objects, and what the user should know.

    Raises:
        DocumentError: No such file; a line that is no object, with its place.
        DataError: The file cannot be read.
    """
    if not path.is_file():
        raise DocumentError(f"no file {str(path)!r}", where=where, hint=hint)
    lines: list[Line] = []
    broken: BadRow | None = None
    number = 0
    for row in read_jsonl(path):
        if broken is not None:
            raise _error(broken)
        if isinstance(row, BadRow):
            broken = row
            continue
        number = row.line
        lines.append(Line(row.values, f"{path}:{number}"))
    if broken is None:
        return lines, ()
    if whole(path):
        raise _error(broken)
    return lines, (f"{broken.where}: the last line was cut short while it was written, and is passed over",)


def _error(row: BadRow) -> DocumentError:
    return DocumentError(one_line(row.message), where=row.where, hint="Mend or remove this line")


def whole(path: Path) -> bool:
    """Whether a file is empty or its last line has an end."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def touch(path: Path) -> None:
    """Make a file that is not there, and its folder.

    Raises:
        UsageError: It cannot be made.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def append_line(path: Path, values: Mapping[str, Any]) -> None:
    """Add an object to a file; it is on disk when this returns.

    What a kill left of an unfinished line is cut off first; a finished one without its end gets it.

    Raises:
        UsageError: It cannot be written.
    """
    raw = json_line(values).encode("utf-8", "replace")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            if end and not _ended(file.fileno(), end):
                raw = _mended(file.fileno(), end) + raw
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())


def _ended(handle: int, end: int) -> bool:
    return os.pread(handle, 1, end - 1) == b"\n"


def _mended(handle: int, end: int) -> bytes:
    """Cut off a line that is no object, or return the end that a whole one lacks."""
    start, tail = end, b""
    while start > 0 and b"\n" not in tail:
        step = min(start, 65_536)
        start -= step
        tail = os.pread(handle, step, start) + tail
    last = tail.rpartition(b"\n")[2]
    try:
        json.loads(last)
    except ValueError:
        os.ftruncate(handle, end - len(last))
        return b""
    return b"\n"


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]], *, force: bool = False) -> None:
    """Write a file whole or not at all.

    Raises:
        UsageError: It is there already and ``force`` is not given; it cannot be written.
    """
    with written(path, force=force) as out:
        for row in rows:
            out.write(json_line(row).encode("utf-8", "replace"))


def json_line(values: Mapping[str, Any]) -> str:
    """Return an object as one line, with its end."""
    return json.dumps(dict(values), ensure_ascii=False, allow_nan=False) + "\n"
