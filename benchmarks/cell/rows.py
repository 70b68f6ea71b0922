"""Rows of a view, whatever they are made of: a data frame, an array of any rank, a list of texts,
rows with a past (tasks.histories), rows on disk (tasks.pieces), or an object with a length and
indexing.

No other file asks which of these it has: here rows are counted, taken, joined and made up.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tasks.histories import Histories
from tasks.pieces import Pieces

ROWS = 64
PAST = 4  # made-up rows of an entity, each with one more event before it
WORDS = np.array(["now", "today", "sale", "news", "for", "you", "new", "last"], dtype=object)


class NoSynthetic(TypeError):
    """Rows of a kind that cannot be made up here: the model is not warmed up."""


class Unjoinable(TypeError):
    """Rows of a kind that cannot be joined, or given another column."""


def count(rows: Any) -> int:
    return len(rows)


def shape(rows: Any) -> tuple[int, ...]:
    """Of frames and arrays theirs; (n,) of anything else."""
    return tuple(getattr(rows, "shape", (len(rows),)))


def columns(rows: Any) -> list[str] | None:
    """Names of columns; their places where they have none; None for rows without columns."""
    if (named := names(rows)) is not None:
        return named
    return list(map(str, range(rows.shape[1]))) if len(shape(rows)) == 2 else None


def names(rows: Any) -> list[str] | None:
    """Of columns that somebody called something; None for rows whose columns have places alone."""
    return [str(name) for name in rows.columns] if hasattr(rows, "columns") else None


def types(rows: Any) -> list[str]:
    """Of each column."""
    there = columns(rows) or []
    kinds = rows.dtypes if hasattr(rows, "dtypes") else [getattr(rows, "dtype", "")] * len(there)
    return [str(kind) for kind in kinds]


def take(rows: Any, part: slice | np.ndarray) -> Any:
    """The rows at these places, in this order."""
    if hasattr(rows, "iloc"):
        return rows.iloc[part]
    if isinstance(rows, np.ndarray) or isinstance(part, slice):
        return rows[part]
    if isinstance(rows, list | tuple):
        return [rows[place] for place in part.tolist()]
    try:
        return rows[part]
    except TypeError:  # indexing by one place at a time is all that is asked for
        return [rows[place] for place in part.tolist()]


def join(first: Any, second: Any) -> Any:
    """All rows of both. Raises Unjoinable."""
    if hasattr(first, "iloc"):
        return pd.concat([first, second], ignore_index=True)
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    if isinstance(first, list):
        return [*first, *second]
    if isinstance(first, Histories):
        return first.joined(second)
    raise Unjoinable(f"rows of the type {type(first).__name__} cannot be dealt out anew")


def anew(rows: Any) -> Any:
    """Rows that were taken from others, numbered from 0 where they have numbers."""
    return rows.reset_index(drop=True) if hasattr(rows, "reset_index") else rows


def with_column(rows: Any, name: str, values: np.ndarray) -> Any:
    """Raises Unjoinable for rows that cannot have another column."""
    if hasattr(rows, "assign"):
        return rows.assign(**{name: values})
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        return np.column_stack([rows, values])
    if isinstance(rows, Histories):
        return replace(rows, now=rows.now.assign(**{name: values}))
    raise Unjoinable(f"no column can be planted in rows of the type {type(rows).__name__}")


def dealable(rows: Any) -> list[str] | None:
    """Names of what can be dealt out anew among rows: columns, and of rows with a past that past as
    a whole; None where there are none."""
    if isinstance(rows, Histories):
        return [*map(str, rows.now.columns), "the past"]
    return columns(rows) if hasattr(rows, "iloc") or isinstance(rows, np.ndarray) else None


def with_dealt(rows: Any, place: int, order: np.ndarray) -> Any:
    """The rows with what is at this place of `dealable` taken from other rows, in this order."""
    if isinstance(rows, Histories):
        if place < rows.now.shape[1]:
            return replace(rows, now=with_dealt(rows.now, place, order))
        moment, start, stop = rows.moment[order], rows.start[order], rows.stop[order]
        return replace(rows, moment=moment, start=start, stop=stop)
    made = rows.copy()
    if isinstance(rows, np.ndarray):
        made[:, place] = rows[order, place]
    else:
        made.isetitem(place, rows.iloc[order, place].array)
    return made


def differing(before: Any, after: Any, n: int) -> set[str]:
    """Names of the columns whose first n rows are not exactly alike."""
    if isinstance(before, Histories):
        return before.differing(after, n)
    if isinstance(before, list):
        return {"text"} if before[:n] != after[:n] else set()
    if hasattr(before, "columns"):
        return {name for name in before.columns if not before[name][:n].equals(after[name][:n])}
    alike = ((before[:n] == after[:n]) | (before[:n] != before[:n])).all(axis=0)
    return {name for name, same in zip(columns(before) or (), alike, strict=True) if not same}


def refuse_unlike(train: Any, test: Any, n_train: int, n_test: int, view: str) -> None:
    """Raises ValueError, in one sentence, where a view does not fit its labels or itself."""
    for rows, n, part in ((train, n_train, "train"), (test, n_test, "test")):
        if not hasattr(rows, "__len__"):
            raise ValueError(
                f"the view {view!r} gives {type(rows).__name__} for its {part} rows, "
                "which has no length: give a frame, an array or a list"
            )
        if len(rows) != n:
            raise ValueError(
                f"the view {view!r} has {len(rows):,} {part} rows, but there are "
                f"{n:,} {part} labels"
            )
    if shape(train)[1:] != shape(test)[1:]:
        raise ValueError(
            f"the view {view!r} gives train rows of the shape {shape(train)[1:]} and "
            f"test rows of the shape {shape(test)[1:]}"
        )


def synthetic(rows: Any, n: int = ROWS) -> Any:
    """n made-up rows in the form of `rows`: a data frame with the same columns and types, an
    array of the same shape and type, a list of texts, or rows with a past. Raises NoSynthetic for
    anything else."""
    rng = np.random.default_rng(0)
    if isinstance(rows, Pieces):
        return synthetic(rows[:1], n)
    if isinstance(rows, Histories):
        seen = np.arange(n) % PAST  # of each entity, one row for each event it has had before
        return Histories(
            synthetic(rows.now, n),
            3600 * seen + 1,
            synthetic(rows.events, n),
            3600 * seen,
            np.arange(n) - seen,
            np.arange(n),
        )
    if hasattr(rows, "dtypes") and hasattr(rows, "columns"):
        made_up = {i: _column(rows.iloc[:0, i], n, rng) for i in range(rows.shape[1])}
        made = type(rows)(made_up)
        made.columns = rows.columns
        return made
    if isinstance(rows, np.ndarray):
        return _values(rows.dtype, (n, *rows.shape[1:]), rng)
    if isinstance(rows, list) and rows and isinstance(rows[0], str):
        return list(_texts(n, rng))
    raise NoSynthetic(type(rows).__name__)


def _column(empty: Any, n: int, rng: np.random.Generator) -> Any:
    dtype = empty.dtype
    if hasattr(dtype, "categories"):
        codes = rng.integers(0, max(1, len(dtype.categories)), n) - (not len(dtype.categories))
        return type(empty.array).from_codes(codes, dtype=dtype)
    if isinstance(dtype, np.dtype):
        return _values(dtype, (n,), rng)
    if dtype.name.startswith(("string", "str")):
        return type(empty)(_texts(n, rng), dtype=dtype)
    return type(empty)(rng.integers(0, 2, n)).astype(dtype)  # nullable numbers and booleans


def _values(dtype: np.dtype[Any], shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if dtype.kind == "O":
        return _texts(int(np.prod(shape)), rng).reshape(shape)
    if dtype.kind in "US":
        return _texts(int(np.prod(shape)), rng).reshape(shape).astype(dtype)
    return rng.integers(0, 2, shape).astype(dtype)  # whole numbers, booleans, moments


def _texts(n: int, rng: np.random.Generator) -> np.ndarray:
    texts = [" ".join(row) for row in WORDS[rng.integers(0, len(WORDS), (n, 4))]]
    return np.array(texts, dtype=object)
