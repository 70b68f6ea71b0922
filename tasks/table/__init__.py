"""Your own table: a CSV in, the same comparison out.

python -m benchmarks task=table task.path=churn.csv task.target=churned
python -m benchmarks.look churn.csv task.target=churned

What the columns are, which kind of problem it is and how it is split are found from the data, told
by `look`, and can all be said instead (docs/your-data.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from annotated_types import Ge, Le

from tasks.base import Data, Look, UnknownView, labels_of
from tasks.table import fetch
from tasks.table import split as splitting
from tasks.table import target as targets
from tasks.table.again import NewRows
from tasks.table.columns import Column, Rules, understand, written
from tasks.table.doubts import sentences
from tasks.table.first_look import first_look
from tasks.table.formats import ORDERS
from tasks.table.prepare import Preparation, Tellable
from tasks.table.read import Found, clean, clean_names, read
from tasks.table.suspicion import suspicions

FIRST = 20_000  # rows of each side that are prepared before any cell runs


class Understood(NamedTuple):
    """A table before it is split."""

    table: pd.DataFrame  # typed columns, without the target
    columns: list[Column]
    target: str
    labels: np.ndarray
    classes: tuple[str, ...]
    kind: str
    why: str  # this kind of problem
    plan: splitting.Plan
    without_target: int  # rows left out because nobody knows their outcome
    rows: int  # of the file, of which a look may have seen a part
    notices: list[str]  # what may have been meant otherwise, or was left out


class Rows(NamedTuple):
    """A table and a split of it."""

    found: Understood
    train: np.ndarray  # positions, in the order in which models see them
    test: np.ndarray
    said: list[str]  # on the split


@dataclass
class Table:
    """A binary, multiclass or regression problem, whichever the target's column makes it."""

    files: ClassVar[tuple[str, ...]] = ("path",)

    # a file, a folder or a glob, here or elsewhere (https://, s3://): CSV, Parquet, JSON, Feather,
    # Excel, SQLite, DuckDB
    path: str | None = None
    # instead of a path: the number of a data set on OpenML
    id: Annotated[int, Ge(1)] | None = None
    # instead of a path: one that scikit-learn ships
    name: str | None = None
    # the column to predict; unset: the one that OpenML or scikit-learn says
    target: str | None = None
    # what to read from a SQLite or DuckDB file
    query: str | None = None
    # of a text file: utf-8, latin-1, cp1252, or any other that Python knows
    encoding: str = "utf-8"
    # auto: classes unless there are many different numbers
    kind: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    # of two classes, the one whose probability is predicted; unset: yes, true, 1, or the later name
    positive: str | None = None
    # auto: by time if there is a column of dates, by group if there are users, else random
    split: Literal["auto", "random", "time", "group"] = "auto"
    # the column that says when a row came about
    time: str | None = None
    # the column of what rows belong to, such as a user
    group: str | None = None
    # share of rows that models are tested on
    test_share: Annotated[float, Ge(0.05), Le(0.5)] = 0.3
    # what columns are, where it is not seen rightly: {zip: category, note: text, code: out}
    types: dict[str, Literal["number", "category", "date", "text", "out"]] | None = None
    # order of dates where several explain them: dmy, mdy, ymd, or a strptime format; or by column,
    # {due: mdy}
    dates: str | dict[str, str] | None = None
    # sign of decimals where both explain the numbers: point or comma; or by column, {price: comma}
    decimal: str | dict[str, str] | None = None
    # spellings of a missing value in every column, beside an empty one; unset: docs/your-data.md
    missing: list[str | int | float] | None = None
    # supplied by the runner: threads for reading
    n_jobs: int = 1

    # What its view does is found out, not written for the problem at hand.
    general: ClassVar[bool] = True

    def check(self) -> None:
        """Raise ValueError if nothing can be learned from the file, with one sentence."""
        with self._one_sentence():
            data = self.load(0)
            first = {part: getattr(data.raw, part)[:FIRST] for part in ("train", "test")}
            self.view(replace(data, raw=data.raw._replace(**first)), "features")

    def load(self, seed: int) -> Data:
        """Read the file and split its rows. Raises ValueError with one sentence."""
        found = self.understand()
        labels = labels_of(found.labels, found.classes)
        train, test, said, group = self._split(found, labels, seed)
        return Data(
            raw=Rows(found, train, test, said),
            train_labels=labels[train],
            test_labels=labels[test],
            classes=found.classes,
            group=None if group is None else group[test],
            test_ids=test,
            ordered=True,
        )

    def suspicions(self, data: Data) -> list[str]:
        """What may be a leak, a sentence each (tasks.table.suspicion)."""
        return self._suspicions(data.raw.found, data.raw.train, data.raw.test)

    def notices(self, data: Data) -> list[str]:
        """What may have been meant otherwise, what was left out, and how the rows were split: a
        sentence each."""
        return [*data.raw.found.notices, *data.raw.said]

    def look(self, limit: int) -> Look:
        """What about `limit` rows tell, drawn from all. Raises ValueError with one sentence."""
        with self._one_sentence():
            return self._look(limit)

    @contextmanager
    def _one_sentence(self) -> Iterator[None]:
        """Whatever goes wrong with a file here goes wrong in every cell: it is said before."""
        try:
            yield
        except (ValueError, MemoryError):
            raise
        except Exception as error:
            text = " ".join(str(error).split())[:300]
            raise ValueError(
                f"{self._source} cannot be understood ({type(error).__name__}: {text})"
            ) from error

    def _look(self, limit: int) -> Look:
        if self.target is None and self.path and self.id is None and self.name is None:
            raw = read(self.path, self.query, self.encoding, self.n_jobs, limit)
            return first_look(raw, *self._rules(raw.table.column_names))
        found = self.understand(limit)
        rows, seen = found.rows, len(found.table) + found.without_target
        part = "" if seen == rows else f"; {seen:,} of them, drawn by chance, were looked at"
        facts = [("rows", f"{rows:,}{part}")]
        if found.without_target:
            facts.append(("left out", f"{found.without_target:,} rows without a target"))
        facts.append(("target", f"{found.target} is {found.kind}: {found.why} (or task.kind=…)"))
        if found.classes:
            shares = pd.Series(found.labels).value_counts(normalize=True)
            shown = [f"{name} {shares[name]:.1%}" for name in found.classes[:10]]
            shown += ["…"] * (len(found.classes) > 10)
            facts.append(("classes", ", ".join(shown)))
            if len(found.classes) == 2:
                facts.append(("predicted", f"{found.classes[-1]} (or task.positive=…)"))
        else:
            low, middle, high = map(written, np.quantile(found.labels, [0, 0.5, 1]).tolist())
            facts.append(("values", f"{low} to {high}, median {middle}"))
        by = f" by {found.plan.column}" if found.plan.column else ""
        facts.append(("split", f"{found.plan.way}{by}: {found.plan.why} (or task.split=…)"))
        columns = [(c.name, *c.told(len(found.table))) for c in found.columns]
        labels = labels_of(found.labels, found.classes)
        try:
            train, test, said, _ = self._split(found, labels, 0)
        except ValueError as error:
            if seen == rows:
                raise
            train, test, said = np.arange(len(labels)), np.arange(0), [f"of these rows: {error}"]
        facts += [("", text) for text in said]
        warnings = found.notices + self._suspicions(found, train, test)
        kinds = [kind for kind in found.table.dtypes if hasattr(kind, "categories")]
        return Look(
            facts,
            columns,
            warnings,
            rows,
            sum(c.kind != "out" for c in found.columns),
            sum(min(len(kind.categories), Preparation.LEVELS + 1) for kind in kinds),
            len(found.classes),
        )

    def _split(self, found: Understood, labels: np.ndarray, seed: int) -> splitting.Split:
        """labels: as codes."""
        column = found.plan.column
        by = None if column is None else found.table[column]
        return splitting.split(found.plan, seed, self.test_share, labels, found.classes, by)

    def _suspicions(self, found: Understood, train: np.ndarray, test: np.ndarray) -> list[str]:
        table, columns, target, labels, classes, *_ = found
        time = found.plan.column if found.plan.way == "time" else None
        return suspicions(target, table, columns, labels, classes, time, train, test)

    def understand(self, limit: int | None = None) -> Understood:
        """Read the file (limit: about so many rows of it) and say what is in it."""
        (raw, total, notices), target = self._read(limit)
        names = raw.column_names
        if not raw.num_rows:
            raise ValueError(f"{self._source} has a header and no rows")
        target = targets.column_of(target, names)
        for option in ("time", "group"):
            if (name := getattr(self, option)) is not None and clean(name) == target:
                raise ValueError(f"task.{option} is the target, {name!r}")
        time, group = (
            None if name is None else targets.column_of(name, names)
            for name in (self.time, self.group)
        )
        types, rules = self._rules(names)
        if self.kind == "regression":
            types.setdefault(target, "number")
        pieces = dict(zip(names, raw.columns, strict=True))
        del raw
        keep = [name for name in (time, group) if name is not None]
        table, (*columns, own) = understand(pieces, target, keep, types, rules)
        outcome = table.pop(target)
        known = outcome.notna().to_numpy()
        if not known.all():
            if known.any():
                spelled = " or ".join(map(repr, own.spelled)) or "empty"
                left_out = f"{(~known).sum():,} of {len(known):,} rows are left out"
                own.doubts.pop("gaps", None)
                notices.append(f"{left_out}: their target {target!r} is missing ({spelled})")
            table, outcome = table[known].reset_index(drop=True), outcome[known]
        if not len(table.columns) and len(outcome) > 1 and outcome.nunique() == 1:
            raise ValueError(f"all {len(outcome):,} rows of {self._source} are the same")
        kind = None if self.kind == "auto" else self.kind
        labels, classes, why = targets.outcomes(outcome, kind, self.positive)
        if not len(table.columns):
            raise ValueError(f"{self._source} has no column to learn from beside the target")
        way = None if self.split == "auto" else self.split
        plan = splitting.plan(way, time, group, columns, len(table))
        for column in columns:
            if column.name == plan.column:  # a code, and used as one
                column.doubts.pop("called", None)
        notices += sentences([*columns, own])
        name = {0: "regression", 2: "binary"}.get(len(classes), "multiclass")
        unknown = int((~known).sum())
        return Understood(
            table, columns, target, labels, classes, name, why, plan, unknown, total, notices
        )

    def _rules(self, names: list[str]) -> tuple[dict[str, Any], Rules]:
        """(kinds by column, formats and spellings), as the user says. Raises ValueError."""

        def by_column(given: Any) -> Any:
            if not isinstance(given, dict):
                return given
            return {targets.column_of(name, names): said for name, said in given.items()}

        types = by_column(self.types or {})
        dates, decimal = by_column(self.dates), by_column(self.decimal)
        signs = {"point": ".", "comma": ",", ".": ".", ",": ","}
        for said in dates.values() if isinstance(dates, dict) else filter(None, [dates]):
            if said not in ORDERS and "%" not in said:
                known = ", ".join(ORDERS)
                raise ValueError(
                    f"task.dates={said}: give one of {known}, or a format such as %d.%m.%Y"
                )
        for said in decimal.values() if isinstance(decimal, dict) else filter(None, [decimal]):
            if said not in signs:
                raise ValueError(f"task.decimal={said}: give point or comma")
        if isinstance(decimal, dict):
            decimal = {name: signs[said] for name, said in decimal.items()}
        elif decimal is not None:
            decimal = signs[decimal]
        missing = None if self.missing is None else [str(spelling) for spelling in self.missing]
        return types, Rules(missing, dates, decimal)

    @property
    def _source(self) -> str:
        return self.path or self.name or f"OpenML data set {self.id}"

    def _read(self, limit: int | None) -> tuple[Found, str]:
        """(what was read, name of the target)"""
        sources = [name for name in ("path", "id", "name") if getattr(self, name) is not None]
        if len(sources) != 1:
            found = " and ".join(f"task.{name}" for name in sources) or "none"
            raise ValueError(
                f"say where the table is: task.path, task.id or task.name, not {found}"
            )
        if self.id is not None:
            return found_in(*fetch.openml(self.id, self.target))
        if self.name is not None:
            return found_in(*fetch.shipped(self.name, self.target))
        if self.target is None:
            raise ValueError("say which column is to be predicted: task.target=COLUMN")
        assert self.path is not None
        return read(self.path, self.query, self.encoding, self.n_jobs, limit), self.target

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        """`features`: typed columns, with what has to be learned learned from train rows."""
        if name != "features":
            raise UnknownView("table", name, ("features",))
        found, train, test, _ = data.raw
        tellable, rows = Tellable.learned(found.columns, found.table.iloc[train])
        return rows, tellable(found.table.iloc[test])

    def whole(self, data: Data, seed: int) -> Data:
        """All rows as train rows, in the order that a split would have them in."""
        found, group = data.raw.found, data.group
        labels = labels_of(found.labels, found.classes)
        by = None if found.plan.column is None else found.table[found.plan.column]
        order = splitting.in_order(found.plan, seed, labels, found.classes, by)
        none = np.arange(0)
        return replace(
            data,
            raw=Rows(found, order, none, data.raw.said),
            train_labels=labels[order],
            test_labels=labels[none],
            group=None if group is None else group[none],
            test_ids=none,
        )

    def new_rows(self, data: Data, view: str) -> NewRows | None:
        """What reads other rows as these were read."""
        if view != "features":
            return None
        found, train, *_ = data.raw
        tellable, _ = Tellable.learned(found.columns, found.table.iloc[train])
        return NewRows(found.columns, found.table.dtypes, tellable, self.query, self.encoding)

    def as_given(self, data: Data) -> tuple[pd.DataFrame, pd.DataFrame, str]:
        """(train rows, test rows, what the target is called) before anything was prepared: typed
        columns, categories and texts as they are written."""
        found, train, test, _ = data.raw
        return found.table.iloc[train], found.table.iloc[test], found.target

    def raw_columns(self, data: Data, _view: str) -> list[str]:
        return [column.name for column in data.raw.found.columns if column.kind != "out"]


def found_in(table: pa.Table, target: str) -> tuple[Found, str]:
    """A table that came from no file."""
    names, notes = clean_names(table.column_names)
    return Found(table.rename_columns(names), len(table), notes), target
