"""SQL over a task's tables, by one of several engines that read the same text (docs/engines.md).

`duckdb` runs in this process; `spark` is a Spark of this machine, `spark://HOST:PORT` the master of
a cluster, and `sc://HOST:PORT` a server that speaks Spark Connect, such as Sail.

A text is a query, and before it what the query reads: `CREATE TEMPORARY VIEW name AS …;`, or TABLE
for what is made once, over all rows, even where the query is asked part by part. It sees the task's
tables, in which every moment `x` stands as `x_second` as well, whole seconds since 1970: of moments
themselves each engine has ideas of its own. Nothing but these tables is read, and nothing is
written: the text may be somebody else's.
"""

import re
import socket
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CONNECT_SECONDS = 10.0

_PART = re.compile(
    r"""--[^\r\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | ;
    | [^-/'"`;]+ | .""",
    re.VERBOSE | re.DOTALL,
)
_STEP = re.compile(r"create\s+temporary\s+(view|table)\s+([a-z_]\w*)\s+as\b(.*)", re.I | re.S)
# What runs programs on Spark, and is none of a query's business: methods of Java, by their name or
# by one that is put together, and scripts, which a text behind USING names. Then files as tables.
_PROGRAMS = re.compile(
    r"\b(reflect|try_reflect|java_method)\b|\bidentifier\s*\(|\busing\s*['\"]", re.I
)
_ELSEWHERE = re.compile(r"`[^`]*[/:\\][^`]*`")


class Step(NamedTuple):
    """What the query, and later steps, read."""

    kind: str
    """`VIEW`, or `TABLE`: made once"""
    name: str
    query: str


class Text(NamedTuple):
    """What an engine runs."""

    steps: Sequence[Step]
    query: str


def read(sql: str) -> Text:
    """Take a text apart. Raises ValueError with one sentence for more than views and a query."""
    statements, codes = [""], [""]  # as written, and without comments and what texts say
    for part in _PART.findall(sql):
        if part == ";":
            statements.append("")
            codes.append("")
            continue
        statements[-1] += part
        if not part.startswith(("--", "/*")):
            codes[-1] += part[0] * 2 if part[0] in "'\"" else part
    whole = [s for s, code in zip(statements, codes, strict=True) if code.strip()]
    if "${" in sql:  # Spark would put in what the environment has
        raise ValueError("a query reads the tables it is given, and this has '${'")
    for code in codes:
        if found := _PROGRAMS.search(code) or _ELSEWHERE.search(code):
            raise ValueError(f"a query reads the tables it is given, and this has {found[0]!r}")
    steps = []
    for statement in whole[:-1]:
        bare = re.sub(r"--[^\r\n]*|/\*.*?\*/", "", statement, flags=re.S).strip()
        if (found := _STEP.fullmatch(bare)) is None:
            raise ValueError(
                "before the query only CREATE TEMPORARY VIEW (or TABLE) name AS … may stand, not "
                f"{bare[:40]!r}"
            )
        steps.append(Step(found[1].upper(), found[2], found[3].strip()))
    if not whole:
        raise ValueError("there is no query in it")
    return Text(steps, whole[-1])


def run(
    sql: str,
    tables: Mapping[str, Any],
    engine: str = "duckdb",
    threads: int = 1,
    levels: Mapping[str, tuple[str, ...]] | None = None,
) -> pd.DataFrame:
    """The rows of a query over these tables (Arrow or pandas).

    Texts become categories: with the `levels` of their column, else with those that there are.
    threads: of an engine on this machine.
    Raises ValueError with one sentence for a text that the engine does not run, or an engine that
    does not answer; ModuleNotFoundError where it is not installed.
    """
    text = read(sql)
    given = {name: with_seconds(table) for name, table in tables.items()}
    with duckdb.connect(config={"threads": threads}) as connection:
        for name, table in given.items() if engine == "duckdb" else ():
            connection.register(name, table)
        connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        try:
            if engine == "duckdb":
                for step in text.steps:
                    connection.execute(f"CREATE TEMPORARY {step.kind} {step.name} AS {step.query}")
                found = connection.sql(text.query)
            else:
                found = connection.from_arrow(_by_spark(text, given, engine, threads))
            if found is None:
                raise ValueError("it returns no rows")
            return _typed(found, levels or {})
        except duckdb.Error as error:
            raise ValueError(_one_line(error)) from None


def with_seconds(table: Any) -> pa.Table:
    """A table with each moment as whole seconds beside."""
    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False)
    for field in table.schema:
        name = f"{field.name}_second"
        if not pa.types.is_temporal(field.type) or name in table.column_names:
            continue
        if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
            moment = table[field.name].cast(pa.timestamp("us"))  # of a zone: in UTC
            floor = pc.floor_temporal(moment, unit="second")
            table = table.append_column(name, floor.cast(pa.timestamp("s")).cast(pa.int64()))
    return table


def _typed(found: duckdb.DuckDBPyRelation, levels: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    columns = []
    for name in found.columns:
        column = '"' + name.replace('"', '""') + '"'
        if name in levels:
            known = ", ".join("'" + level.replace("'", "''") + "'" for level in levels[name])
            column = f"CAST({column} AS ENUM ({known})) AS {column}"
        columns.append(column)
    rows = found.project(", ".join(columns)).df()
    for name in rows:
        kind = rows[name].dtype
        if isinstance(kind, pd.StringDtype) or kind.kind == "O":
            rows[name] = rows[name].astype("category")
    return rows


def _by_spark(text: Text, tables: Mapping[str, pa.Table], engine: str, threads: int) -> pa.Table:
    with (
        spark(engine, threads) as session,
        in_one_sentence(engine),
        tempfile.TemporaryDirectory(prefix="model-eras-") as folder,
    ):
        for name, table in tables.items():
            if engine == "spark":  # of a file it knows how large it is, and plans its joins by that
                file = f"{folder}/{name}.parquet"
                pq.write_table(plain(table), file)
                rows = session.read.parquet(file)
            else:
                rows = session.createDataFrame(plain(table))
            rows.createOrReplaceTempView(name)
        return ran(session, text).toArrow()


def plain(table: pa.Table) -> pa.Table:
    """Types that every engine has: categories as texts, signed numbers."""
    kinds = {
        pa.uint8(): pa.int16(),
        pa.uint16(): pa.int32(),
        pa.uint32(): pa.int64(),
        pa.uint64(): pa.float64(),
        pa.large_string(): pa.string(),
        pa.null(): pa.string(),
    }
    fields = []
    for field in table.schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        kind = pa.timestamp("us") if pa.types.is_timestamp(kind) else kinds.get(kind, kind)
        fields.append(pa.field(field.name, kind))
    return table.cast(pa.schema(fields))


def ran(session: Any, text: Text) -> Any:
    """The rows of a text, as Spark has them: not made yet. Raises ValueError for a sign that Spark
    reads in another way than `read` did."""
    if any("\\" in query for query in (text.query, *(step.query for step in text.steps))):
        raise ValueError("a backslash means another thing to Spark: write patterns without one")
    for step in text.steps:
        rows = _asked(session, step.query)
        (rows.cache() if step.kind == "TABLE" else rows).createOrReplaceTempView(step.name)
    return _asked(session, text.query)


def _asked(session: Any, query: str) -> Any:
    # A command would be run at once: within brackets it is an error of grammar.
    _ = session.sql(f"SELECT * FROM (\n{query}\n) AS rows").schema
    return session.sql(query)


@contextmanager
def spark(engine: str, threads: int = 1, **options: str) -> Iterator[Any]:
    """A session of Spark. options: of its configuration. Raises ValueError where nobody answers,
    ModuleNotFoundError where pyspark is not installed, or only what speaks to servers."""
    if engine != "spark":
        _refuse_silent(engine)
    warnings.filterwarnings("ignore", "PySpark does not yet", FutureWarning)  # all of pandas 3
    from pyspark.sql import SparkSession

    with in_one_sentence(engine):
        if engine.startswith("sc://"):
            session = SparkSession.builder.remote(engine).create()
        else:
            builder = SparkSession.builder.master(
                f"local[{threads}]" if engine == "spark" else engine
            )
            for name, value in {
                **(_HERE if engine == "spark" else {}),
                **_SPARK,
                **options,
            }.items():
                builder = builder.config(name, value)
            session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


_SPARK = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.variable.substitute": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    "spark.driver.maxResultSize": "0",
}
_HERE = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": "8",  # of 200, most would be empty
}


def _refuse_silent(engine: str) -> None:
    address = urlsplit(engine)
    try:
        host, port = address.hostname, address.port
        socket.create_connection((str(host), port or 0), CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise ValueError(f"engine={engine} does not answer ({error})") from None


@contextmanager
def in_one_sentence(engine: str) -> Iterator[None]:
    """Raises ValueError with one for what Spark raises."""
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        name = type(error).__module__.partition(".")[0]
        if name not in ("pyspark", "py4j", "grpc"):
            raise
        raise ValueError(f"engine={engine}: {_one_line(error)}") from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
