"""Parquet, batch by batch, and what becomes of Arrow's types."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmkit.errors import DataError
from llmkit.samples.jsontext import MAX_DEPTH, too_deep
from llmkit.samples.source import Row
from llmkit.types import BadRow

if TYPE_CHECKING:
    import pyarrow

BATCH = 256
"""Rows converted at a time: enough to spread the cost of a call, few enough that long documents stay small."""


def read_parquet(path: Path) -> Iterator[Row | BadRow]:
    """Read a file in batches; a row's "line" is its number, from 1.

    Raises:
        DataError: Where the file is missing, broken, or names a column twice.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if len(set(names)) < len(names):
                raise DataError("names a column twice", where=str(path))
            start = 0
            for batch in file.iter_batches(batch_size=BATCH):
                yield from rows_of(batch, start, str(path))
                start += batch.num_rows
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"cannot be read as Parquet: {reason}", where=str(path)) from error


def rows_of(batch: pyarrow.RecordBatch | pyarrow.Table, start: int, name: str) -> Iterator[Row | BadRow]:
    """Turn a batch into rows of plain values, the first one being number ``start + 1`` of ``name``."""
    import pyarrow

    columns = [
        (field.name, not _is_plain(field.type, pyarrow.types)) for field in batch.schema
    ]  # decided once a batch: most columns are text and whole numbers, which need no look at each value
    converted = [name for name, needed in columns if needed]
    for offset, values in enumerate(batch.to_pylist()):
        try:
            for column in converted:
                values[column] = plain(values[column])
            if converted and too_deep(values):
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        except ValueError as error:
            yield BadRow(index=start + offset, message=str(error), where=f"{name}:{start + offset + 1}")
        else:
            yield Row(values, start + offset + 1)


def _is_plain(kind: Any, types: Any) -> bool:
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind) or types.is_boolean(kind)
    )


def plain(value: Any) -> Any:
    """Turn an Arrow value into JSON's types.

    Times become ISO 8601, decimals their digits, bytes base64, maps lists of pairs. NaN becomes null, as data
    frames write missing numbers so.

    Raises:
        ValueError: For infinities.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            raise ValueError("holds an infinite number; write null, or a string")
        return None if math.isnan(value) else value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):  # an entry of a map
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)
