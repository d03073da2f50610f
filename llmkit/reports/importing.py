"""What an import made, and what of the other tool's file is not in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Group
from rich.text import Text

from llmkit.reports.lines import Line
from llmkit.reports.numbers import counted
from llmkit.reports.text import one_line
from llmkit.types import Imported, NotCarried

_TITLES = {"lost": "Not carried over", "changed": "Carried over otherwise", "note": "To know"}
_STYLES = {"lost": "yellow", "changed": "yellow", "note": "dim"}


def imported_report(found: Imported) -> Group:
    """Return what was written, what is not in it, and what to do next."""
    done = "wrote" if found.written else "would write"
    head = f"{done} {counted(len(found.files), 'file')} of a {found.format} file, {one_line(found.source)}"
    parts: list[Line | Text] = [Line(Text(head)), *(Line(Text(one_line(name)), indent=2) for name in found.files)]
    for kind, title in _TITLES.items():
        items = [item for item in found.not_carried if item.kind == kind]
        if items:
            parts += [Text(), Text(f"{title}: {len(items)}", style="bold")]
            parts += [_line(item) for item in items]
    if found.whole:
        parts += [Text(), Text("all that has a part in a figure is carried over")]
    return Group(*parts, Text(), Line(Text(f"next: {one_line(found.next)}"), hang=6))


def _line(item: NotCarried) -> Line:
    said = f"{one_line(item.where)}: {one_line(item.what)}: {one_line(item.why)}"
    if item.todo:
        said += f". {one_line(item.todo)}"
    return Line(Text(said, style=_STYLES[item.kind]), indent=2, hang=4)


def imported_document(found: Imported) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "source": found.source,
        "format": found.format,
        "suite": found.suite,
        "files": list(found.files),
        "written": found.written,
        "whole": found.whole,
        "not_carried": [asdict(item) for item in found.not_carried],
        "next": found.next,
    }
