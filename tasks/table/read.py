"""A file of any common form into an Arrow table, and a clear sentence where that cannot be.

DuckDB reads CSV, Parquet and JSON lines, PyArrow Feather and other encodings than UTF-8, the
standard library SQLite. Nothing in a file is ever executed, and nothing is unpickled.
"""

import codecs
import contextlib
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from glob import glob, has_magic
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

MISSING = ("", "NA", "N/A", "n/a", "na", "NaN", "nan", "NULL", "Null", "null", "None", "none", "?",
           "-", "--", ".", "#N/A", "<NA>", "missing")  # fmt: skip
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
        if kind == "feather":
            parts = [pa.feather.read_table(file) for file in files]
            table = pa.concat_tables(parts, promote_options="default")
            return table if limit is None else table.slice(0, limit)
        with duckdb.connect(config={"threads": threads}) as connection:
            if kind == "csv":
                return _csv(connection, files, encoding, limit)
            function = {"parquet": "read_parquet", "json": "read_json_auto"}[kind]
            tail = f" limit {limit}" if limit is not None else ""
            query = f"select * from {function}($files, union_by_name = true){tail}"  # noqa: S608
            return connection.sql(query, params={"files": files}).to_arrow_table()
    except LookupError as error:  # of an encoding
        raise ValueError(f"task.encoding={encoding}: {error}") from None
    except (duckdb.Error, pa.ArrowException, sqlite3.Error, OSError) as error:
        if "unicode" in str(error):
            line = re.search(r"Line: (\d+)", str(error))
            where = f" in line {line[1]}" if line else ""
            raise ValueError(
                f"{path} is not utf-8{where}; say what it is, such as task.encoding=latin-1"
            ) from None
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


def _csv(
    connection: duckdb.DuckDBPyConnection, files: list[str], encoding: str, limit: int | None
) -> pa.Table:
    with contextlib.ExitStack() as stack:
        if codecs.lookup(encoding).name != "utf-8" or _is_utf16(files):
            files = [stack.enter_context(_as_utf8(file, encoding)) for file in files]
        # What the lines look like is told by the readable ones; then every line has to look so.
        dialect = connection.execute(
            "select Delimiter, Quote, Escape, NewLineDelimiter, SkipRows, Columns from "
            "sniff_csv(?, ignore_errors = true, header = true, nullstr = ?)",
            [files[0], list(MISSING)],
        ).fetchall()
        delimiter, quote, escape, _, skip, columns = dialect[0]
        # Yes and no are to stay words, as they may be the names of classes.
        types = {column["name"]: column["type"].replace("BOOLEAN", "VARCHAR") for column in columns}
        for _ in range(len(types) + 1):
            try:
                return _typed(connection, files, delimiter, quote, escape, skip, types, limit)
            except duckdb.ConversionException as error:
                # A later row holds what the first ones did not: the column is one of texts.
                found = re.search(r'converting column "(.*?)"\. ', str(error), re.S)
                if found is None or types.get(found[1]) == "VARCHAR":
                    raise
                types[found[1]] = "VARCHAR"
        raise AssertionError("every column is text by now")


def _typed(
    connection: duckdb.DuckDBPyConnection, files: list[str], delimiter: str, quote: str,
    escape: str, skip: int, types: dict[str, str], limit: int | None,
) -> pa.Table:  # fmt: skip
    no = "(empty)"
    options: dict[str, Any] = {
        "delim": delimiter if delimiter != no else ",",
        "quote": "" if quote == no else quote,
        "escape": "" if escape == no else escape,
        "skip": skip, "header": True, "auto_detect": False, "columns": types,
        "nullstr": list(MISSING), "strict_mode": True,
    }  # fmt: skip
    given = ", ".join(f"{name} = ${name}" for name in options)
    tail = f" limit {limit}" if limit is not None else ""
    query = f"select * from read_csv($files, {given}){tail}"  # noqa: S608 - names are our own
    return connection.sql(query, params={"files": files, **options}).to_arrow_table()


def _is_utf16(files: list[str]) -> bool:
    if any(REMOTE.match(file) for file in files):
        return False
    with Path(files[0]).open("rb") as opened:
        return opened.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@contextlib.contextmanager
def _as_utf8(file: str, encoding: str) -> Iterator[str]:
    """A copy of a text file in UTF-8, unpacked."""
    encoding = "utf-16" if _is_utf16([file]) else encoding
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as copy:
        try:
            with pa.input_stream(file, compression="detect") as packed:
                reader = codecs.getreader(encoding)(packed)
                while text := reader.read(1 << 20):
                    copy.write(text)
        except UnicodeDecodeError as error:
            raise ValueError(f"{file} is not {encoding}: {error.reason}") from None
        copy.flush()
        yield copy.name


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
