"""Features that lie in Parquet files, however many: more rows than memory holds.

python -m benchmarks task=parquet task.path=rows task.target=opened model=logistic,xgboost,network

A file or a folder of them, as `benchmarks.features` leaves it. Columns are what Parquet says they
are: numbers, booleans, and texts, which are categories. Models that can read rows a piece at a time
do so; `task.whole=true` reads all into memory, for any model (docs/engines.md).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from annotated_types import Ge, Le

from tasks.base import Data, UnknownView, labels_of
from tasks.pieces import Pieces, Segment
from tasks.table.target import column_of, outcomes

LEVELS = 1_000  # of a category: the others are missing values
BLOCK, FEWEST = 10_000, 50  # rows that are dealt out together, at most; such blocks


class Rows(NamedTuple):
    """Where train and test rows lie, and what was left out."""

    train: Pieces
    test: Pieces
    notices: list[str]


@dataclass
class Parquet:
    """A binary, multiclass or regression problem, whichever the target's column makes it."""

    files: ClassVar[tuple[str, ...]] = ("path",)
    # Whoever made the columns did so elsewhere.
    general: ClassVar[bool] = True

    # a file, or a folder of files with the same columns
    path: str | None = None
    # the column to predict
    target: str | None = None
    # columns that no model reads, such as the number of a row
    out: list[str] | None = None
    # auto: classes unless there are many different numbers
    kind: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    # of two classes, the one whose probability is predicted; unset: yes, true, 1, or the later name
    positive: str | None = None
    # last: the last rows of each file are tested on, which came about last; random: blocks of rows
    split: Literal["last", "random"] = "last"
    # share of rows that models are tested on
    test_share: Annotated[float, Ge(0.05), Le(0.5)] = 0.3
    # true: all rows are read into memory
    whole: bool = False
    # supplied by the runner: threads for reading
    n_jobs: int = 1

    def check(self) -> None:
        """Raise ValueError if there is nothing to read, with one sentence."""
        self._columns(self._files())

    def load(self, seed: int) -> Data:
        """Look at the target, and at the levels of categories. Raises ValueError with one
        sentence."""
        files = self._files()
        floats, texts, notices = self._columns(files)
        levels = self._levels(files, texts, notices)
        labels, classes = self._labels(files)
        train, test = self._split(files, seed)
        parts = [Pieces(segments, floats, levels) for segments in (train, test)]
        starts = dict(zip(files, np.cumsum([0, *map(rows_in, files)]), strict=False))
        train_at, test_at = (places(segments, starts) for segments in (train, test))
        return Data(
            raw=Rows(parts[0], parts[1], notices),
            train_labels=labels[train_at],
            test_labels=labels[test_at],
            classes=classes,
            test_ids=test_at,
            ordered=True,
        )

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        """`features`: the columns as they are."""
        if name != "features":
            raise UnknownView("parquet", name, ("features",))
        train, test, _ = data.raw
        if self.whole:
            return train.frame(0, len(train)), test.frame(0, len(test))
        return train, test

    def notices(self, data: Data) -> list[str]:
        return data.raw.notices

    def raw_columns(self, data: Data, _view: str) -> list[str]:
        return [*data.raw.train.floats]

    def _files(self) -> list[str]:
        if self.path is None or self.target is None:
            raise ValueError("say where the rows are and what is predicted: task.path, task.target")
        path = Path(self.path).expanduser()
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            raise ValueError(f"{self.path} is no file of Parquet, nor a folder of them")
        return [str(file) for file in files]

    def _columns(self, files: list[str]) -> tuple[dict[str, bool], list[str], list[str]]:
        """(name -> is it read as float64?, names of texts, notices)"""
        schema = schema_of(files[0])
        gaps: set[str] = set()
        for file in files:
            if (found := schema_of(file)).names != schema.names or found.types != schema.types:
                raise ValueError(f"{file} has other columns than {files[0]}")
            gaps |= with_gaps(file)
        assert self.target is not None
        target = column_of(self.target, schema.names)
        out = {column_of(name, schema.names) for name in self.out or ()}
        floats, texts, odd = dict[str, bool](), list[str](), list[str]()
        for field in schema:
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            if field.name in out | {target}:
                continue
            if pa.types.is_string(kind) or pa.types.is_large_string(kind):
                texts.append(field.name)
                floats[field.name] = False
            elif pa.types.is_floating(kind) or pa.types.is_integer(kind) or kind == pa.bool_():
                floats[field.name] = field.name in gaps and not pa.types.is_floating(kind)
            elif pa.types.is_decimal(kind):
                floats[field.name] = True
            else:
                odd.append(f"{field.name} ({kind})")
        if not floats:
            raise ValueError(f"{self.path} has no column to learn from beside the target")
        said = [f"left out, as no number and no category: {', '.join(odd)}"] if odd else []
        return floats, texts, said

    def _levels(
        self, files: list[str], texts: list[str], notices: list[str]
    ) -> dict[str, list[str]]:
        """What stands in texts most often, in the order of the alphabet."""
        levels = {}
        with duckdb.connect(config={"threads": self.n_jobs}) as connection:
            rows = connection.read_parquet(files)
            for name in texts:
                column = '"' + name.replace('"', '""') + '"'
                counted = rows.filter(f"{column} IS NOT NULL").aggregate(
                    f"CAST({column} AS VARCHAR) AS level, count(*) AS n", column
                )
                ((different,),) = counted.aggregate("count(*)").fetchall()
                found = counted.order("n DESC, level").limit(LEVELS).fetchall()
                levels[name] = sorted(level for level, _ in found)
                if different > LEVELS:
                    notices.append(
                        f"{name} has {different:,} levels, of which the {LEVELS:,} most common are "
                        f"read (leave it out: task.out=[{name}])"
                    )
        return levels

    def _labels(self, files: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Of all rows, in the order of the files."""
        assert self.target is not None
        target = column_of(self.target, schema_of(files[0]).names)
        column = pa.chunked_array(
            [chunk for f in files for chunk in pq.read_table(f, columns=[target])[target].chunks]
        )
        if column.null_count:
            raise ValueError(f"the target {target!r} is missing in {column.null_count:,} rows")
        codes, different = pd.factorize(column.to_pandas())
        kind = None if self.kind == "auto" else self.kind
        told, classes, _ = outcomes(pd.Series(different, name=target), kind, self.positive, least=1)
        if not classes:
            return np.asarray(told, np.float64)[codes], ()
        counts = np.bincount(codes)
        if counts.min() < 2:
            raise ValueError(f"the target {target!r} is {different[counts.argmin()]} in one row")
        return np.asarray(labels_of(told, classes))[codes], classes

    def _split(self, files: list[str], seed: int) -> tuple[list[Segment], list[Segment]]:
        train, test = list[Segment](), list[Segment]()
        if self.split == "random":
            size = max(1, min(BLOCK, sum(map(rows_in, files)) // FEWEST))
            blocks = [
                Segment(file, group, start, min(start + size, rows))
                for file in files
                for group, rows in enumerate(groups_of(file))
                for start in range(0, rows, size)
            ]
            tested = np.random.default_rng(seed).permutation(len(blocks))
            held = set(tested[: round(self.test_share * len(blocks))].tolist())
            for k, block in enumerate(blocks):
                (test if k in held else train).append(block)
        else:
            for file in files:
                cut = rows_in(file) - round(self.test_share * rows_in(file))
                begin = 0
                for group, rows in enumerate(groups_of(file)):
                    middle = min(max(cut - begin, 0), rows)
                    train.append(Segment(file, group, 0, middle))
                    test.append(Segment(file, group, middle, rows))
                    begin += rows
        train, test = (joined(part) for part in (train, test))
        if not train or not test:
            raise ValueError(f"{self.path} has too few rows for train and test rows")
        return train, test


def joined(segments: list[Segment]) -> list[Segment]:
    """Without empty ones, and with neighbours as one."""
    found = list[Segment]()
    for one in segments:
        if one.start == one.stop:
            continue
        last = found[-1] if found else None
        if last is not None and last[:2] == one[:2] and last.stop == one.start:
            found[-1] = last._replace(stop=one.stop)
        else:
            found.append(one)
    return found


def places(segments: list[Segment], starts: dict[str, int]) -> np.ndarray:
    """Which rows of all files these are. starts: of each file."""
    found = []
    for file, group, start, stop in segments:
        first = starts[file] + sum(groups_of(file)[:group])
        found.append(np.arange(first + start, first + stop))
    return np.concatenate(found)


def groups_of(file: str) -> list[int]:
    """Rows of each row group."""
    meta = metadata(file)
    return [meta.row_group(k).num_rows for k in range(meta.num_row_groups)]


def rows_in(file: str) -> int:
    return int(metadata(file).num_rows)


def schema_of(file: str) -> pa.Schema:
    return metadata(file).schema.to_arrow_schema()


def with_gaps(file: str) -> set[str]:
    """Columns of which some values are missing, or may be."""
    meta, found = metadata(file), set[str]()
    for k in range(meta.num_row_groups):
        for j in range(meta.num_columns):
            column = meta.row_group(k).column(j)
            told = column.statistics
            if told is None or not told.has_null_count or told.null_count:
                found.add(column.path_in_schema)
    return found


def metadata(file: str) -> pq.FileMetaData:
    """Raises ValueError for a file that is none of Parquet."""
    try:
        return _metadata(file, Path(file).stat().st_mtime_ns)
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(f"{file} is no file of Parquet ({said})") from None


@cache
def _metadata(file: str, _changed: int) -> pq.FileMetaData:
    return pq.read_metadata(file)
