"""Tables from files: typed columns, keys and moments, with what is wrong in one sentence."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tasks.events.manifest import Described
from tasks.table.columns import Column, Draft, Rules, as_texts, decide, examine, stored_as
from tasks.table.doubts import sentences
from tasks.table.read import read
from tasks.table.target import column_of


class Typed(NamedTuple):
    """A table as it was understood."""

    rows: pd.DataFrame
    """Keys as they are stored, moments, numbers, categories, and texts (type `string`)"""
    columns: list[Column]
    notices: list[str]


def typed(
    table: Described, keys: set[str], time: str | None, target: str | None, threads: int
) -> Typed:
    """A table's columns as what they stand for. keys: columns that only name rows; time: the one
    that says when; target: the one to be predicted. Raises ValueError with one sentence."""
    found = read(table.file, None, "utf-8", threads)
    names = found.table.column_names
    for column in filter(None, [*sorted(keys), time, target, *table.types]):
        if column not in names:
            try:
                column_of(column, names)
            except ValueError as error:
                raise ValueError(f"{table.file}: {error}") from None
    if not found.table.num_rows:
        raise ValueError(f"{table.file} has no rows")
    drafts, rows = [], {}
    for name in names:
        values = found.table[name]
        if name in keys:
            rows[name] = key_values(values, f"{table.file}: {name!r}")
            continue
        asked: Any = "date" if name == time else table.types.get(name)
        draft = Draft(Column(f"{table.name}.{name}", "out"), asked, name == target, name == time)
        examine(draft, values, Rules())
        drafts.append((name, draft))
    evidence = Counter(d.choices[0].way for _, d in drafts if len(d.choices) == 1)
    for name, draft in drafts:
        try:
            values = decide(draft, Rules(), evidence)
        except ValueError:
            raise ValueError(
                f"{table.file}: {name!r} holds {draft.column.samples[0]!r}, which is no "
                f"{'moment' if name == time else draft.asked}"
            ) from None
        if name == time and (wrong := draft.column.doubts.get("lost date")):
            raise ValueError(f"{table.file}: {name!r} holds {wrong} that are no moments")
        if name == time and draft.column.kind != "date":
            raise ValueError(f"{table.file}: {name!r} holds no moments")
        if draft.column.kind == "text":
            values = pd.Series(values).astype("string")
        if draft.column.kind != "out" or name in (time, target):
            rows[name] = values
    columns = [draft.column for _, draft in drafts]
    return Typed(pd.DataFrame(rows), columns, [*found.notes, *sentences(columns)])


def key_values(values: pa.ChunkedArray, what: str) -> Any:
    """Keys as whole numbers where they are stored as numbers, else as texts. Raises ValueError for
    numbers with a fraction."""
    if stored_as(values.type) != "number":
        return pd.Series(as_texts(values).to_pandas(), dtype="string").str.strip().replace("", None)
    try:
        whole = pc.if_else(pc.is_finite(values.cast(pa.float64())), values, None).cast(pa.int64())
    except pa.ArrowInvalid:
        raise ValueError(f"{what} holds numbers that are not whole, which are no keys") from None
    return pd.Series(whole.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get))


def places(keys: pd.Series, of: pd.Index, what: str) -> np.ndarray:
    """(n,) where each key stands in the primary keys `of`; beyond them for keys that are not there,
    a place for each; -1 for none. Raises ValueError where keys of unlike types never meet."""
    unlike = keys.dtype != of.dtype
    if unlike:  # as a CSV and a Parquet file write the same keys
        keys, of = keys.astype("string"), of.astype("string")
    found = of.get_indexer(pd.Index(keys))
    missing = keys.isna().to_numpy()
    new = (found < 0) & ~missing
    if unlike and new.any() and not (found >= 0).any():
        raise ValueError(
            f"{what} never meet: {keys[new].iloc[0]!r} and {of[0]!r} are of unlike types"
        )
    found[new] = len(of) + pd.factorize(keys[new])[0]
    found[missing] = -1
    return found.astype(np.int64)
