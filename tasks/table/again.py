"""New rows, read as the rows were that a model learned from: the same types, formats and gaps.

Nothing is found out here. What a column is and how it is written was decided when the model
learned; a value that does not fit is refused with its row, as one that silently became a gap would
be predicted from all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tasks.table import formats
from tasks.table.columns import (
    DECIMALS,
    Column,
    How,
    Kind,
    Texts,
    as_texts,
    stored_as,
    stored_values,
)
from tasks.table.prepare import Tellable
from tasks.table.read import EXACT, Expected, pieces

ISO = ("moment", "year-month-day")  # how moments are written that were stored as such
NOUNS = {"number": "numbers", "date": "dates", "category": "categories", "text": "texts"}
LISTED = 10  # names in a sentence


class Known(NamedTuple):
    """A column that a model learned from."""

    name: str
    kind: Kind
    dtype: str
    """As a frame had it."""
    how: How

    def usual(self) -> pa.DataType | None:
        """What Arrow reads such a column as, where programs would have written it so. No spelling
        of a gap may be a number, as it could be spelled in other ways."""
        how = self.how
        if how.by_text or how.since or how.words or how.lossy:
            return None
        if self.kind == "number":
            plain = (how.key or DECIMALS) == DECIMALS and not any(map(is_number, how.missing))
            return pa.float64() if plain else None
        if self.kind == "date":
            return pa.timestamp("us") if (how.key or ISO) == ISO else None
        return pa.dictionary(pa.int32(), pa.string())


class NewRows:
    """Reads files with the columns of a table, in any order and with others beside them."""

    def __init__(
        self,
        columns: Sequence[Column],
        dtypes: Mapping[Any, Any],
        tellable: Tellable,
        query: str | None,
        encoding: str,
    ) -> None:
        self.columns = [
            Known(column.name, column.kind, str(dtypes[column.name]), column.how)
            for column in columns
            if column.kind != "out"
        ]
        self.tellable, self.query, self.encoding = tellable, query, encoding
        self.unseen: dict[str, tuple[int, str]] = {}  # column -> (rows with a new level, one)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def pieces(
        self,
        path: str,
        rows: int,
        threads: int = 1,
        query: str | None = None,
        encoding: str | None = None,
        keep: Sequence[str] = (),
    ) -> Iterator[tuple[pa.Table, pd.DataFrame]]:
        """About so many rows at a time: as they are stored (those of `keep` to the letter), and as
        a model reads them. Raises ValueError, with one sentence on what does not fit and where."""
        first, expected = 0, self.expected(keep)
        read = pieces(path, query or self.query, encoding or self.encoding, threads, rows, expected)
        for table in ahead(read):
            try:
                typed = self.typed(table, first)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            if len(table):
                yield table, self.tellable(typed)
            first += len(table)

    def expected(self, keep: Sequence[str] = ()) -> Expected:
        """What a reader of text files need not find out, but for columns that go along as they
        are."""
        usual = {k.name: k.usual() for k in self.columns if k.name not in keep}
        missing = [k.how.missing for k in self.columns if k.kind in ("number", "date")]
        types = {
            known.name: kind
            for known in self.columns
            if (kind := usual.get(known.name)) is not None
            and (pa.types.is_dictionary(kind) or known.how.missing == missing[0])
        }
        return Expected(types, missing[0] if missing else ())

    def typed(self, table: pa.Table, first: int = 0) -> pd.DataFrame:
        """Typed columns. first: number of the first of these rows. Raises ValueError."""
        if lacking := [name for name in self.names if name not in table.column_names]:
            raise ValueError(told_lacking(lacking, table.column_names))
        return pd.DataFrame(
            {known.name: self._column(known, table[known.name], first) for known in self.columns}
        )

    def notes(self) -> list[str]:
        """What somebody should know of the rows that were read: a sentence each."""
        return [
            f"{rows:,} rows have a value of {name!r} that was never learned from, such as {one!r}"
            for name, (rows, one) in self.unseen.items()
        ]

    def plainly(self) -> dict[str, Any] | str:
        """What reads a text file with pandas alone: `encoding`, of each of the `columns` its name
        and what `plain` says, and which attribute prepares them; or why nothing does."""
        told = [plain(known) for known in self.columns]
        for known, how in zip(self.columns, told, strict=True):
            if how is None:
                return f"the values of {known.name!r} are written as pandas by itself reads none"
        named = zip(self.columns, told, strict=True)
        columns = [{"name": known.name, **(how or {})} for known, how in named]
        return {"encoding": self.encoding, "columns": columns, "prepare": "tellable"}

    def _column(self, known: Known, values: pa.ChunkedArray, first: int) -> Any:
        refuse_retyped(known, values)
        if known.kind in ("number", "date") or known.how.by_text:
            found = in_format(known, values, first)
            if known.how.by_text:
                return self._levels(known, Texts.of(as_texts(pa.chunked_array([found]))))
            array = found.to_numpy(zero_copy_only=False)
            if known.kind == "date":
                return array.astype("M8[us]")
            return array.astype(known.dtype if is_whole(array, known.dtype) else np.float64)
        texts = Texts.of(as_texts(values)).without(known.how.missing)
        if known.kind == "category":
            return self._levels(known, texts)
        return texts.deal(texts.levels).to_pandas()

    def _levels(self, known: Known, texts: Texts) -> pd.Categorical:
        found = texts.category()
        new = ~found.categories.isin(self.tellable.preparation.levels_[known.name])
        if new.any():
            rows, one = self.unseen.get(known.name, (0, str(found.categories[new][0])))
            count = int(np.isin(found.codes, np.flatnonzero(new)).sum())
            self.unseen[known.name] = rows + count, one
        return found


def ahead(read: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same, the next one being read while the last one is made use of."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, read, None)
        while (table := coming.result()) is not None:
            coming = thread.submit(next, read, None)
            yield table


def is_number(text: str) -> bool:
    try:
        return np.isfinite(float(text))
    except ValueError:
        return False


def is_whole(array: np.ndarray, dtype: str) -> bool:
    """Can values be kept in a type without a change? Whole numbers have no gaps and no parts."""
    if np.dtype(dtype).kind not in "iu":
        return bool(np.dtype(dtype).kind == "f")
    return bool(np.isfinite(array).all() and (array == np.floor(array)).all())


def plain(known: Known) -> dict[str, Any] | None:
    """Of texts that pandas reads as they were read here: `kind`, spellings that are `missing`, the
    `decimal` sign of numbers, and whether the day stands first in dates (None: the year does)."""
    how = known.how
    told = {"kind": known.kind, "missing": [*how.missing, *how.words]}
    if how.since or how.by_text or how.lossy:
        return None
    if known.kind == "number":
        kind, *format_of = how.key or DECIMALS
        if kind != "number" or format_of[1]:
            return None
        return {**told, "decimal": format_of[0]}
    if known.kind == "date":
        orders = {"year-month-day": None, "day.month.year": True, "day/month/year": True}
        orders |= {"day-month-year": True, "month/day/year": False, "month-day-year": False}
        kind, *layout = how.key or ISO
        if kind != "moment" or layout[0] not in orders:
            return None
        return {**told, "day_first": orders[layout[0]]}
    return told


def refuse_retyped(known: Known, values: pa.ChunkedArray) -> None:
    """Raise ValueError for values that are stored as what the column never was."""
    stored = stored_as(values.type)
    if values.null_count == len(values):  # then nothing can be read wrongly
        return
    fine = {
        "number": {"text", "number"},
        "date": {"text", "date", *(["number"] if known.how.since else [])},
    }.get(known.kind, {known.how.stored})
    if known.how.by_text or (known.kind == "category" and known.how.stored == "number"):
        fine = {"text", "number"}  # but not the other way round: 01234 is no 1234
    if stored not in fine:
        raise ValueError(
            f"{known.name!r} holds {values.type}, and was learned from as {NOUNS[known.kind]} that "
            f"were stored as {known.how.stored}"
        )


def in_format(known: Known, values: pa.ChunkedArray, first: int) -> pa.Array:
    """Numbers or moments, null where they are missing. Raises ValueError."""
    how = known.how
    is_moment = known.kind == "date"
    if stored_as(values.type) == "text":
        key = how.key or (ISO if is_moment and not how.since else DECIMALS)
        found = at_once(values, how, key)
        found = from_texts(known, key, values, first) if found is None else found
    else:
        stored = stored_values(values, how.missing)
        if stored is None:
            raise ValueError(f"{known.name!r} holds {values.type} of more digits than a number has")
        found = stored
    if how.since and not pa.types.is_timestamp(found.type):
        return formats.counted(found, how.since)
    if pa.types.is_floating(found.type):  # an infinite number is missing
        found = pc.if_else(pc.is_finite(found), found, pa.scalar(None, found.type))
    return found


def at_once(values: pa.ChunkedArray, how: How, key: tuple[str, ...]) -> pa.Array | None:
    """Numbers and moments that are written as programs write them, in a fraction of the time."""
    if key not in (DECIMALS, ISO):
        return None
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    gone = pc.is_in(values, value_set=pa.array(how.missing, values.type))
    present = pc.if_else(gone, pa.scalar(None, values.type), values)
    if key == ISO:
        reading = formats.stored_moments(present)
        return None if reading is None else one(reading.values)
    found = cast(present, pa.float64())  # of a fraction, a cast to whole numbers fails, slowly
    if found is None:
        return None
    most = pc.max(pc.abs(found)).as_py()
    if how.by_text or (most is not None and EXACT <= most < 2.0**63):
        exact = cast(present, pa.int64())
        # Arrow reads 0x1F, which is no number to anybody else.
        if exact is not None and not pc.any(pc.match_substring_regex(present, "[xX]")).as_py():
            found = exact
    return one(found)


def cast(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """None where a text is no such number."""
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        return None


def one(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def from_texts(known: Known, key: tuple[str, ...], values: pa.ChunkedArray, first: int) -> pa.Array:
    """What the column's format makes of texts. Raises ValueError for one that it does not explain
    and that was never a gap."""
    how, texts = known.how, Texts.of(as_texts(values))
    present = texts.without([*how.missing, *how.words])
    read = formats.again(key, present.levels)
    strange = pc.is_null(read).to_numpy(zero_copy_only=False)
    if strange.any() and not how.lossy:
        level = int(np.flatnonzero(strange)[0])
        row = first + int(np.flatnonzero(present.codes == level)[0]) + 1
        raise ValueError(
            f"row {row:,} of {known.name!r} is {present.levels[level].as_py()!r}, and the column "
            f"was learned from as {NOUNS[known.kind]}"
        )
    return present.deal(read)


def told_lacking(lacking: Sequence[str], there: Sequence[str]) -> str:
    """One sentence on the columns that are missing, with what they may be called now."""
    told = []
    for name in lacking[:LISTED]:
        close = get_close_matches(name.lower(), [other.lower() for other in there], n=1, cutoff=0.6)
        near = [other for other in there if close and other.lower() == close[0]]
        told.append(f"{name!r} (is it {near[0]!r}?)" if near else repr(name))
    more = f" and {len(lacking) - LISTED:,} more" if len(lacking) > LISTED else ""
    return f"there is no column {', '.join(told)}{more}"
