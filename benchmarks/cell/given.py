"""Test rows as they are, left beside a record: a page says on which of them models are wrong.

Of tables the columns, of texts their beginning and length, of rows with a past what is known at
their moment. Nothing of arrays, whose columns nobody called anything.
"""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.cell import rows as of_rows
from tasks.histories import Histories

FILE = "cell.rows.parquet"
PLACE = "__row__"  # which of the test rows it is
MOST_COLUMNS, READABLE = 60, 200  # that are kept; that a table may have
CHARACTERS = 300  # of a text


def keep(folder: Path, test: Any, most: int) -> None:
    """Leave at most so many rows, evenly spread, in a folder; nothing where they show nothing."""
    n = of_rows.count(test)
    if not most or not n:
        return
    places = np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))
    shown = frame(of_rows.take(test, places))
    if shown is not None and shown.shape[1] > READABLE:
        return  # shares of words, and the like: nobody reads them
    if shown is None:
        return
    import pyarrow as pa  # only cells that keep rows wait for it
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {PLACE: pa.array(places)}
    for k, name in enumerate(shown.columns[:MOST_COLUMNS]):
        columns[str(name)] = plain(shown.iloc[:, k])
    with contextlib.suppress(pa.ArrowException):  # a name that no file takes
        pq.write_table(pa.table(columns), folder / FILE, compression="zstd")


def frame(rows: Any) -> pd.DataFrame | None:
    """As a table for people; None where there is none."""
    if isinstance(rows, Histories):
        return rows.now.assign(**{"events before": rows.stop - rows.start})
    if hasattr(rows, "iloc"):
        return pd.DataFrame(rows)
    if isinstance(rows, list) and rows and all(isinstance(row, str) for row in rows):
        lengths = {"words": [len(row.split()) for row in rows]}
        return pd.DataFrame({"text": [row[:CHARACTERS] for row in rows], **lengths})
    return None


def plain(column: pd.Series) -> Any:
    """As numbers, moments or texts of Arrow, whatever it was made of."""
    import pyarrow as pa

    values: Any = column
    if column.dtype == "category":
        values = column.astype(object).where(column.notna(), None)
    try:
        made = pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        made = None
    usual = made is not None and (
        pa.types.is_boolean(made.type)
        or pa.types.is_integer(made.type)
        or pa.types.is_floating(made.type)
        or pa.types.is_timestamp(made.type)
    )
    if usual:
        return made
    texts = [
        None if missing else str(value)[:CHARACTERS]
        for value, missing in zip(column.astype(object), column.isna(), strict=True)
    ]
    return pa.array(texts, pa.string())
