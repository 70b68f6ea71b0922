"""Test rows as they are, as a cell left them beside its record (cell/given.py): read with nothing
taken on trust."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PLACE = "__row__"
MOST_ROWS, MOST_COLUMNS = 1_000_000, 200
MOST = 2**28  # bytes that its columns have unpacked


@dataclass(frozen=True)
class Given:
    """Some of the test rows of a cell."""

    places: np.ndarray
    """(n,) which of the test rows they are"""
    columns: Mapping[str, np.ndarray]
    """Name -> (n,) float64 (NaN where there is none), datetime64 (NaT), or objects: texts, truth
    values, None."""


def read(file: Path, n_test: int) -> Given | None:
    """None for a file that is gone, or is not as a cell leaves it."""
    import pyarrow as pa  # only what shows rows waits for it
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
        facts = opened.metadata
        groups = (facts.row_group(k) for k in range(facts.num_row_groups))
        if (
            facts.num_rows > min(n_test, MOST_ROWS)
            or facts.num_columns > MOST_COLUMNS
            or sum(group.total_byte_size for group in groups) > MOST
        ):
            return None
        table = opened.read()
        places = table[PLACE].to_numpy()
        columns = {name: _values(table[name]) for name in table.column_names if name != PLACE}
    except (OSError, KeyError, pa.ArrowException, ValueError, MemoryError):
        return None
    inside = places.dtype.kind == "i" and len(places) and 0 <= places.min() <= places.max()
    if not inside or places.max() >= n_test or len(np.unique(places)) < len(places):
        return None
    return Given(places, columns)


def _values(column: "pa.ChunkedArray") -> np.ndarray:  # type: ignore[name-defined] # noqa: F821
    import pyarrow as pa

    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return column.cast(pa.float64(), safe=False).to_numpy()
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us"), safe=False).to_numpy()
    return np.array(column.to_pylist(), dtype=object)
