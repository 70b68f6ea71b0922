"""Rows that lie on disk, and are read a piece at a time."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROWS = 50_000  # of a piece, at most
BLOCKS = 20  # that a sample comes from


class Segment(NamedTuple):
    """Rows of a row group, which is what Parquet reads at once."""

    file: str
    group: int
    start: int
    stop: int


class Pieces:
    """Rows of Parquet files. A model that says `pieces` is given them as they are: it goes over
    them piece by piece, each a frame (`pieces`), or looks at some (`sample`). A few rows, taken by
    places or as a slice, are a frame; a longer slice is again of this kind.
    """

    def __init__(
        self,
        segments: Sequence[Segment],
        floats: Mapping[str, bool],
        levels: Mapping[str, Sequence[str]],
    ) -> None:
        """floats: name of each column -> is it to be read as float64? levels: of those that are
        categories."""
        self.segments = [Segment(*one) for one in segments]
        self.floats, self.levels = dict(floats), {k: list(v) for k, v in levels.items()}
        self._ends = [*accumulate(one.stop - one.start for one in self.segments)]

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @property
    def columns(self) -> pd.Index:
        return pd.Index([*self.floats])

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), len(self.floats)

    @cached_property
    def dtypes(self) -> pd.Series:
        return self.frame(0, min(1, len(self))).dtypes

    def state(self) -> dict[str, Any]:
        """All there is to it, as JSON holds it: arguments of the constructor."""
        return {"segments": self.segments, "floats": self.floats, "levels": self.levels}

    def __getitem__(self, part: Any) -> Any:
        if not isinstance(part, slice):
            return self._at(np.asarray(part))
        start, stop, step = part.indices(len(self))
        if step != 1:
            return self._at(np.arange(start, stop, step))
        if stop - start <= ROWS:
            return self.frame(start, stop)
        return Pieces(self._between(start, stop), self.floats, self.levels)

    def frame(self, start: int, stop: int) -> pd.DataFrame:
        """The rows from one place to another, whether they fit into memory or not."""
        cut = self._between(start, max(start, stop))
        return self._frame([_read(segment, [*self.floats]) for segment in cut])

    def pieces(self, rows: int = ROWS) -> Iterator[pd.DataFrame]:
        """All rows in order, at most so many at a time."""
        for segment in self.segments:
            table = _read(segment, [*self.floats])
            for start in range(0, len(table), rows):
                yield self._frame([table[start : start + rows]])

    def blocks(self) -> list[tuple[int, int]]:
        """(first place, behind the last) of rows that are best read at once."""
        starts = [0, *self._ends[:-1]] if self._ends else []
        return [*zip(starts, self._ends, strict=True)]

    def sample(self, rows: int) -> pd.DataFrame:
        """About so many rows, evenly spread over a few blocks."""
        if len(self) <= rows:
            return self.frame(0, len(self))
        blocks = self.blocks()
        chosen = np.unique(np.linspace(0, len(blocks) - 1, BLOCKS).astype(int))
        share = rows / sum(blocks[k][1] - blocks[k][0] for k in chosen)
        frames = []
        for k in chosen:
            start, stop = blocks[k]
            wanted = max(1, round(share * (stop - start)))
            places = np.linspace(start, stop - 1, wanted).astype(int)
            frames.append(self._at(places))
        return pd.concat(frames, ignore_index=True)

    def _at(self, places: np.ndarray) -> pd.DataFrame:
        """The rows at these places, in this order; each row group is read once."""
        if places.dtype == bool:
            places = np.flatnonzero(places)
        places = np.where(places < 0, places + len(self), places)
        wanted, back = np.unique(places, return_inverse=True)
        which = np.searchsorted(self._ends, wanted, side="right")
        tables = []
        for k in np.unique(which):
            before = self._ends[k - 1] if k else 0
            table = _read(self.segments[k], [*self.floats])
            tables.append(table.take(pa.array(wanted[which == k] - before)))
        return self._frame(tables).iloc[back].reset_index(drop=True)

    def _between(self, start: int, stop: int) -> list[Segment]:
        found = []
        for k in range(bisect_right(self._ends, start), len(self.segments)):
            one, end = self.segments[k], self._ends[k]
            begin = end - (one.stop - one.start)
            if begin >= stop:
                break
            low, high = max(start, begin) - begin, min(stop, end) - begin
            found.append(one._replace(start=one.start + low, stop=one.start + high))
        return found

    def _frame(self, tables: Sequence[pa.Table]) -> pd.DataFrame:
        tables = tables or [_read(self.segments[0], [*self.floats])[:0]]  # whose types they have
        columns: dict[str, Any] = {}
        for name, is_float in self.floats.items():
            chunks = [chunk for table in tables for chunk in table[name].chunks]
            if name in self.levels:
                columns[name] = self._categories(name, chunks)
            else:
                values = pa.chunked_array(chunks)
                columns[name] = (values.cast(pa.float64()) if is_float else values).to_pandas()
        return pd.DataFrame(columns)

    def _categories(self, name: str, chunks: Sequence[pa.Array]) -> pd.Categorical:
        known = pa.array(self.levels[name], pa.string())
        codes = [np.empty(0, np.int64)]
        for chunk in chunks:
            places = pc.index_in(chunk.cast(pa.string()), known)
            codes.append(pc.fill_null(places, -1).to_numpy(zero_copy_only=False))
        kinds = pd.CategoricalDtype(pd.Index(self.levels[name], dtype=object))
        return pd.Categorical.from_codes(np.concatenate(codes), dtype=kinds)


def _read(segment: Segment, columns: list[str]) -> pa.Table:
    with pq.ParquetFile(segment.file) as file:
        table = file.read_row_group(segment.group, columns=columns, use_threads=True)
    return table[segment.start : segment.stop]
