"""Rows in memory are held to what rows in files are."""

import math

from llmkit.samples import RecordsSource, Row
from llmkit.types import BadRow


def test_records_are_rows_numbered_from_one():
    assert list(RecordsSource([{"a": 1}, {"a": [2]}]).rows()) == [Row({"a": 1}, 1), Row({"a": [2]}, 2)]


def test_what_json_cannot_hold_fails_alone():
    deep: object = 1
    for _ in range(2000):
        deep = [deep]
    rows = [{"a": math.nan}, {"a": object()}, {"a": "\ud800"}, [1], {1: 2}, {"a": deep}, {"a": 1}]
    read = list(RecordsSource(rows, "mine").rows())
    assert [type(row) for row in read] == [BadRow] * 6 + [Row]
    assert [row.where for row in read[:6]] == [f"mine:{n}" for n in range(1, 7)]
    assert "half a surrogate pair" in read[2].message


def test_the_fingerprint_is_the_contents_and_not_the_order_of_keys():
    source = RecordsSource([{"a": 1, "b": 2}, {"a": math.nan}])
    assert source.fingerprint() == RecordsSource([{"b": 2, "a": 1}, {"a": math.nan}], "other").fingerprint()
    assert source.fingerprint() != RecordsSource([{"a": 1, "b": 3}, {"a": math.nan}]).fingerprint()
