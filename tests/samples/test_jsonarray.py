"""A .json file is a list of objects."""

import json

import pytest
from hypothesis import given

from llmkit.errors import DataError
from llmkit.samples import jsonarray
from llmkit.samples.jsonarray import read_json
from llmkit.samples.source import Row
from llmkit.types import BadRow
from tests.samples.test_jsonl import json_values


@pytest.fixture
def read(tmp_path):
    def read(content: str | bytes):
        path = tmp_path / "data.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_json(path))

    return read


def test_each_element_is_a_row_with_the_line_it_starts_on(read):
    assert read('[\n  {"a": 1},\n  {"a":\n 2}, {"a": 3}\n]\n') == [Row({"a": 1}, 2), Row({"a": 2}, 3), Row({"a": 3}, 4)]


def test_an_empty_list_has_no_rows(read):
    assert read(" [ ] ") == []


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ("7", "a row must be a JSON object, this is a number"),
        ('{"a": NaN}', "NaN is no JSON number; write null, or a string"),
        ('{"a": 1e999, "b": {"c": [1]}}', "the number 1e999 is too large for a float"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice in one object"),
        ('{"a": ' + "9" * 5000 + "}", "an integer has thousands of digits; write it as a string"),
        ('{"a": "\\udc00"}', "holds half a surrogate pair (\\udc00)"),
    ],
)
def test_an_element_that_no_row_may_be_fails_alone(read, tmp_path, element, message):
    before, bad, after = read('[{"a": 1},\n' + element + ',\n{"a": 3}]')
    assert (before, after) == (Row({"a": 1}, 1), Row({"a": 3}, 3))
    assert bad == BadRow(1, message, f"{tmp_path / 'data.json'}:2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a": 1},\n{"a" 2}]', r"data.json:2: not JSON: Expecting ':' delimiter \(column 6\)"),
        ('[{"a": 1}\n{"a": 2}]', r"data.json:2: expected a comma or the list's end"),
        ('[{"a": 1}', r"data.json:1: expected a comma or the list's end"),
        ('[{"a": 1}] x', r"data.json:1: something follows the list"),
        ('{"a": 1}\n{"a": 2}', r"data.json:1: is not a list of objects. One object a line\? Name it .jsonl"),
        ("", r"data.json:1: is not a list of objects"),
        (b'[\n{"a": "\xff"}]', r"data.json:2: not UTF-8: byte 0xff"),
    ],
)
def test_where_the_list_itself_breaks_the_file_is_in_error(read, content, message):
    with pytest.raises(DataError, match=message):
        read(content)


def test_a_file_too_large_to_hold_is_refused_with_the_way_out(read, monkeypatch):
    monkeypatch.setattr(jsonarray, "MAX_BYTES", 10)
    with pytest.raises(DataError, match=r"Write one object a line, as .jsonl"):
        read('[{"a": 1}, {"a": 2}]')


@given(json_values)
def test_any_json_value_gives_rows_bad_rows_or_one_data_error(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("any") / "data.json"
    path.write_text(json.dumps(value), "utf-8")
    try:
        rows = list(read_json(path))
    except DataError:
        assert not isinstance(value, list)
    else:
        assert [row.values if isinstance(row, Row) else None for row in rows] == [
            element if isinstance(element, dict) else None for element in value
        ]
