"""CSV records become rows of text under the header's names."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DataError
from llmkit.samples.csv import read_csv
from llmkit.samples.source import Row
from llmkit.types import BadRow


@pytest.fixture
def read(tmp_path):
    def read(content: bytes):
        path = tmp_path / "data.csv"
        path.write_bytes(content)
        return list(read_csv(path))

    return read


def test_the_header_names_the_fields_and_every_value_is_text(read):
    assert read(b"id,answer\n1,42\n2,\n") == [
        Row({"id": "1", "answer": "42"}, 2),
        Row({"id": "2", "answer": ""}, 3),
    ]


def test_quotes_may_hold_commas_quotes_and_line_ends(read):
    assert read(b'a,b\r\n"x, ""y""","1\r\n2"\r\nz,3\r\n') == [
        Row({"a": 'x, "y"', "b": "1\r\n2"}, 2),
        Row({"a": "z", "b": "3"}, 4),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_name(read):
    assert read(b"\xef\xbb\xbfa\nx\n") == [Row({"a": "x"}, 2)]


def test_empty_lines_are_passed_over(read):
    assert [row.line for row in read(b"a,b\n\n1,2\n\n3,4\n")] == [3, 5]


def test_a_ragged_record_fails_alone_with_its_physical_line(read, tmp_path):
    rows = read(b'a,b\n"1\n1",2\n3\n4,5,6\n7,8\n')
    path = tmp_path / "data.csv"
    assert rows == [
        Row({"a": "1\n1", "b": "2"}, 2),
        BadRow(1, "1 fields, where the header has 2", f"{path}:4"),
        BadRow(2, "3 fields, where the header has 2", f"{path}:5"),
        Row({"a": "7", "b": "8"}, 6),
    ]


def test_a_record_that_is_not_utf8_fails_alone(read):
    before, bad, after = read(b"a\nx\ncaf\xe9\ny\n")
    assert (before, after) == (Row({"a": "x"}, 2), Row({"a": "y"}, 4))
    assert bad.message == "not UTF-8"


def test_text_after_a_closing_quote_fails_alone(read):
    bad, after = read(b'a,b\n"x"y,1\n2,3\n')
    assert bad.message == "not CSV: ',' expected after '\"'"
    assert after == Row({"a": "2", "b": "3"}, 3)


def test_a_quote_that_is_never_closed_is_an_error_of_the_file(read, tmp_path):
    with pytest.raises(DataError) as caught:
        read(b'a,b\n1,2\n"3,4\n5,6\n')
    path = tmp_path / "data.csv"
    assert str(caught.value) == f'{path}:3: a quote is opened and never closed. Write a quote in a field as ""'


def test_a_name_that_stands_twice_in_the_header_is_an_error(read):
    with pytest.raises(DataError, match=r"data.csv:1: the header names 'a' twice"):
        read(b"a,b,a\n1,2,3\n")


@pytest.mark.parametrize("mark", [b";", b"\t", b"|"])
def test_another_separator_is_recognised(read, mark):
    with pytest.raises(DataError, match=r"the header has no comma. Columns are separated by commas"):
        read(mark.join([b"id", b"question"]) + b"\n" + mark.join([b"1", b"x"]) + b"\n")


def test_an_empty_file_has_no_rows(read):
    assert read(b"") == []


def test_fields_longer_than_the_csv_modules_own_limit_are_read(read):
    assert read(b"a\n" + b"x" * 300_000 + b"\n") == [Row({"a": "x" * 300_000}, 2)]


def test_a_line_over_ten_megabytes_fails_alone(read):
    bad, after = read(b"a\n" + b"x" * 10_000_001 + b"\ny\n")
    assert bad.message == "not CSV: the line is longer than 10 MB"
    assert after == Row({"a": "y"}, 3)


def test_a_quote_opened_on_a_line_that_is_too_long_is_an_error_of_the_file(read):
    with pytest.raises(DataError, match=r"data.csv:2: a quote is opened and never closed"):
        read(b'a\n"' + b"x" * 10_000_001 + b'\ny"\n')


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=6))
def test_whatever_the_csv_module_writes_is_read_back(tmp_path_factory, records):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *records])
    path = tmp_path_factory.mktemp("round") / "data.csv"
    path.write_text(text.getvalue(), "utf-8", newline="")
    assert [list(row.values.values()) for row in read_csv(path)] == records


@given(st.binary(max_size=200))
def test_random_bytes_give_rows_bad_rows_or_one_data_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("random") / "data.csv"
    path.write_bytes(b"a,b\n" + content)
    try:
        rows = list(read_csv(path))
    except DataError as error:
        assert "never closed" in str(error)
    else:
        assert all(isinstance(row, Row) or row.where for row in rows)
