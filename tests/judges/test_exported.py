"""Labelled items for other tools."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from llmkit.judges.exported import as_csv, as_jsonl, rows
from tests.judges.labelling import judge_in, label_set, labelled


def test_each_item_has_its_labels_and_the_probability_of_dawid_and_skene(tmp_path: Path) -> None:
    found = list(rows(label_set([labelled("1", "pass", "pass"), labelled("2", "pass", "fail")]), judge_in(tmp_path)))
    one, two = (json.loads(line) for line in as_jsonl(found).splitlines())
    assert (one["label"], one["majority"], one["said"]) == ("pass", "pass", {"a": "pass", "b": "pass"})
    assert 0.5 < one["probability"] <= 1
    assert (two["label"], two["majority"]) == (None, None)


def test_no_cell_of_a_table_is_a_formula(tmp_path: Path) -> None:
    labels = label_set([labelled("1", "pass", answer="=HYPERLINK(1)"), labelled("2", "fail")])
    table = list(csv.DictReader(io.StringIO(as_csv(list(rows(labels, judge_in(tmp_path)))))))
    assert table[0]["answer"] == "'=HYPERLINK(1)"
    assert [row["said:a"] for row in table] == ["pass", "fail"]
    assert table[0]["gold"] == ""


def test_no_labels_are_no_rows(tmp_path: Path) -> None:
    assert list(rows(label_set([]), judge_in(tmp_path))) == []
    assert as_csv([]) == as_jsonl([]) == ""
