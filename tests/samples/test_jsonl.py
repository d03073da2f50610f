"""JSON Lines are read row by row, and what is wrong with one row is said of that row alone."""

import gzip
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DataError
from llmkit.samples.jsonl import read_jsonl
from llmkit.samples.lines import MAX_LINE
from llmkit.samples.source import Row
from llmkit.types import BadRow


@pytest.fixture
def read(tmp_path):
    def read(content: bytes, name: str = "data.jsonl"):
        path = tmp_path / name
        path.write_bytes(content)
        return list(read_jsonl(path))

    return read


def only_bad(rows):
    (bad,) = [row for row in rows if isinstance(row, BadRow)]
    return bad


def test_each_line_is_a_row_with_its_line_number(read):
    assert read(b'{"a": 1}\n{"a": [2, {"b": null}]}\n') == [Row({"a": 1}, 1), Row({"a": [2, {"b": None}]}, 2)]


def test_the_last_line_needs_no_end(read):
    assert read(b'{"a": 1}') == [Row({"a": 1}, 1)]


def test_empty_lines_are_passed_over_but_counted(read):
    assert read(b'\n{"a": 1}\n  \t\n{"a": 2}\n\n') == [Row({"a": 1}, 2), Row({"a": 2}, 4)]


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_the_data(read):
    assert read(b'\xef\xbb\xbf{"a": "x"}\r\n{"a": "y"}\r\n') == [Row({"a": "x"}, 1), Row({"a": "y"}, 2)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": 1', "not JSON: Expecting ',' delimiter (column 8)"),
        (b"hello", "not JSON: Expecting value (column 1)"),
        (b"[1, 2]", "a row must be a JSON object, this is a list"),
        (b"3", "a row must be a JSON object, this is a number"),
        (b"null", "a row must be a JSON object, this is null"),
        (b'{"a": NaN}', "NaN is no JSON number; write null, or a string"),
        (b'{"a": -Infinity}', "-Infinity is no JSON number; write null, or a string"),
        (b'{"a": 1e999}', "the number 1e999 is too large for a float"),
        (b'{"a": ' + b"9" * 5000 + b"}", "an integer has thousands of digits; write it as a string"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' stands twice in one object"),
        (b'{"a": "\\ud83d"}', "holds half a surrogate pair (\\ud83d)"),
        (b'{"a": "caf\xe9"}', "not UTF-8: byte 0xe9 at column 11"),
        (b'{"a": ' + b"[" * 101 + b"]" * 101 + b"}", "nested deeper than 100 levels"),
        (b'{"a": ' + b"[" * 100_000, "nested deeper than 100 levels"),
    ],
)
def test_a_bad_line_fails_alone_and_says_why(read, tmp_path, line, message):
    before, bad, after = read(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
    assert (before, after) == (Row({"a": 1}, 1), Row({"a": 2}, 3))
    assert bad == BadRow(index=1, message=message, where=f"{tmp_path / 'data.jsonl'}:2")


def test_a_whole_surrogate_pair_is_a_character(read):
    assert read(b'{"a": "\\ud83d\\ude00"}') == [Row({"a": "😀"}, 1)]


def test_whole_numbers_stay_exact_beyond_64_bits(read):
    assert read(b'{"a": 123456789012345678901234567890}')[0].values["a"] == 123456789012345678901234567890


def test_a_line_over_ten_megabytes_fails_alone_and_is_never_held(read, tmp_path):
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b'{"a": 1}\n{"a": "')
        for _ in range(60):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n{"a": 2}\n')
    tracemalloc.start()
    rows = list(read_jsonl(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.line for row in rows if isinstance(row, Row)] == [1, 3]
    assert only_bad(rows).message == "the line is longer than 10 MB"
    assert peak < 4 * MAX_LINE


def test_gzip_is_unpacked_as_it_is_read(read):
    assert read(gzip.compress(b'{"a": 1}\n{"a": 2}\n'), "data.jsonl.gz") == [Row({"a": 1}, 1), Row({"a": 2}, 2)]


def test_a_truncated_gzip_file_is_an_error_of_the_file(read):
    packed = gzip.compress(json.dumps({"a": list(range(1000))}).encode())
    with pytest.raises(DataError, match="gzip stream is broken"):
        read(packed[: len(packed) // 2], "data.jsonl.gz")


def test_utf16_is_named_once_instead_of_failing_every_line(read):
    with pytest.raises(DataError, match=r"UTF-16 or UTF-32. Save it as UTF-8"):
        read('{"a": 1}\n'.encode("utf-16"))


def test_a_missing_file_is_an_error_of_the_file(tmp_path):
    with pytest.raises(DataError, match=r"none.jsonl: cannot be read: No such file"):
        list(read_jsonl(tmp_path / "none.jsonl"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=5), max_size=8), st.booleans())
def test_whatever_json_writes_is_read_back(tmp_path_factory, rows, ascii_only):
    path = tmp_path_factory.mktemp("round") / "data.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows), "utf-8", newline="")
    assert [row.values for row in read_jsonl(path)] == rows


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b'{"a":1}', b"{", b"\xff", b'{"\\ud800":1}']), max_size=10))
def test_of_random_bytes_each_line_is_a_row_or_a_bad_row(tmp_path_factory, lines):
    content = b"{}\n" + b"\n".join(lines)  # the first line is sound, so that no byte order mark can be meant
    path = tmp_path_factory.mktemp("random") / "data.jsonl"
    path.write_bytes(content)
    rows = list(read_jsonl(path))
    assert len(rows) == sum(1 for line in content.split(b"\n") if line.strip())
    assert [row.index for row in rows if isinstance(row, BadRow)] == [
        position for position, row in enumerate(rows) if isinstance(row, BadRow)
    ]


def test_fifty_thousand_rows_are_read_in_constant_memory(tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps({"id": i, "text": "x" * 100}) + "\n" for i in range(50_000)))
    tracemalloc.start()
    count = sum(1 for _ in read_jsonl(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 50_000
    assert peak < 1_000_000
