"""What the columns of a table are: numbers, categories, dates, texts, or nothing to learn from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tasks.table.read import MISSING

Kind = Literal["number", "category", "date", "text", "out"]

MOSTLY = 0.95  # share of a column's values that have to be numbers or dates for it to be one
WORDS = 4  # words a value has on average in a column of texts
ID_NAME = re.compile(
    r"(^|[\s_.-])(id|ids|uuid|guid|key|index|nr|no)$|^(id|uuid|index)([\s_.-]|$)", re.I
)
CHUNK = 200  # columns that one query looks at
SEEN = 100_000  # rows that tell what a column is


@dataclass
class Column:
    """What is known of a column before it is split."""

    name: str
    kind: Kind
    missing: int = 0
    distinct: int = 0
    """Different values, about."""
    notes: list[str] = field(default_factory=list)
    """What was done to it, or why it is left out."""

    def told(self, rows: int) -> tuple[str, str]:
        """(what it is taken for, what else there is to say), for people."""
        different = f"{self.distinct:,} values" if self.kind == "category" else ""
        gaps = f"{self.missing / rows:.0%} missing" if self.missing else ""
        said = ", ".join(filter(None, (different, gaps, *self.notes)))
        return ("left out" if self.kind == "out" else self.kind), said


def understand(
    table: pa.Table, target: str, keep: Sequence[str], asked: Mapping[str, Kind], threads: int
) -> tuple[pd.DataFrame, list[Column]]:
    """The table with texts turned into what they stand for, and what each column but the target is.

    keep: columns that are never left out as an id, such as the one that rows are grouped by.
    asked: kinds that the user has chosen, by column. What a column is taken for is seen in at most
    SEEN rows, spread evenly. Nothing here is learned from values of the target, nor does a value of
    one row depend on another row's.
    """
    names = [name for name in table.column_names if name != target]
    step = max(1, len(table) // SEEN)
    sample = table if step == 1 else table.take(np.arange(0, len(table), step))
    with duckdb.connect(config={"threads": threads}) as connection:
        facts = {name: _facts(sample[name]) for name in names}
        texts = [name for name in names if facts[name].type == "text"]
        for start in range(0, len(texts), CHUNK):
            part = texts[start : start + CHUNK]
            connection.register("raw", sample.select(part))
            _facts_of_texts(connection, {name: facts[name] for name in part})
        for name in names if step > 1 else ():  # what looks constant in a part may not be so
            if facts[name].distinct <= 1:
                facts[name].distinct = pc.count_distinct(table[name]).as_py()
        columns = [
            judge(name, facts[name], len(sample), step, asked.get(name), name in keep)
            for name in names
        ]
        kinds = {column.name: column.kind for column in columns if column.kind != "out"}
        typed = {target: table[target]}
        for name, kind in kinds.items():
            typed[name] = _typed(connection, table[name], kind)
    for name, values in typed.items():
        if stored(values.type) == "text" and kinds.get(name) != "text":
            typed[name] = values.cast(pa.string()).dictionary_encode()
        if kinds.get(name) == "category" and stored(values.type) != "text":
            typed[name] = values.cast(pa.string()).dictionary_encode()
    wide = len(typed) > 1_000
    frame = pa.table(typed).to_pandas(self_destruct=True, split_blocks=not wide)
    for column in columns:
        if column.kind == "category":
            frame[column.name] = tidy(frame[column.name])
            column.distinct = len(frame[column.name].cat.categories)
            column.missing = int(frame[column.name].isna().sum())
    if isinstance(frame[target].dtype, pd.CategoricalDtype):
        frame[target] = tidy(frame[target])
    return frame, columns


def tidy(values: pd.Series) -> pd.Series:
    """A category whose levels have no space around them, and do not spell a missing value."""
    levels = values.cat.categories
    plain = pd.Index(levels.astype(str).str.strip())
    known = pd.Index(plain[~plain.isin(MISSING)].unique()).sort_values()
    codes = np.append(known.get_indexer(plain), -1)[values.cat.codes]
    return pd.Series(pd.Categorical.from_codes(codes, known), index=values.index, name=values.name)


@dataclass
class Facts:
    """What a query tells of a column. Shares are of values that are there."""

    type: str
    """number, date, boolean or text, as stored."""
    missing: int
    distinct: int
    low: float | None = None
    high: float | None = None
    whole: bool = False
    """Are all numbers whole?"""
    infinite: int = 0
    numbers: float = 0.0
    grouped: float = 0.0
    """Share that are numbers only without their thousands separators."""
    dates: float = 0.0
    words: float = 0.0


def _facts(values: pa.ChunkedArray) -> Facts:
    facts = Facts(stored(values.type), values.null_count, 0)
    if facts.type != "text":
        facts.distinct = pc.count_distinct(values).as_py()
    if facts.type == "number":
        numbers = values.cast(pa.float64(), safe=False)
        finite = numbers.filter(pc.is_finite(numbers))
        facts.infinite = len(values) - values.null_count - len(finite)
        facts.low, facts.high = (pc.min_max(finite)[end].as_py() for end in ("min", "max"))
        facts.whole = (
            pa.types.is_integer(values.type)
            or pc.all(pc.equal(finite, pc.floor(finite))).as_py() is not False
        )
    return facts


def _facts_of_texts(connection: duckdb.DuckDBPyConnection, facts: Mapping[str, Facts]) -> None:
    """Complete the facts of the columns of `raw`, all of them texts."""
    parts: list[str] = []
    for name in facts:
        value = _present(quoted(name))
        parts += [
            f"count({value})",
            f"approx_count_distinct({value})",
            f"count(try_cast({value} as double))",
            f"count(try_cast({_ungrouped(value)} as double))",
            f"count({_date(value)})",
            f"avg(len({value}) - len(replace({value}, ' ', '')) + 1)",
        ]
    query = f"select count(*), {', '.join(parts)} from raw"  # noqa: S608 - names are quoted
    row = iter(connection.execute(query).fetchall()[0])
    total = next(row)
    for found in facts.values():
        present, distinct = next(row), next(row)
        found.missing, found.distinct = total - present, min(distinct, present)
        numbers, ungrouped = (next(row) / max(present, 1) for _ in range(2))
        found.numbers, found.grouped = ungrouped, ungrouped - numbers
        found.dates, found.words = next(row) / max(present, 1), next(row) or 0.0


def judge(name: str, facts: Facts, rows: int, step: int, asked: Kind | None, keep: bool) -> Column:
    """What a column is, by what is in it; rows: those that were seen, one of `step`."""
    present = rows - facts.missing
    column = Column(name, "number", facts.missing * step, facts.distinct)
    if asked is not None:
        column.kind, column.notes = asked, ["as you said"]
        return column
    if facts.distinct <= 1 and not keep:
        column.kind = "out"
        column.notes.append("has no value" if not present else "has one value only")
        return column
    unique = facts.distinct > 0.97 * present  # the count is approximate
    about = "about " if step > 1 else ""
    if facts.type == "number":
        if facts.infinite:
            column.notes.append(f"{about}{facts.infinite * step:,} infinite: missing")
        low, high = facts.low or 0.0, facts.high or 0.0
        counts = facts.whole and high - low < 1.1 * present * step
        full = present > MOSTLY * rows
        if not keep and unique and full and (counts or (facts.whole and ID_NAME.search(name))):
            column.kind = "out"
            column.notes.append("numbers the rows")
        return column
    if facts.type in ("date", "boolean"):
        column.kind = "date" if facts.type == "date" else "category"
        return column
    if facts.numbers >= MOSTLY:
        if facts.grouped:
            column.notes.append("numbers written with thousands separators")
        if facts.numbers < 1:
            column.notes.append(
                f"{about}{round((1 - facts.numbers) * present * step):,} are no numbers: missing"
            )
        return column
    if facts.dates >= MOSTLY:
        column.kind = "date"
        if facts.dates < 1:
            column.notes.append(
                f"{about}{round((1 - facts.dates) * present * step):,} are no dates: missing"
            )
        return column
    column.kind = "text" if facts.words >= WORDS else "category"
    if column.kind == "category" and unique and present > 20 and not keep:
        column.kind = "out"
        column.notes.append("a different value in every row")
    return column


def stored(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_temporal(kind):
        return "date"
    return "text"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _present(column: str) -> str:
    """A text, or null where it only spells a missing value."""
    spellings = ", ".join(f"'{spelling}'" for spelling in MISSING)
    return f"case when trim({column}::varchar) in ({spellings}) then null else trim({column}::varchar) end"  # noqa: E501


def _ungrouped(value: str) -> str:
    """1,234.5 and 1 234.5 without what separates the thousands."""
    groups = r"^[+-]?\d{1,3}([, ]\d{3})+(\.\d*)?$"
    return f"case when regexp_matches({value}, '{groups}') then regexp_replace({value}, '[, ]', '', 'g') else {value} end"  # noqa: E501


def _date(value: str) -> str:
    formats = "'%d.%m.%Y', '%m/%d/%Y', '%d/%m/%Y', '%d.%m.%Y %H:%M', '%m/%d/%Y %H:%M', '%Y%m%d'"
    return f"coalesce(try_cast({value} as timestamp), try_strptime({value}, [{formats}]))"


def _typed(
    connection: duckdb.DuckDBPyConnection, values: pa.ChunkedArray, kind: str
) -> pa.ChunkedArray:
    """A column as what it is."""
    is_text = stored(values.type) == "text"
    if kind == "number" and not is_text:
        numbers = values.cast(pa.float32(), safe=False)
        return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float32()))
    if kind == "date" and not is_text:
        return values.cast(pa.timestamp("us"), safe=False)
    if kind == "category" or (kind == "text" and not is_text):
        return values
    value = _present("value")
    number = f"try_cast({_ungrouped(value)} as float)"
    expression = {
        "number": f"case when isfinite({number}) then {number} end",
        "date": _date(value),
        "text": value,
    }[kind]
    connection.register("one", pa.table({"value": values}))
    query = f"select {expression} as value from one"  # noqa: S608 - nothing of the table is in it
    return connection.sql(query).to_arrow_table()["value"]
