"""Looks at test labels: which definitions of a judge were tested on which items.

A lock says it, too, but can be deleted, damaged and edited; the store is what remembers.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from llmkit.runs import schema
from llmkit.runs.store import FILE

_UNKNOWN = ""
"""In the place of a definition: others were tested, and nobody knows which."""


@dataclass(frozen=True, slots=True)
class Look:
    """One definition, tested once or more often on the same items.

    Attributes:
        test: Ids of the items.
        definition: ``Judge.fingerprint``; None: an unknown number of unknown ones.
    """

    test: frozenset[str]
    definition: str | None


def looks_of(folder: Path, judge: str) -> tuple[Look, ...]:
    """Return the looks of a judge that a store knows; none where there is no store.

    Args:
        folder: Of the store.
        judge: The judge's name.

    Raises:
        StoreError: There is one, and it cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        return ()
    sql = "SELECT test, definition FROM looks WHERE judge=? ORDER BY test, definition"
    try:
        with closing(schema.connect_to_read(path)) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name='looks'").fetchone():
                return ()  # an older llmkit made it
            rows = db.execute(sql, (judge,)).fetchall()
    except sqlite3.Error as error:
        raise schema.explain(path, error) from error
    return tuple(Look(frozenset(json.loads(test)), definition or None) for test, definition in rows)


def note_look(folder: Path, judge: str, test: Iterable[str], definition: str, *, known: bool = True) -> None:
    """Record that a definition is tested on items; the same once more is no further look.

    Args:
        folder: Of the store.
        judge: The judge's name.
        test: Ids of the items.
        definition: ``Judge.fingerprint``.
        known: Whether the looks before it are known; that they are not is recorded, too.

    Raises:
        StoreError: The store cannot be written.
    """
    path, items = folder / FILE, json.dumps(sorted(test))
    values = [(judge, items, each) for each in ([definition] if known else [definition, _UNKNOWN])]
    with closing(schema.connect(path)) as db:
        try:
            db.executemany("INSERT OR IGNORE INTO looks VALUES (?,?,?)", values)
        except sqlite3.Error as error:
            raise schema.explain(path, error) from error
