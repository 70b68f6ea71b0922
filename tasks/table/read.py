"""A file of any common form into an Arrow table, and a clear sentence where that cannot be.

PyArrow reads CSV, Parquet and Feather, DuckDB JSON, the standard library SQLite, pandas workbooks.
Nothing in a file is ever executed, and nothing is unpickled.
"""

import codecs
import contextlib
import io
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from csv import Error
from csv import reader as reader_of
from glob import escape, glob, has_magic
from itertools import islice, takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote
from zipfile import BadZipFile

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from pyarrow import csv
from pyarrow.dataset import dataset

from tasks.table.remote import fetched

FORMATS = {
    "csv": (".csv", ".tsv", ".txt"),
    "parquet": (".parquet", ".pq"),
    "json": (".jsonl", ".ndjson", ".json"),
    "feather": (".feather", ".arrow", ".ipc"),
    "database": (".db", ".sqlite", ".sqlite3", ".duckdb"),
    "excel": (".xlsx", ".xlsm"),
}
UNREADABLE = (
    *(".xls", ".xlsb", ".ods", ".numbers", ".zip", ".7z", ".rar", ".tar", ".tgz", ".pdf", ".xml"),
    *(".pkl", ".pickle", ".joblib", ".sas7bdat", ".sav", ".dta", ".rds", ".rdata", ".h5", ".orc"),
    *(".avro", ".mat", ".npy", ".npz", ".html", ".docx"),
)
EXACT = 2.0**53  # from where on a float skips whole numbers
ADVICE = ("Possible", "file =", "*", "LINE ", "The search space")  # what follows is no fact


class Found(NamedTuple):
    """What was read."""

    table: pa.Table
    """Of text files all columns are texts, as they are written (docs/adr/0011)."""
    rows: int
    """How many rows there are, of which the table may hold a part."""
    notes: list[str]
    """What somebody should know of how it was read, a sentence each."""


def read(
    path: str, query: str | None, encoding: str, threads: int, limit: int | None = None
) -> Found:
    """All rows of a file, a folder or glob of files, or a query on a database.

    query: for a SQLite or DuckDB file. encoding: `utf-8`, or any other that Python knows. limit:
    about so many rows, drawn from all. Raises ValueError with one sentence on what is wrong where.
    """
    with fetched(path) as place, in_a_sentence(path, place, encoding):
        return _read(place, query, encoding, threads, limit)


class Expected(NamedTuple):
    """What somebody who knows a table may save a reader of text files, in names of `clean_names`.
    Values that are otherwise cost time, and nothing else: the file is then read as texts."""

    types: Mapping[str, pa.DataType] = MappingProxyType({})
    """Of columns that are no mere texts."""
    missing: Sequence[str] = ()
    """How missing ones of these numbers and moments are spelled."""


UNKNOWN = Expected()


def pieces(
    path: str,
    query: str | None,
    encoding: str,
    threads: int,
    rows: int,
    expected: Expected = UNKNOWN,
) -> Iterator[pa.Table]:
    """The same rows, about so many at a time, where the format allows that: text files, Parquet and
    Feather; of others all are read, and given out one after the other. Each piece has the columns
    of its own file. Raises as `read` does, though not before it is asked for the piece."""
    with fetched(path) as place, in_a_sentence(path, place, encoding):
        files, kind = files_of(place, query)
        root = root_of(place)
        for file in files:
            for table in _pieces(file, kind, query, encoding, threads, expected):
                names, _ = clean_names(table.column_names)
                whole = with_partitions(table.rename_columns(names), partitions(file, root))
                for start in range(0, max(1, len(whole)), rows):
                    yield whole.slice(start, rows)


def _pieces(
    file: str, kind: str, query: str | None, encoding: str, threads: int, expected: Expected
) -> Iterator[pa.Table]:
    if kind == "csv":
        yield from _csv_pieces(file, encoding, expected)
    elif kind in ("parquet", "feather"):
        source = dataset(file, format=kind)
        yield source.schema.empty_table()  # names the columns of a file without rows
        yield from map(pa.Table.from_batches, ([batch] for batch in source.to_batches()))
    elif kind == "database":
        yield _query(file, str(query), [])
    else:
        yield _json(file, threads, []) if kind == "json" else _excel(file, [])


@contextlib.contextmanager
def in_a_sentence(path: str, place: str, encoding: str) -> Iterator[None]:
    """What goes wrong with a file is told in one. place: where it lies on this machine."""
    try:
        yield
    except LookupError as error:  # of an encoding
        raise ValueError(f"task.encoding={encoding}: {error}") from None
    except (duckdb.Error, pa.ArrowException, sqlite3.Error, OSError) as error:
        raise ValueError(f"{path} cannot be read: {first_line(error)}") from None
    except ValueError as error:
        raise ValueError(str(error).replace(place, path)) from None


def files_of(path: str, query: str | None) -> tuple[list[str], str]:
    """(files, of which kind they are). Raises ValueError where they are of several kinds, or a
    query is missing or to no use."""
    files = find(path)
    kind = format_of(files[0])
    for file in files:
        if format_of(file) != kind:
            raise ValueError(f"{path} holds files of several kinds: {files[0]} and {file}")
    if (query is not None) != (kind == "database"):
        raise ValueError(
            f"{path} is a database: say what to read with task.query='select …'"
            if kind == "database"
            else f"task.query is for a SQLite or DuckDB file, and {path} is none"
        )
    return files, kind


def _read(path: str, query: str | None, encoding: str, threads: int, limit: int | None) -> Found:
    files, kind = files_of(path, query)
    notes: list[str] = []
    root = root_of(path)
    parts, rows = [], 0
    step = 1 if limit is None else max(1, -(-_about(files, kind) // limit))
    for file in files:
        if kind == "database":
            part, count = thinned(_query(file, str(query), notes), step)
        elif kind == "json":
            part, count = thinned(_json(file, threads, notes), step)
        elif kind == "excel":
            part, count = thinned(_excel(file, notes), step)
        elif kind == "csv":
            part, count = _csv(file, encoding, step)
        else:
            part, count = thinned(dataset(file, format=kind), step)
        rows += count
        if step == 1 and limit is not None and len(part) > 2 * limit:  # of what nobody could guess
            part, _ = thinned(part, len(part) // limit)
        names, clashes = clean_names(part.column_names)
        notes += clashes
        parts.append(with_partitions(part.rename_columns(names), partitions(file, root)))
    return Found(joined(parts, notes), rows, list(dict.fromkeys(notes)))


def _about(files: Sequence[str], kind: str) -> int:
    """How many rows there are, by the length of the first ones; 1 where nothing tells."""
    if kind == "parquet":
        return sum(pyarrow.parquet.read_metadata(file).num_rows for file in files)
    if kind == "feather":
        return sum(dataset(file, format=kind).count_rows() for file in files)
    if kind != "csv":
        return 1
    with pa.input_stream(files[0], compression="detect") as packed:
        start = packed.read(1 << 20)
    lines = max(1, start.count(b"\n"), start.count(b"\r"))
    total = sum(Path(file).stat().st_size for file in files)
    if plain(files[0]) != files[0].lower():  # packed: about a fifth of its real size
        total *= 5
    return round(max(total, len(start)) * lines / max(1, len(start)))


def thinned(source: Any, step: int) -> tuple[pa.Table, int]:
    """(about every `step`-th row of what gives batches, how many there were): drawn by chance, as
    what recurs in every second row would else be all that is seen."""
    if step == 1:
        table = source if isinstance(source, pa.Table) else _whole(source)
        return table, len(table)
    draw = np.random.default_rng(0)
    kept, rows = [], 0
    for batch in source if isinstance(source, csv.CSVStreamingReader) else source.to_batches():
        kept.append(batch.filter(pa.array(draw.random(len(batch)) * step < 1)))
        rows += len(batch)
    return pa.Table.from_batches(kept, source.schema), rows


def _whole(source: Any) -> pa.Table:
    """Block by block: reading all blocks of a text file at once takes twice the memory."""
    if isinstance(source, csv.CSVStreamingReader):
        return pa.Table.from_batches(list(source), source.schema)
    return source.to_table()


def joined(parts: Sequence[pa.Table], notes: list[str]) -> pa.Table:
    """Rows of all files. A column that one of them stores as a text is one of texts in all."""
    if len(parts) == 1:
        return parts[0]
    names = list(dict.fromkeys(name for part in parts for name in part.column_names))
    columns = {}
    for name in names:
        there = [part[name] for part in parts if name in part.column_names]
        if len(there) < len(parts):
            notes.append(
                f"{name!r} stands in {len(there)} of {len(parts)} files: missing elsewhere"
            )
        types = dict.fromkeys(values.type for values in there)
        try:
            (kind,) = types if len(types) == 1 else (common(list(types)),)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            kind = pa.string()
            notes.append(f"{name!r} is stored as {' and '.join(map(str, types))}: read as texts")
        chunks: list[pa.Array] = []
        for part in parts:
            if name in part.column_names:
                values = part[name] if part[name].type == kind else part[name].cast(kind)
                chunks += values.chunks
            else:
                chunks.append(pa.nulls(len(part), kind))
        columns[name] = pa.chunked_array(chunks, kind)
    return pa.table(columns)


def common(types: Sequence[pa.DataType]) -> pa.DataType:
    """The type that holds the values of all. Raises ArrowTypeError where there is none."""
    fields = [pa.schema([pa.field("value", kind)]) for kind in types]
    return pa.unify_schemas(fields, promote_options="permissive").field(0).type


def place_of(path: str) -> Path:
    """A path with its ~ expanded, unless something is called like that."""
    place = Path(path)
    return place if place.exists() else place.expanduser()


def root_of(path: str) -> Path | None:
    """The folder below which names of folders tell something of the rows in them."""
    place = place_of(path)
    if place.is_dir():
        return place
    if place.exists() or not has_magic(str(place)):
        return None
    fixed = list(takewhile(lambda part: not has_magic(part), place.parts))
    return Path(*fixed)


def partitions(file: str, root: Path | None) -> dict[str, str | None]:
    """What the folders of a file say of its rows, as Hive writes it: year=2024/month=01/."""
    if root is None:
        return {}
    folders = Path(file).relative_to(root).parts[:-1]
    pairs = (folder.split("=", 1) for folder in folders if "=" in folder)
    hive = "__HIVE_DEFAULT_PARTITION__"
    return {unquote(name): None if value == hive else unquote(value) for name, value in pairs}


def with_partitions(table: pa.Table, values: Mapping[str, str | None]) -> pa.Table:
    for name, value in values.items():
        if name not in table.column_names:
            column = pa.nulls(len(table), pa.string()).fill_null(value or "")
            table = table.append_column(name, column)
    return table


def find(path: str) -> list[str]:
    """The files that a path stands for. Raises ValueError if there are none, or none to be read.

    What exists is meant as it is, whatever it is called: `data[1].csv` is a file and no pattern.
    """
    try:
        files = _matching(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except RuntimeError as error:  # ~name/…
        raise ValueError(f"{path} cannot be read: {error}") from None
    for file in files:
        try:
            if not file.is_file():  # reading a pipe would wait, and only once
                raise ValueError(f"{file} is neither a file nor a folder")
            with file.open("rb") as opened:
                empty = not opened.read(1)
        except OSError as error:
            raise ValueError(f"{file} cannot be read: {error.strerror}") from None
        if empty:
            raise ValueError(f"{file} is empty")
    # DuckDB takes `~` and `name:` at the start of a name for something else.
    return [f"./{file}" if re.match(r"[~:]|\w+:", str(file)) else str(file) for file in files]


def is_hidden(file: Path, root: Path | None) -> bool:
    """Is it something that programs leave beside data (.~lock, ._x, _SUCCESS, ~$x, x.csv~)?"""
    parts = file.relative_to(root).parts if root is not None else (file.name,)
    marked = any(part.startswith((".", "_", "~$")) and "=" not in part for part in parts)
    return marked or file.name.endswith(("~", ".swp", ".tmp", ".bak", ".crc", ".part"))


def _matching(path: str) -> list[Path]:
    """What lies there: a file, those of a folder, or those that match. Raises ValueError if nothing
    does, OSError where that may not be asked, RuntimeError for a user who does not exist."""
    if not path.strip():
        raise ValueError("task.path is empty; say where the table lies")
    place = place_of(path)
    if place.is_dir():
        known = tuple(ending for endings in FORMATS.values() for ending in endings)
        files = [
            file
            for file in sorted(place.rglob("*"))
            if plain(file.name).endswith(known) and not is_hidden(file, place) and file.is_file()
        ]
        if not files:
            raise ValueError(f"{path} is a folder with nothing readable in it ({', '.join(known)})")
        return files
    if place.exists():
        return [place]
    if not has_magic(str(place)):
        raise ValueError(f"there is no file {path}")
    found = [Path(match) for match in sorted(glob(str(place), recursive=True))]  # noqa: PTH207 - pathlib takes no absolute ones
    files = [file for file in found if not file.is_dir() and not is_hidden(file, root_of(path))]
    if not files:
        what = "only folders match" if found else "no file matches"
        raise ValueError(f"{what} {path}")
    return files


def plain(name: str) -> str:
    """A file's name without what says that it is compressed."""
    return re.sub(r"\.(gz|zst)$", "", name.lower())


def format_of(file: str) -> str:
    if (ending := Path(file).suffix.lower()) in UNREADABLE:
        raise ValueError(f"{file}: {ending} files are not read; save it as CSV or Parquet")
    for kind, endings in FORMATS.items():
        if plain(file).endswith(endings):
            return kind
    return "csv"


class Layout(NamedTuple):
    """How a text file is written: every column is one of texts, as what they stand for is seen when
    all of them are there; unless somebody knows better (`expecting`)."""

    file: str
    encoding: str
    names: list[str]
    options: dict[str, Any]
    """For Arrow's readers of CSV."""

    @classmethod
    def of(cls, file: str, encoding: str) -> "Layout":
        with pa.input_stream(file, compression="detect") as packed:
            head = packed.read(1 << 20)
            while not re.search(rb"[\r\n]", head) and (more := packed.read(1 << 20)):
                head += more
            head += packed.read(1 << 20)
        if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            encoding = "utf-16"
        text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
        delimiter, header = dialect(text, file)
        places = [str(place) for place in range(len(header))]
        kept = [place for place, name in zip(places, header, strict=True) if name is not None]
        options = {
            "read_options": csv.ReadOptions(
                column_names=places,
                skip_rows_after_names=1,
                encoding=encoding,
                block_size=max(8 << 20, 2 * len(head)),
            ),
            "parse_options": csv.ParseOptions(
                delimiter=delimiter, ignore_empty_lines=len(places) > 1
            ),
            "convert_options": csv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.string()), include_columns=kept
            ),
        }
        return cls(file, encoding, [name for name in header if name is not None], options)

    def expecting(self, expected: Expected) -> None:
        """Let Arrow read numbers as such, and texts that stand often once."""
        options = self.options["convert_options"]
        names, _ = clean_names(self.names)
        places = zip(options.include_columns, names, strict=True)
        types = {place: expected.types.get(name, pa.string()) for place, name in places}
        options.column_types, options.null_values = types, list(expected.missing)

    def expects(self) -> bool:
        return any(
            kind != pa.string() for kind in self.options["convert_options"].column_types.values()
        )

    def as_texts(self) -> None:
        options = self.options["convert_options"]
        options.column_types = dict.fromkeys(options.column_types, pa.string())

    def refuse(self, error: Exception) -> None:
        """Raise ValueError with a sentence on what Arrow says; but first, once, let values have
        line breaks in them, which takes longer to read."""
        if isinstance(error, UnicodeDecodeError):
            raise ValueError(f"{self.file} is not {self.encoding}: {error.reason}") from None
        if "UTF8" in str(error):
            raise ValueError(
                f"{self.file} is not utf-8 in line {_undecodable(self.file)}; say what it is, such "
                "as task.encoding=latin-1"
            ) from None
        if self.options["parse_options"].newlines_in_values:
            raise ValueError(
                f"{self.file} cannot be read: {_ragged(self.file, self.options, error)}"
            ) from None
        self.options["parse_options"].newlines_in_values = True


def _csv(file: str, encoding: str, step: int) -> tuple[pa.Table, int]:
    """A text file with one header."""
    layout = Layout.of(file, encoding)
    while True:
        try:
            with csv.open_csv(file, **layout.options) as reader:
                table, rows = thinned(reader, step)
            return table.rename_columns(layout.names), rows
        except (UnicodeDecodeError, pa.ArrowInvalid) as error:
            layout.refuse(error)


def _csv_pieces(file: str, encoding: str, expected: Expected) -> Iterator[pa.Table]:
    """The same, block by block."""
    layout, given = Layout.of(file, encoding), 0
    layout.expecting(expected)
    while True:
        seen = 0
        try:
            with csv.open_csv(file, **layout.options) as reader:
                for batch in reader:
                    refuse_inexact(batch)
                    new = batch.slice(min(len(batch), max(0, given - seen)))
                    seen += len(batch)
                    if len(new) or not given:
                        yield pa.Table.from_batches([new]).rename_columns(layout.names)
                    given = max(given, seen)
            return
        except (UnicodeDecodeError, pa.ArrowInvalid) as error:
            if layout.expects():  # once more, and then the texts themselves say what is wrong
                layout.as_texts()
            else:
                layout.refuse(error)


def refuse_inexact(batch: pa.RecordBatch) -> None:
    """Raise ArrowInvalid for numbers that may have lost digits."""
    for values in batch.columns:
        if pa.types.is_floating(values.type):
            ends = pc.min_max(values)
            if max(abs(ends["min"].as_py() or 0), abs(ends["max"].as_py() or 0)) >= EXACT:
                raise pa.ArrowInvalid("too many digits")


def dialect(text: str, file: str) -> tuple[str, list[str | None]]:
    """(delimiter, names in the header; None for what a delimiter at the end of every line makes
    look like a column): the delimiter that gives the first lines most columns, the same number in
    nearly all of them."""
    best: tuple[bool, int, str, list[list[str]]] = (False, 0, ",", [])
    end = max(text.rfind("\n"), text.rfind("\r"))
    whole = text[: end + 1] or text  # the last line may be cut
    for delimiter in ",;\t|":
        try:
            rows = list(islice(reader_of(io.StringIO(whole, newline=""), delimiter=delimiter), 100))
        except Error:
            continue
        rows = [rows[0], *filter(None, rows[1:])] if rows else []
        if rows and rows[0]:
            lengths = Counter(map(len, rows[1:] or rows))
            usual, often = lengths.most_common(1)[0]
            near = abs(usual - len(rows[0])) <= 1
            alike = near and often >= 0.9 * lengths.total()
            best = max(best, (alike, len(rows[0]), delimiter, rows))
    _, _, delimiter, rows = best
    if not rows:
        raise ValueError(f"{file} has no header")
    header: list[str | None] = [*rows[0]]
    usual = Counter(map(len, rows[1:] or rows)).most_common(1)[0][0] if best[0] else len(header)
    if usual == len(header) + 1:
        ends_empty = all(not row[-1] for row in rows[1:] if len(row) == usual)
        header = [*header, None] if ends_empty else ["", *header]  # else names of the rows, as R
    elif usual == len(header) - 1 and not header[-1]:
        header = header[:-1]
    elif len(header) > 1 and not header[-1] and all(not row[-1] for row in rows if row):
        header[-1] = None
    return delimiter, header


def _ragged(file: str, options: dict[str, Any], error: Exception) -> str:
    """Which line has another number of columns, which only a reading in order can tell."""
    found: list[str] = []

    def note(row: csv.InvalidRow) -> str:
        if not found and row.number is not None:
            found.append(
                f"line {row.number} has {row.actual_columns} columns, not {row.expected_columns}"
            )
        return "error"

    options["read_options"].use_threads = False
    options["parse_options"].invalid_row_handler = note
    with contextlib.suppress(pa.ArrowInvalid):
        csv.read_csv(file, **options)
    return found[0] if found else first_line(error)


def _undecodable(file: str) -> int:
    with pa.input_stream(file, compression="detect") as packed:
        for number, line in enumerate(io.BufferedReader(packed), 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 0


def _query(file: str, query: str, notes: list[str]) -> pa.Table:
    """Rows of a query, read-only: whatever it says, nothing in the file changes."""
    with Path(file).open("rb") as opened:
        is_sqlite = opened.read(16).startswith(b"SQLite format 3")
    place = Path(file).absolute()  # a name such as `md:x` or `:memory:` would mean something else
    if not is_sqlite:
        with duckdb.connect() as database:
            name = str(place).replace("'", "''")
            database.execute(f"ATTACH '{name}' AS file (READ_ONLY); USE file")
            # From here on, no other file is read or written, and nothing turns that back.
            database.execute("SET enable_external_access = false; SET lock_configuration = true")
            return database.sql(query).to_arrow_table()
    with contextlib.closing(sqlite3.connect(f"{place.as_uri()}?mode=ro", uri=True)) as opened_file:
        opened_file.execute("PRAGMA query_only = ON")
        opened_file.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # nor is another file written
        rows = opened_file.execute(query)
        if rows.description is None:
            raise ValueError(f"task.query returns no rows: {query}")
        names = [column[0] for column in rows.description]
        found = rows.fetchall()
    columns = zip(*found, strict=True) if found else ((),) * len(names)
    arrays = [array_of(name, values, notes) for name, values in zip(names, columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=names)


def array_of(name: str, values: Sequence[Any], notes: list[str]) -> pa.Array:
    """Values of any kind; texts where they are of several kinds, as SQLite and Excel allow."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        notes.append(f"{name!r} holds numbers and texts: read as texts, so that 1 and '1' are one")
        return pa.array([None if v is None or v != v else str(v) for v in values])


def _json(file: str, threads: int, notes: list[str]) -> pa.Table:
    """JSON lines, or a list of objects; every value as a text, as it is written. The names of keys
    stay apart where they differ in case alone, which columns of DuckDB would not."""
    source = "(select json from read_json_objects($file))"
    with duckdb.connect(config={"threads": threads}) as connection:

        def ask(query: str, **values: Any) -> pa.Table:
            # What DuckDB takes for a pattern is a name by now.
            params = {"file": escape(file), **values}
            return connection.sql(query, params=params).to_arrow_table()

        first = ask(f"select json_keys(json) as k from {source} limit 1")["k"].to_pylist()  # noqa: S608
        if not first or first[0] is None:
            raise ValueError(f"{file} holds no JSON objects")
        every = ask(f"select distinct unnest(json_keys(json)) as k from {source}")["k"].to_pylist()  # noqa: S608
        names = list(dict.fromkeys([*first[0], *sorted(every)]))
        paths = ["/" + name.replace("~", "~0").replace("/", "~1") for name in names]
        both = ask(
            f"select json_extract_string(json, $paths) as v, json_type(json, $paths) as t "  # noqa: S608
            f"from {source}",
            paths=paths,
        )
    columns = []
    values, types = (both[name].combine_chunks() for name in ("v", "t"))
    for place, name in enumerate(names):
        columns.append(pc.list_element(values, place))
        kinds = {kind for kind in pc.list_element(types, place).unique().to_pylist() if kind}
        if "VARCHAR" in kinds and kinds & {"BIGINT", "UBIGINT", "DOUBLE", "HUGEINT"}:
            notes.append(f'{name!r} holds numbers and texts: 1 and "1" are taken for one')
    return pa.Table.from_arrays(columns, names=names)


def _excel(file: str, notes: list[str]) -> pa.Table:
    """The first sheet of a workbook."""
    # Here, as hardly any table is one.
    import pandas as pd

    try:
        sheets = pd.read_excel(file, sheet_name=None, dtype=object, keep_default_na=False)
    except ImportError as error:
        raise ValueError(
            f"{file} needs pip install 'model-eras[excel]', or save it as CSV ({error})"
        ) from None
    except (ValueError, KeyError, BadZipFile) as error:
        raise ValueError(f"{file} cannot be read: {first_line(error)}") from None
    name, frame = next(iter(sheets.items()))
    if len(sheets) > 1:
        notes.append(f"of {len(sheets)} sheets the first, {name!r}, is read")
    names = ["" if str(n).startswith("Unnamed: ") else str(n) for n in frame.columns]
    arrays = [
        array_of(n, [None if v == "" else v for v in frame.iloc[:, k]], notes)
        for k, n in enumerate(names)
    ]
    return pa.Table.from_arrays(arrays, names=names)


def clean(name: str) -> str:
    """A name without blanks around it, in one form of Unicode."""
    return unicodedata.normalize("NFC", name).strip()


def clean_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """(clean names of which none stands twice and none is empty, what to say of them)"""
    plain_names = [clean(name) or f"column{place}" for place, name in enumerate(names)]
    every, found, notes = set(plain_names), dict[str, None](), []
    for name in plain_names:
        own, count = name, 1
        while own in found or (count > 1 and own in every):
            own, count = f"{name}_{count}", count + 1
        if own != name:
            notes.append(f"several columns are called {name!r}: one of them is {own!r} here")
        found[own] = None
    seen: dict[str, str] = {}
    for own in found:
        if (other := seen.setdefault(own.casefold(), own)) != own:
            notes.append(f"{other!r} and {own!r} are two columns")
    return list(found), notes


def first_line(error: BaseException) -> str:
    """What a reader says is wrong, without its advice and its settings."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    end = next((k for k, line in enumerate(lines) if line.startswith(ADVICE)), len(lines))
    kept = [line for line in lines[:end] if not line.startswith("Original Line")][:3]
    text = " ".join(kept or lines[:1])
    return re.sub(r"^(\w+ )?(Error|Input Error): ", "", text)[:300]
