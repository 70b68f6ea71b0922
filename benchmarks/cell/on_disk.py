"""A view in SQL made from files of any size, by an engine that never holds them whole.

DuckDB keeps a limit of memory: what does not fit goes to disk. Windows over all rows would go there
several times; so where the tables can be cut (by user, say), the query is asked once for each part,
and what all parts read, the TABLEs of its text, is made once. Spark cuts by itself.
"""

import re
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psutil

from benchmarks.cell import jobs, views
from benchmarks.cell.clock import Clock
from benchmarks.cell.jobs import Refused
from benchmarks.cell.prepared import task_of
from benchmarks.cell.protocols import offered
from benchmarks.records.files import leaving
from tasks import engines

LOOK_SECONDS = 0.2


def main(job: Mapping[str, Any], folder: Path) -> None:
    """job: a `task` with its `view`, a `source` with its tables, `into`, a folder; columns of the
    tables that are kept `beside`; an `engine`, `memory` in MB or None, and how many `parts`."""
    jobs.end(lambda: made(job), folder)


@dataclass(frozen=True)
class Work:
    """What is to be made."""

    text: engines.Text
    tables: Mapping[str, Path]
    key: str
    beside: tuple[str, ...]
    cut_by: str | None
    into: Path
    memory: int | None
    """MB"""

    def query(self, columns: Mapping[str, Iterable[str]]) -> str:
        """The text's query, with the columns beside. columns: of each table. Raises Refused."""
        if not self.beside:
            return self.text.query
        wanted = {self.key, *self.beside}
        having = [name for name, there in columns.items() if wanted <= {*there}]
        if not having:
            raise Refused(f"no table has {', '.join(sorted(wanted))}")
        kept = ", ".join(f"given.{name}" for name in self.beside)
        return (
            f"SELECT made.*, {kept} FROM (\n{self.text.query}\n) AS made "
            f"JOIN {having[0]} AS given ON made.{self.key} = given.{self.key} "
            f"ORDER BY made.{self.key}"
        )


def made(job: Mapping[str, Any]) -> dict[str, Any]:
    """Write part-00000.parquet and so on; how many rows and columns they have, the phases, and the
    bytes of memory and disk that it took at most."""
    task, clock = task_of({**job, "seed": 0}), Clock()
    key, cut_by = offered(task, "key"), offered(task, "cut_by")
    work = Work(
        text_of(task, job["view"]),
        tables_in(Path(job["source"])),
        key,
        tuple(dict.fromkeys(name for name in job["beside"] if name != key)),
        cut_by,
        Path(job["into"]),
        job["memory"],
    )
    if key is None:
        raise Refused(f"the task {job['task_name']} does not say which row is which (`key`)")
    if job["parts"] > 1 and cut_by is None:
        raise Refused(f"the task {job['task_name']} does not say how it can be cut (`cut_by`)")
    try:
        with (
            leaving(),
            tempfile.TemporaryDirectory(prefix=".", dir=work.into.parent) as scratch,
            _watched(Path(scratch)) as most,
        ):
            if job["engine"] == "duckdb":
                by_duckdb(work, job["parts"], job["threads"], Path(scratch), clock)
            else:
                by_spark(work, job["engine"], job["threads"], clock)
    except (duckdb.Error, ValueError) as error:
        raise Refused(" ".join(str(error).split())[:300]) from None
    with duckdb.connect() as connection:
        rows = connection.read_parquet(f"{work.into}/*.parquet")
        ((count,),) = rows.aggregate("count(*)").fetchall()
        columns = len(rows.columns) - len(work.beside) - 1
    return {"rows": count, "columns": columns, "phases": clock.phases, **most}


def text_of(task: Any, view: str) -> engines.Text:
    """Raises Refused for a view that is no file of SQL."""
    folder = views.folder_of(task)
    file = None if folder is None else folder / f"{view}.sql"
    if file is None or not view.isidentifier() or not file.is_file():
        raise Refused(f"this task has no view {view!r} in SQL")
    return engines.read(file.read_text("utf-8"))


def tables_in(folder: Path) -> dict[str, Path]:
    """Name -> NAME.parquet, or a folder NAME of such files. Raises Refused."""
    found = {
        entry.stem: entry
        for entry in sorted(folder.iterdir())
        if entry.suffix == ".parquet" or (entry.is_dir() and any(entry.glob("*.parquet")))
    }
    if not found:
        raise Refused(f"{folder} has no table: NAME.parquet, or a folder NAME of such files")
    for name in found:
        if re.fullmatch(r"[A-Za-z_]\w{0,99}", name) is None:
            raise Refused(f"{folder / name} cannot be the name of a table")
    return found


def by_duckdb(work: Work, parts: int, threads: int, scratch: Path, clock: Clock) -> None:
    limit: dict[str, Any] = {} if work.memory is None else {"memory_limit": f"{work.memory}MB"}
    config = {"threads": threads, "temp_directory": str(scratch / "spill"), **limit}
    # On disk: what all parts read is a table there, and no part of the memory.
    with duckdb.connect(str(scratch / "made.duckdb"), config=config) as connection:
        given = {name: _parquet(path) for name, path in work.tables.items()}
        columns = {name: connection.sql(f"FROM {rows}").columns for name, rows in given.items()}
        cut = [name for name, there in columns.items() if parts > 1 and work.cut_by in there]
        with clock.phase("cut"):
            for name in cut:
                connection.execute(
                    f"COPY (SELECT *, hash({work.cut_by}) % {parts} AS part FROM {given[name]}) "
                    f"TO {_quoted(scratch / name)} (FORMAT parquet, PARTITION_BY (part))"
                )
        _name(connection, given)
        with clock.phase("for all"):
            for step in work.text.steps:
                connection.execute(f"CREATE {step.kind} {step.name} AS {step.query}")
        query = work.query(columns)
        with clock.phase("rows"):
            for part in range(parts):
                if parts > 1:
                    _name(connection, {n: _parquet(scratch / n / f"part={part}") for n in cut})
                    for step in work.text.steps:
                        if step.kind == "VIEW":
                            connection.execute(
                                f"CREATE OR REPLACE VIEW {step.name} AS {step.query}"
                            )
                file = work.into / f"part-{part:05}.parquet"
                connection.execute(f"COPY (\n{query}\n) TO {_quoted(file)} (FORMAT parquet)")


def _name(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str]) -> None:
    """Views of these tables, with each moment as seconds beside."""
    for name, rows in tables.items():
        found = connection.sql(f"FROM {rows}")
        seconds = [
            f', CAST(floor(epoch("{column}")) AS BIGINT) AS "{column}_second"'
            for column, kind in zip(found.columns, found.types, strict=True)
            if str(kind).startswith(("TIMESTAMP", "DATE"))
            if f"{column}_second" not in found.columns
        ]
        connection.execute(
            f"CREATE OR REPLACE VIEW {name} AS SELECT *{''.join(seconds)} FROM {rows}"
        )


def _parquet(path: Path) -> str:
    files = path if path.is_file() else path / "*.parquet"
    return f"read_parquet({_quoted(files)}, hive_partitioning = false)"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def by_spark(work: Work, engine: str, threads: int, clock: Clock) -> None:
    memory = {} if work.memory is None else {"spark.driver.memory": f"{work.memory}m"}
    with ExitStack() as ends:
        with clock.phase("start"):
            session = ends.enter_context(engines.spark(engine, threads, **memory))
        ends.enter_context(engines.in_one_sentence(engine))
        columns = {}
        for name, path in work.tables.items():
            rows = session.read.parquet(str(path))
            columns[name] = rows.columns
            seconds = [
                f"unix_seconds(CAST(`{column}` AS TIMESTAMP)) AS `{column}_second`"
                for column, kind in rows.dtypes
                if kind.startswith(("timestamp", "date"))
                if f"{column}_second" not in rows.columns
            ]
            rows.selectExpr("*", *seconds).createOrReplaceTempView(name)
        text = work.text._replace(query=work.query(columns))
        with clock.phase("rows"):
            engines.ran(session, text).write.parquet(str(work.into / "rows"))
    for number, file in enumerate(sorted((work.into / "rows").glob("*.parquet"))):
        file.rename(work.into / f"part-{number:05}.parquet")
    shutil.rmtree(work.into / "rows")


@contextmanager
def _watched(folder: Path) -> Iterator[dict[str, int]]:
    """The most `memory` that this process took with all that it started, and the most `disk` that
    there was in the folder: bytes, looked at five times a second."""
    most, end = {"memory": 0, "disk": 0}, threading.Event()

    def look() -> None:
        me = psutil.Process()
        while not end.wait(LOOK_SECONDS):
            memory = disk = 0
            for process in (me, *me.children(recursive=True)):
                with suppress(psutil.Error):
                    memory += process.memory_info().rss
            for file in folder.rglob("*"):
                with suppress(OSError):  # it comes and goes
                    disk += file.stat().st_size
            most["memory"], most["disk"] = max(most["memory"], memory), max(most["disk"], disk)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        end.set()
        watcher.join()
