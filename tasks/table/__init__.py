"""Your own table: a CSV in, the same comparison out.

python -m benchmarks task=table task.path=churn.csv task.target=churned
python -m benchmarks.look task=table task.path=churn.csv task.target=churned

What the columns are, which kind of problem it is and how it is split are found from the data, told
by `look`, and can all be said instead (docs/your-data.md).
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from annotated_types import Ge, Le

from tasks.base import Data, Look, UnknownView
from tasks.table import fetch
from tasks.table import split as splitting
from tasks.table import target as targets
from tasks.table.columns import Column, understand
from tasks.table.prepare import Preparation
from tasks.table.read import read, size
from tasks.table.suspicion import suspicions


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


class Rows(NamedTuple):
    """A table and a split of it."""

    found: Understood
    train: np.ndarray  # positions, in the order in which models see them
    test: np.ndarray


@dataclass
class Table:
    """A binary, multiclass or regression problem, whichever the target's column makes it."""

    files: ClassVar[tuple[str, ...]] = ("path",)

    # a file, a folder or a glob: CSV, Parquet, JSON lines, Feather, SQLite, DuckDB
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
    # supplied by the runner: threads for reading
    n_jobs: int = 1

    # What its view does is found out, not written for the problem at hand.
    general: ClassVar[bool] = True

    def check(self) -> None:
        """Raise ValueError if nothing can be learned from the file, with one sentence."""
        self.load(0)

    def load(self, seed: int) -> Data:
        """Read the file and split its rows. Raises ValueError with one sentence."""
        found = self.understand()
        train, test = self._split(found, seed)
        for rows, name in ((train, "train"), (test, "test")):
            there = set(found.labels[rows]) if found.classes else set()
            if missing := [c for c in found.classes if c not in there]:
                raise ValueError(
                    f"the class {missing[0]!r} has no {name} row when split by {found.plan.column}"
                )
        group = found.table[str(found.plan.column)] if found.plan.way == "group" else None
        return Data(
            raw=Rows(found, train, test),
            train_labels=found.labels[train],
            test_labels=found.labels[test],
            classes=found.classes,
            group=None if group is None else pd.factorize(group)[0][test],
            test_ids=test,
        )

    def suspicions(self, data: Data) -> list[str]:
        """What may be a leak, a sentence each (tasks.table.suspicion)."""
        return self._suspicions(*data.raw)

    def look(self, limit: int) -> Look:
        """What the first `limit` rows tell. Raises ValueError with one sentence."""
        found = self.understand(limit)
        rows, exact = len(found.table) + found.without_target, True
        if self.path is not None:
            rows, exact = size(self.path, rows, limit)
        facts = [("rows", f"{rows:,}" if exact else f"about {rows:,}")]
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
            low, middle, high = np.quantile(found.labels, [0, 0.5, 1])
            facts.append(("values", f"{low:g} to {high:g}, median {middle:g}"))
        by = f" by {found.plan.column}" if found.plan.column else ""
        facts.append(("split", f"{found.plan.way}{by}: {found.plan.why} (or task.split=…)"))
        columns = [(c.name, *c.told(len(found.table))) for c in found.columns]
        warnings = self._suspicions(found, *self._split(found, 0))
        return Look(facts, columns, warnings, rows, sum(c.kind != "out" for c in found.columns))

    def _split(self, found: Understood, seed: int) -> tuple[np.ndarray, np.ndarray]:
        column = found.plan.column
        by = None if column is None else found.table[column]
        labels, classes = found.labels, found.classes
        return splitting.split(found.plan.way, seed, self.test_share, labels, classes, by)

    def _suspicions(self, found: Understood, train: np.ndarray, test: np.ndarray) -> list[str]:
        table, columns, target, labels, classes, *_ = found
        time = found.plan.column if found.plan.way == "time" else None
        return suspicions(target, table, columns, labels, classes, time, train, test)

    def understand(self, limit: int | None = None) -> Understood:
        """Read the file (limit: its first rows) and say what is in it."""
        raw, target = self._read(limit)
        if not raw.num_rows:
            raise ValueError(f"{self._source} has a header and no rows")
        target = targets.column_of(target, raw.column_names)
        for option in ("time", "group"):
            if (name := getattr(self, option)) is not None:
                targets.column_of(name, raw.column_names)
                if name == target:
                    raise ValueError(f"task.{option} is the target, {name!r}")
        types = self.types or {}
        for name in types:
            targets.column_of(name, raw.column_names)
        keep = [name for name in (self.time, self.group) if name is not None]
        table, columns = understand(raw, target, keep, types, self.n_jobs)
        del raw
        outcome = table.pop(target)
        known = outcome.notna().to_numpy()
        if not known.all():
            table, outcome = table[known].reset_index(drop=True), outcome[known]
        if not len(table.columns) and len(outcome) > 1 and outcome.nunique() == 1:
            raise ValueError(f"all {len(outcome):,} rows of {self._source} are the same")
        kind = None if self.kind == "auto" else self.kind
        labels, classes, why = targets.outcomes(outcome, kind, self.positive)
        if not len(table.columns):
            raise ValueError(f"{self._source} has no column to learn from beside the target")
        way = None if self.split == "auto" else self.split
        plan = splitting.plan(way, self.time, self.group, columns, len(table))
        name = {0: "regression", 2: "binary"}.get(len(classes), "multiclass")
        unknown = int((~known).sum())
        return Understood(table, columns, target, labels, classes, name, why, plan, unknown)

    @property
    def _source(self) -> str:
        return self.path or self.name or f"OpenML data set {self.id}"

    def _read(self, limit: int | None) -> tuple[pa.Table, str]:
        """(rows, name of the target)"""
        sources = [name for name in ("path", "id", "name") if getattr(self, name) is not None]
        if len(sources) != 1:
            found = " and ".join(f"task.{name}" for name in sources) or "none"
            raise ValueError(
                f"say where the table is: task.path, task.id or task.name, not {found}"
            )
        if self.id is not None:
            return fetch.openml(self.id, self.target)
        if self.name is not None:
            return fetch.shipped(self.name, self.target)
        if self.target is None:
            raise ValueError("say which column is to be predicted: task.target=COLUMN")
        assert self.path is not None
        return read(self.path, self.query, self.encoding, self.n_jobs, limit), self.target

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        """`features`: typed columns, with what has to be learned learned from train rows."""
        if name != "features":
            raise UnknownView("table", name, ("features",))
        found, train, test = data.raw
        rows = found.table.iloc[train]
        preparation = Preparation(found.columns).fit(rows)
        return preparation.transform(rows), preparation.transform(found.table.iloc[test])

    def raw_columns(self, data: Data, _view: str) -> list[str]:
        return [column.name for column in data.raw.found.columns if column.kind != "out"]
