"""Looks at test labels outlive the lock that says them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from llmkit.errors import StoreError
from llmkit.runs.looks import Look, looks_of, note_look
from llmkit.runs.store import FILE


def test_where_no_store_is_nobody_looked_and_none_is_made(tmp_path: Path) -> None:
    assert looks_of(tmp_path / ".llmkit", "tone") == ()
    assert not (tmp_path / ".llmkit").exists()


def test_a_definition_looks_once_at_the_same_items_however_they_are_ordered(tmp_path: Path) -> None:
    note_look(tmp_path, "tone", ["b", "a"], "d1")
    note_look(tmp_path, "tone", ["a", "b"], "d1")
    note_look(tmp_path, "tone", ["a", "b", "c"], "d2")
    note_look(tmp_path, "other", ["a"], "d3")
    assert set(looks_of(tmp_path, "tone")) == {Look(frozenset("ab"), "d1"), Look(frozenset("abc"), "d2")}


def test_that_others_may_have_looked_is_kept(tmp_path: Path) -> None:
    note_look(tmp_path, "tone", ["a"], "d1", known=False)
    assert {look.definition for look in looks_of(tmp_path, "tone")} == {None, "d1"}


def test_a_store_of_before_has_none(tmp_path: Path) -> None:
    note_look(tmp_path, "tone", ["a"], "d1")
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("DROP TABLE looks")
    assert looks_of(tmp_path, "tone") == ()


def test_a_file_that_is_no_store_is_an_error(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no store " * 100)
    with pytest.raises(StoreError):
        looks_of(tmp_path, "tone")
