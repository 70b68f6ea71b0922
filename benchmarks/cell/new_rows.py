"""Rows from a file for models of tasks that read no files of their own: the view itself, stored.

A frame is a table with the view's columns, in any order; an array a .npy of the same shape but for
the number of rows; texts are a column of a table. A task that reads a user's files has a reader of
its own (`new_rows`), which reads what the user has.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from pyarrow.dataset import dataset

from benchmarks.cell.jobs import Refused

TEXT = "text"  # how a column of texts is called where nobody calls it anything


def reader_of(rows: Any, raw_columns: list[str]) -> "OfFrame | OfArray | OfTexts":
    """Raises Refused for rows that are in no one file."""
    if isinstance(rows, pd.DataFrame):
        return OfFrame(rows)
    if isinstance(rows, np.ndarray):
        return OfArray(rows)
    if isinstance(rows, list) and all(isinstance(row, str) for row in rows):
        return OfTexts(raw_columns[0] if len(raw_columns) == 1 else TEXT)
    raise Refused(
        f"rows of the type {type(rows).__name__} stand in no one file that new ones could be read "
        "from, so a model that reads them is not taken"
    )


def tables(path: str, rows: int) -> Iterator[pa.Table]:
    """Of a Parquet, Feather or text file, about so many rows at a time. Raises ValueError."""
    place = Path(path)
    kinds = {".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather"}
    try:
        if kind := kinds.get(place.suffix.lower()):
            source = dataset(place, format=kind)
            yield source.schema.empty_table()
            yield from (pa.Table.from_batches([b]) for b in source.to_batches(batch_size=rows))
        else:
            options = csv.ParseOptions(delimiter="\t" if place.suffix.lower() == ".tsv" else ",")
            with csv.open_csv(place, parse_options=options) as opened:
                yield opened.schema.empty_table()
                yield from (pa.Table.from_batches([batch]) for batch in opened)
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}") from None
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


class OfFrame:
    """Tables with the columns of a frame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.dtypes: dict[str, str] = {}
        self.levels: dict[str, pd.Index] = {}
        for name, dtype in frame.dtypes.items():
            self.dtypes[str(name)] = str(dtype)
            if dtype == "category":
                self.levels[str(name)] = frame[name].cat.categories

    @property
    def names(self) -> list[str]:
        return list(self.dtypes)

    def pieces(self, path: str, rows: int, **_: Any) -> Iterator[tuple[pa.Table, pd.DataFrame]]:
        for table in tables(path, rows):
            if lacking := [name for name in self.dtypes if name not in table.column_names]:
                more = f" and {len(lacking) - 10:,} more" if len(lacking) > 10 else ""
                raise ValueError(f"{path}: there is no column {', '.join(lacking[:10])}{more}")
            columns = {name: self._column(name, table[name], path) for name in self.dtypes}
            if len(table):
                yield table, pd.DataFrame(columns)

    def _column(self, name: str, values: pa.ChunkedArray, path: str) -> Any:
        try:
            if name in self.levels:
                if pa.types.is_dictionary(values.type):
                    values = values.cast(values.type.value_type)
                return pd.Categorical(values.to_pandas(), categories=self.levels[name])
            found, dtype = values.to_pandas(), self.dtypes[name]
            is_text = found.dtype.kind not in "biuf" and dtype != "object"
            if is_text and dtype.startswith(("int", "uint", "bool", "float")):
                raise ValueError("texts are no numbers")  # though NumPy takes "False" for true
            if dtype.startswith(("int", "uint", "bool")) and (
                found.isna().any() or (found != found.astype(dtype)).any()
            ):
                dtype = "float64"
            return found.astype(dtype).to_numpy() if dtype != "object" else found
        except (TypeError, ValueError, pa.ArrowException):
            raise ValueError(
                f"{path}: {name!r} holds {values.type}, and was learned from as {self.dtypes[name]}"
            ) from None

    def notes(self) -> list[str]:
        return []


class OfTexts:
    """A column of texts."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def names(self) -> list[str]:
        return [self.name]

    def pieces(self, path: str, rows: int, **_: Any) -> Iterator[tuple[pa.Table, list[str]]]:
        for table in tables(path, rows):
            if self.name not in table.column_names:
                raise ValueError(f"{path}: there is no column {self.name!r}, which holds the texts")
            texts = pc.fill_null(table[self.name].cast(pa.string()), "").to_pylist()
            if texts:
                yield table, texts

    def notes(self) -> list[str]:
        return []


class OfArray:
    """Arrays in .npy files."""

    def __init__(self, rows: np.ndarray) -> None:
        self.shape, self.dtype = rows.shape[1:], rows.dtype.name

    @property
    def names(self) -> list[str]:
        return []

    def pieces(self, path: str, rows: int, **_: Any) -> Iterator[tuple[pa.Table, np.ndarray]]:
        try:
            found = np.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise ValueError(f"there is no file {path}") from None
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} is no .npy file of numbers ({error})") from None
        if not isinstance(found, np.ndarray) or found.shape[1:] != tuple(self.shape):
            there = getattr(found, "shape", "several arrays")
            raise ValueError(f"{path} holds {there}, and rows have the shape {tuple(self.shape)}")
        for start in range(0, len(found), rows):
            part = np.asarray(found[start : start + rows]).astype(self.dtype)
            yield pa.table({"": pa.nulls(len(part))}), part

    def notes(self) -> list[str]:
        return []
