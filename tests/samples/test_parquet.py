"""Parquet rows arrive as plain JSON values."""

import datetime
import decimal
import math
import tracemalloc

import pyarrow
import pyarrow.parquet
import pytest

from llmkit.errors import DataError
from llmkit.samples.parquet import read_parquet
from llmkit.samples.source import Row
from llmkit.types import BadRow


@pytest.fixture
def write(tmp_path):
    def write(table):
        path = tmp_path / "data.parquet"
        pyarrow.parquet.write_table(table if isinstance(table, pyarrow.Table) else pyarrow.table(table), path)
        return path

    return write


def test_rows_are_numbered_from_one_across_batches(write):
    rows = list(read_parquet(write({"a": list(range(1000))})))
    assert rows == [Row({"a": i}, i + 1) for i in range(1000)]


def test_nested_values_become_lists_and_objects(write):
    (row,) = read_parquet(write({"a": [{"b": [1, 2], "c": {"d": "x"}}]}))
    assert row.values == {"a": {"b": [1, 2], "c": {"d": "x"}}}


def test_times_decimals_bytes_and_maps_become_json(write):
    table = pyarrow.table(
        {
            "day": [datetime.date(2024, 2, 29)],
            "at": [datetime.datetime(2024, 2, 29, 12, 30)],
            "price": [decimal.Decimal("1.50")],
            "raw": [b"\x00\xff"],
            "map": pyarrow.array([[("k", 1)]], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
        }
    )
    (row,) = read_parquet(write(table))
    assert row.values == {
        "day": "2024-02-29",
        "at": "2024-02-29T12:30:00",
        "price": "1.50",
        "raw": "AP8=",
        "map": [["k", 1]],
    }


def test_nan_is_a_missing_number_and_infinity_fails_its_row_alone(write):
    path = write({"a": [1.5, math.nan, math.inf, None]})
    assert list(read_parquet(path)) == [
        Row({"a": 1.5}, 1),
        Row({"a": None}, 2),
        BadRow(2, "holds an infinite number; write null, or a string", f"{path}:3"),
        Row({"a": None}, 4),
    ]


def test_a_file_that_is_no_parquet_is_one_clear_error(tmp_path):
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1 no such thing")
    with pytest.raises(DataError, match=r"data.parquet: cannot be read as Parquet: "):
        list(read_parquet(path))


def test_a_truncated_file_is_one_clear_error(write):
    path = write({"a": list(range(10_000))})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(read_parquet(path))


def test_a_column_named_twice_is_an_error(write):
    table = pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([2])], names=["a", "a"])
    with pytest.raises(DataError, match="names a column twice"):
        list(read_parquet(write(table)))


def test_fifty_thousand_rows_are_read_in_constant_memory(write):
    path = write({"id": list(range(50_000)), "text": [f"{i} " + "x" * 100 for i in range(50_000)]})
    next(iter(read_parquet(path)))  # imports are not what is measured
    tracemalloc.start()
    count = sum(1 for _ in read_parquet(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 50_000
    assert peak < 2_000_000
