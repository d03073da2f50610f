"""Rows of an imported suite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from llmkit.importing.items import Items
from llmkit.samples import FileSource, Row, open_source
from llmkit.types import BadRow


def jsonl(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows).encode("utf-8", "replace")


def rows_of(path: Path, items: Items, what: str) -> Iterator[Mapping[str, Any]]:
    """Read a data file's rows; those that cannot be read are listed.

    Raises:
        UsageError: No format that is read.
        DataError: It cannot be read on.
    """
    source = open_source(str(path), base=Path(), override=str(path), option=what)
    assert isinstance(source, FileSource)
    for row in source.rows():
        if isinstance(row, BadRow):
            items.lost(
                row.where or str(path), what, f"the row cannot be read: {row.message}", "Mend it, and import anew"
            )
        elif isinstance(row, Row):
            yield row.values
