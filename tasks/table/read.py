"""A file of any common form into an Arrow table, and a clear sentence where that cannot be.

PyArrow reads CSV, Parquet and Feather, DuckDB JSON lines and what lies elsewhere, the standard
library SQLite. Nothing in a file is ever executed, and nothing is unpickled.
"""

import codecs
import contextlib
import io
import re
import sqlite3
from csv import Error
from csv import reader as reader_of
from glob import glob, has_magic
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet
from pyarrow import csv
from pyarrow.dataset import dataset

MISSING = (
    "",
    "NA",
    "N/A",
    "n/a",
    "na",
    "NaN",
    "nan",
    "NULL",
    "Null",
    "null",
    "None",
    "none",
    "?",
    "-",
    "--",
    ".",
    "#N/A",
    "<NA>",
    "missing",
)
"""Spellings of a missing value."""

FORMATS = {
    "csv": (".csv", ".tsv", ".txt"),
    "parquet": (".parquet", ".pq"),
    "json": (".jsonl", ".ndjson", ".json"),
    "feather": (".feather", ".arrow", ".ipc"),
    "database": (".db", ".sqlite", ".sqlite3", ".duckdb"),
}
ADVICE = ("Possible", "file =", "*", "LINE ", "The search space")  # what follows is no fact
REMOTE = re.compile(r"^[a-z0-9]+://", re.I)


def read(
    path: str, query: str | None, encoding: str, threads: int, limit: int | None = None
) -> pa.Table:
    """All rows of a file, a folder or glob of files, or a query on a database.

    query: for a SQLite or DuckDB file. encoding: `utf-8`, or any other that Python knows. limit:
    only the first so many rows. Raises ValueError with one sentence on what is wrong where.
    """
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
    try:
        if kind == "database":
            return _query(files[0], str(query), limit)
        if any(REMOTE.match(file) for file in files):
            return _remote(files, kind, threads, limit)
        if kind == "json":
            return _duckdb("read_json_auto", files, threads, limit)
        if kind == "csv":
            parts = [_csv(file, encoding, limit) for file in files]
            table = pa.concat_tables(parts, promote_options="permissive")
        else:
            table = (
                dataset(files, format=kind).to_table()
                if limit is None
                else dataset(files, format=kind).head(limit)
            )
        return table.rename_columns(unique(table.column_names))
    except LookupError as error:  # of an encoding
        raise ValueError(f"task.encoding={encoding}: {error}") from None
    except (duckdb.Error, pa.ArrowException, sqlite3.Error, OSError) as error:
        raise ValueError(f"{path} cannot be read: {first_line(error)}") from None


def size(path: str, seen: int, limit: int) -> tuple[int, bool]:
    """(rows of a file of which the first `limit` were read and `seen` were there, is it exact?)

    Parquet knows; of a text file the first rows tell how long a row is.
    """
    if seen < limit:
        return seen, True
    files = find(path)
    kind = format_of(files[0])
    if kind == "parquet":
        return sum(pyarrow.parquet.read_metadata(file).num_rows for file in files), True
    if kind not in ("csv", "json") or REMOTE.match(files[0]):
        return seen, False
    with pa.input_stream(files[0], compression="detect") as packed:
        start = packed.read(1 << 22)
    rows = max(1, start.count(b"\n"))
    if len(start) < 1 << 22 and len(files) == 1:  # all of it, with a header
        return rows - (kind == "csv"), False
    total = sum(Path(file).stat().st_size for file in files)
    if plain(files[0]) != files[0].lower():  # packed: about a fifth of its real size
        total *= 5
    return round(total * rows / len(start)), False


def find(path: str) -> list[str]:
    """The files that a path stands for. Raises ValueError if there are none, or none to be read."""
    if REMOTE.match(path):
        return [path]
    place = Path(path).expanduser()
    if place.is_dir():
        known = tuple(ending for endings in FORMATS.values() for ending in endings)
        files = [file for file in sorted(place.rglob("*")) if plain(file.name).endswith(known)]
        if not files:
            raise ValueError(f"{path} is a folder with nothing readable in it ({', '.join(known)})")
    elif place.exists():
        files = [place]
    elif has_magic(path):
        files = [Path(found) for found in sorted(glob(str(place), recursive=True))]  # noqa: PTH207
        if not files:
            raise ValueError(f"no file matches {path}")
    else:
        raise ValueError(f"there is no file {path}")
    for file in files:
        try:
            with file.open("rb") as opened:
                empty = not opened.read(1)
        except OSError as error:
            raise ValueError(f"{file} cannot be read: {error.strerror}") from None
        if empty:
            raise ValueError(f"{file} is empty")
    return [str(file) for file in files]


def plain(name: str) -> str:
    """A file's name without what says that it is compressed."""
    return re.sub(r"\.(gz|zst)$", "", name.lower())


def format_of(file: str) -> str:
    for kind, endings in FORMATS.items():
        if plain(file.partition("?")[0]).endswith(endings):
            return kind
    return "csv"


def _remote(files: list[str], kind: str, threads: int, limit: int | None) -> pa.Table:
    functions = {"csv": "read_csv_auto", "parquet": "read_parquet", "json": "read_json_auto"}
    if kind not in functions:
        raise ValueError(f"{files[0]}: only CSV, Parquet and JSON lines can be read from elsewhere")
    return _duckdb(functions[kind], files, threads, limit)


def _duckdb(function: str, files: list[str], threads: int, limit: int | None) -> pa.Table:
    with duckdb.connect(config={"threads": threads}) as connection:
        tail = f" limit {limit}" if limit is not None else ""
        query = f"select * from {function}($files, union_by_name = true){tail}"  # noqa: S608
        return connection.sql(query, params={"files": files}).to_arrow_table()


def _csv(file: str, encoding: str, limit: int | None) -> pa.Table:
    """A text file with one header. Columns are numbers or moments only if all their values are."""
    with pa.input_stream(file, compression="detect") as packed:
        head = packed.read(1 << 20)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "utf-16"
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    delimiter, header = dialect(text, file)
    names = unique(header)
    types: dict[str, pa.DataType] = {}
    newlines = False
    while True:
        options = {
            "read_options": csv.ReadOptions(
                column_names=names, skip_rows_after_names=1, encoding=encoding, block_size=8 << 20
            ),
            "parse_options": csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=newlines, ignore_empty_lines=len(names) > 1
            ),
            "convert_options": csv.ConvertOptions(
                null_values=MISSING,
                strings_can_be_null=True,
                column_types=types,
                # Yes and no are to stay words, as they may be the names of classes.
                true_values=[],
                false_values=[],
            ),
        }
        try:
            found = _first_rows(file, options, limit)
            break
        except UnicodeDecodeError as error:
            raise ValueError(f"{file} is not {encoding}: {error.reason}") from None
        except pa.ArrowInvalid as error:
            # A later row may hold what the first ones did not: the column is one of texts.
            column = re.search(r"In CSV column #(\d+)", str(error))
            if column is not None and names[int(column[1])] not in types:
                types[names[int(column[1])]] = pa.string()
            elif not newlines:
                newlines = True
            else:
                raise ValueError(
                    f"{file} cannot be read: {_ragged(file, options, error)}"
                ) from None
    for field in found.schema:
        if pa.types.is_binary(field.type):
            raise ValueError(
                f"{file} is not utf-8 in line {_undecodable(file)}; say what it is, such as "
                "task.encoding=latin-1"
            )
    return found


def _first_rows(file: str, options: dict[str, Any], limit: int | None) -> pa.Table:
    """Block by block: reading all blocks at once takes half the time and twice the memory."""
    batches, rows = [], 0
    with csv.open_csv(file, **options) as reader:
        for batch in reader:
            batches.append(batch)
            rows += batch.num_rows
            if limit is not None and rows >= limit:
                break
        return pa.Table.from_batches(batches, reader.schema).slice(0, limit)


def dialect(text: str, file: str) -> tuple[str, list[str]]:
    """(delimiter, names in the header): the delimiter that gives the first lines most columns, the
    same number in nearly all of them."""
    best: tuple[bool, int, str, list[str]] = (False, 0, ",", [])
    whole = text[: text.rfind("\n") + 1] or text  # the last line may be cut
    for delimiter in ",;\t|":
        try:
            rows = list(islice(reader_of(io.StringIO(whole), delimiter=delimiter), 100))
        except Error:
            continue
        if rows and rows[0]:
            alike = sum(len(row) == len(rows[0]) for row in rows) >= 0.9 * len(rows)
            best = max(best, (alike, len(rows[0]), delimiter, rows[0]))
    if not best[3]:
        raise ValueError(f"{file} has no header")
    return best[2], best[3]


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


def _query(file: str, query: str, limit: int | None) -> pa.Table:
    """Rows of a query, read-only: whatever it says, nothing in the file changes."""
    with Path(file).open("rb") as opened:
        is_sqlite = opened.read(16).startswith(b"SQLite format 3")
    if not is_sqlite:
        config: Any = {"enable_external_access": "false"}
        with duckdb.connect(file, read_only=True, config=config) as database:
            relation = database.sql(query)
            return (relation if limit is None else relation.limit(limit)).to_arrow_table()
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened_file:
        rows = opened_file.execute(query)
        if rows.description is None:
            raise ValueError(f"task.query returns no rows: {query}")
        names = [column[0] for column in rows.description]
        found = rows.fetchall() if limit is None else rows.fetchmany(limit)
    columns: list[Any] = []
    for values in zip(*found, strict=True) if found else ((),) * len(names):
        try:
            columns.append(pa.array(values, from_pandas=True))
        except pa.ArrowInvalid:  # SQLite lets a column hold values of several types
            columns.append(pa.array([None if v is None else str(v) for v in values]))
    return pa.table(columns, names=unique(names))


def unique(names: list[str]) -> list[str]:
    """Names of which none stands twice and none is empty."""
    found: list[str] = []
    for place, name in enumerate(names):
        name, base, count = name or f"column{place}", name or f"column{place}", 1
        while name in found:
            name, count = f"{base}_{count}", count + 1
        found.append(name)
    return found


def first_line(error: BaseException) -> str:
    """What a reader says is wrong, without its advice and its settings."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    end = next((k for k, line in enumerate(lines) if line.startswith(ADVICE)), len(lines))
    kept = [line for line in lines[:end] if not line.startswith("Original Line")][:3]
    text = " ".join(kept or lines[:1])
    return re.sub(r"^(\w+ )?(Error|Input Error): ", "", text)[:300]
