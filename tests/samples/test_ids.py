"""Ids are unique, and finding that out takes little memory."""

import tracemalloc

import pytest

from llmkit.errors import DataError
from llmkit.samples import ids
from llmkit.samples.ids import IdHashes, check_unique


def hashed(names):
    hashes = IdHashes()
    for name in names:
        hashes.add(name)
    return hashes


def test_unique_ids_pass_without_a_second_look():
    check_unique(hashed(str(i) for i in range(1000)), lambda: pytest.fail("read again"))


def test_no_ids_at_all_pass():
    check_unique(IdHashes(), lambda: [])


def test_a_duplicate_is_named_with_both_its_rows():
    rows = [("a", "d.jsonl:1"), ("b", "d.jsonl:2"), ("a", "d.jsonl:3"), ("a", "d.jsonl:4")]
    with pytest.raises(DataError) as caught:
        check_unique(hashed(name for name, _ in rows), lambda: rows)
    assert str(caught.value).startswith("d.jsonl:3: the id 'a' stands twice: first at d.jsonl:1. ")


def test_equal_hashes_of_different_ids_are_no_duplicate(monkeypatch):
    monkeypatch.setattr(ids, "hash", lambda name: 7, raising=False)
    rows = [("a", "1"), ("b", "2")]
    hashes = hashed(name for name, _ in rows)
    assert hashes.repeated() == {7}
    check_unique(hashes, lambda: rows)


def test_it_takes_at_most_sixteen_bytes_a_row():
    rows = 200_000
    tracemalloc.start()
    check_unique(hashed(str(i) for i in range(rows)), lambda: [])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 16 * rows
