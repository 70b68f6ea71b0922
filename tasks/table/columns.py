"""What the columns of a table are: numbers, categories, dates, texts, or nothing to learn from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

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
    facts: dict[str, Facts] = {}
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.register("raw", sample)
        for start in range(0, len(names), CHUNK):
            facts |= _facts(connection, table.schema, names[start : start + CHUNK])
        for name in names if step > 1 else ():  # what looks constant in a part may not be so
            if facts[name].distinct <= 1:
                facts[name].distinct = pc.count_distinct(table[name]).as_py()
        columns = [
            judge(name, facts[name], len(sample), step, asked.get(name), name in keep)
            for name in names
        ]
        wanted = [target, *(column.name for column in columns if column.kind != "out")]
        kinds = {column.name: column.kind for column in columns} | {target: "as it is"}
        expressions = [_expression(name, kinds[name], table.schema) for name in wanted]
        connection.register("whole", table)
        query = f"select {', '.join(expressions)} from whole"  # noqa: S608 - names are quoted
        typed = connection.sql(query).to_arrow_table()
    for place, field_ in enumerate(typed.schema):
        if stored(field_.type) == "text" and kinds[field_.name] != "text":
            encoded = typed.column(place).dictionary_encode()
            typed = typed.set_column(place, field_.name, encoded)
    frame = typed.to_pandas(self_destruct=True, split_blocks=True)
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


def _facts(
    connection: duckdb.DuckDBPyConnection, schema: pa.Schema, names: Sequence[str]
) -> dict[str, Facts]:
    parts: list[str] = []
    for name in names:
        column, kind = quoted(name), stored(schema.field(name).type)
        value = _present(column) if kind == "text" else column
        parts += [f"count({value})", f"approx_count_distinct({value})"]
        if kind == "number":
            number = f"{column}::double"
            odd = f"count(*) filter (isinf({number}) or isnan({number}))"
            whole = f"count(*) filter ({number} <> floor({number})) = 0"
            parts += [f"min({column})::double", f"max({column})::double", whole, odd]
        elif kind == "text":
            parts += [
                f"count(try_cast({value} as double))",
                f"count(try_cast({_ungrouped(value)} as double))",
                f"count({_date(value)})",
                f"avg(len({value}) - len(replace({value}, ' ', '')) + 1)",
            ]
    row = iter(connection.execute(f"select count(*), {', '.join(parts)} from raw").fetchall()[0])  # noqa: S608
    total = next(row)
    found = {}
    for name in names:
        kind = stored(schema.field(name).type)
        present, distinct = next(row), next(row)
        facts = Facts(kind, total - present, min(distinct, present))
        if kind == "number":
            facts.low, facts.high = next(row), next(row)
            facts.whole, facts.infinite = next(row), next(row)
        elif kind == "text":
            count = max(present, 1)
            numbers, ungrouped = next(row) / count, next(row) / count
            facts.numbers, facts.grouped = ungrouped, ungrouped - numbers
            facts.dates, facts.words = next(row) / count, next(row) or 0.0
        found[name] = facts
    return found


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


def _expression(name: str, kind: str, schema: pa.Schema) -> str:
    """SQL for a column as what it is."""
    column, is_text = quoted(name), stored(schema.field(name).type) == "text"
    value = _present(column) if is_text else column
    if kind == "number":
        number = f"try_cast({_ungrouped(value) if is_text else value} as float)"
        return f"case when isfinite({number}) then {number} end as {column}"
    if kind == "date":
        return f"{_date(value) if is_text else f'{column}::timestamp'} as {column}"
    if kind in ("category", "text"):
        return f"{value if kind == 'text' else column}::varchar as {column}"
    return column  # the target


class Preparation:
    """From typed columns to what a model reads, learned from train rows alone.

    Numbers stay numbers (float32), categories become pandas categories of at most `levels` levels
    (the others share one), dates become numbers and parts, texts become the main directions of
    their TF-IDF.
    """

    RARE = "(rare)"
    LEVELS = 1_000
    DIRECTIONS = 30

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = [column for column in columns if column.kind != "out"]

    def fit(self, train: pd.DataFrame) -> Preparation:
        self.levels_: dict[str, pd.Index] = {}
        self.texts_: dict[str, Directions] = {}
        self.dates_: dict[str, list[str]] = {}  # the parts that are not the same in all rows
        for column in self.columns:
            values = train[column.name]
            if column.kind == "category":
                counts = values.value_counts()  # of train rows; other levels count 0
                usual = counts.index[counts > 0][: self.LEVELS].astype(str)
                self.levels_[column.name] = usual.sort_values()
            elif column.kind == "text":
                self.texts_[column.name] = Directions(self.DIRECTIONS).fit(words(values))
            elif column.kind == "date":
                parts = date_parts(column.name, values)
                told = [name for name, part in parts.items() if pd.Series(part).nunique() > 1]
                self.dates_[column.name] = told
        return self

    def transform(self, rows: pd.DataFrame) -> pd.DataFrame:
        parts: dict[str, Any] = {}
        for column in self.columns:
            values = rows[column.name]
            if column.kind == "number":
                parts[column.name] = values.to_numpy(np.float32)
            elif column.kind == "category":
                parts[column.name] = self._category(column.name, values)
            elif column.kind == "date":
                moments = date_parts(column.name, values)
                parts |= {name: moments[name] for name in self.dates_[column.name]}
            else:
                text = self.texts_[column.name].transform(words(values))
                parts |= {f"{column.name} {k + 1}": text[:, k] for k in range(text.shape[1])}
        return pd.DataFrame(parts)

    def _category(self, name: str, values: pd.Series) -> pd.Categorical:
        values = values.astype("category")
        levels, own = self.levels_[name], values.cat.categories
        new = levels.get_indexer(own.astype(str))
        if len(levels) == self.LEVELS:  # a rare value of train rows, or a new one: all the same
            new = np.where(new < 0, len(levels), new)
            levels = levels.append(pd.Index([self.RARE]))
        return pd.Categorical.from_codes(np.append(new, -1)[values.cat.codes], levels)


def words(values: pd.Series) -> pd.Series:
    return values.fillna("").astype(str)


class Directions:
    """Texts as the directions in which their TF-IDF varies most (latent semantics, Deerwester
    et al. 1990); none where train rows have no word that stands twice."""

    def __init__(self, n: int) -> None:
        self.n = n

    def fit(self, texts: pd.Series) -> Directions:
        # Here, as only tables with texts need them.
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.words_ = TfidfVectorizer(max_features=20_000, sublinear_tf=True, min_df=2)
        try:
            found = self.words_.fit_transform(texts)
        except ValueError:  # scikit-learn's way to say that no word is left
            self.svd_ = None
            return self
        n = min(self.n, found.shape[1] - 1, found.shape[0] - 1)
        self.svd_ = TruncatedSVD(n, random_state=0).fit(found) if n > 0 else None
        return self

    def transform(self, texts: pd.Series) -> np.ndarray:
        if self.svd_ is None:
            return np.zeros((len(texts), 0), dtype=np.float32)
        return self.svd_.transform(self.words_.transform(texts)).astype(np.float32)


def date_parts(name: str, values: pd.Series) -> dict[str, np.ndarray]:
    """Days since 1970, and the parts that have something to tell."""
    moments = pd.to_datetime(values)
    days = (moments - pd.Timestamp(0)) / pd.Timedelta(days=1)
    parts: dict[str, pd.Series[Any]] = {
        "days": days, "year": moments.dt.year, "month": moments.dt.month, "day": moments.dt.day,
        "weekday": moments.dt.weekday, "hour": moments.dt.hour,
    }  # fmt: skip
    return {f"{name} {part}": found.to_numpy(np.float32) for part, found in parts.items()}
