"""Your own events: a company's tables in, features by a machine and raw histories out.

python -m benchmarks task=events task.path=shop model.view=auto
python -m benchmarks.look task=events task.path=shop

Tables of entities, of what happened to them, and of labels with a moment, as `manifest.yaml` says
(docs/your-events.md); a folder of RelBench 3 works as it is.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Ge, Le

from tasks.base import Data, Look, labels_of
from tasks.events.company import Company, events_tables, read_company, seconds
from tasks.events.features import tables as tables_of
from tasks.events.manifest import read_manifest
from tasks.events.past import delay, past_of
from tasks.table.split import Plan, split
from tasks.table.target import outcomes

FIRST = 5_000  # labels whose past is made before any cell runs


@dataclass
class Events:
    """A binary, multiclass or regression problem, whichever the labels make it."""

    files: ClassVar[tuple[str, ...]] = ("path", "features")
    # What these do follows from the manifest; what somebody wrote stands in a file of SQL.
    general: ClassVar[tuple[str, ...]] = ("auto", "events")

    # a folder with a manifest.yaml, or such a file
    path: str | None = None
    # the task, where the folder has several
    name: str | None = None
    # a file of SQL over the tables, a row for each label: the view `features`
    features: str | None = None
    # of two classes, the one whose probability is predicted; unset: yes, true, 1, or the later name
    positive: str | None = None
    # share of labels that models are tested on, where the labels come in one file
    test_share: Annotated[float, Ge(0.05), Le(0.5)] = 0.3
    # supplied by the runner: threads for reading, and what runs the query (tasks.engines)
    n_jobs: int = 1
    sql_engine: str = "duckdb"

    def check(self) -> None:
        """Raise ValueError if nothing can be learned from the tables, with one sentence."""
        company = self.load(0).raw
        past_of(replace(company, labels=company.labels[-FIRST:].reset_index(drop=True)))

    def load(self, seed: int) -> Data:
        """Read the tables and split the labels by time. Raises ValueError with one sentence."""
        if self.path is None:
            raise ValueError("say where the tables are: task.path=FOLDER, or a manifest.yaml")
        manifest = read_manifest(self.path, self.name)
        company = read_company(manifest, self.n_jobs)
        told, classes, _ = outcomes(
            company.labels[manifest.target_col], manifest.kind, self.positive
        )
        labels = labels_of(told, classes)
        train, test = self._split(company, labels, classes, seed)
        order = np.concatenate([train, test])
        whose, _ = pd.factorize(company.labels[manifest.entity_col])
        company.labels = company.labels.iloc[order].reset_index(drop=True)
        company.train_rows = len(train)
        return Data(
            raw=_with_outcomes(company, labels[order], classes),
            train_labels=labels[train],
            test_labels=labels[test],
            classes=classes,
            group=whose[test],
            test_ids=test,
            ordered=True,
        )

    def _split(
        self, company: Company, labels: np.ndarray, classes: tuple[str, ...], seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Places of train and test rows in order of time: as given, or the last ones."""
        time = company.labels[company.manifest.time_col]
        if company.manifest.labels.keys() >= {"train", "test"}:
            order = np.argsort(time.to_numpy(), kind="stable")
            side = company.labels["split"].to_numpy()[order]
            train, test = order[side == "train"], order[side == "test"]
            if (late := int((time.iloc[train] > time.iloc[test].min()).sum())) > 0:
                company.notices.append(
                    f"{late:,} train rows lie after the first test row: they are no past of it"
                )
            company.notices.append(
                f"split as given: {len(train):,} rows of train and val, {len(test):,} of test; "
                "every seed has the same"
            )
            return train, test
        plan = Plan("time", str(time.name), "labels have moments, so train on the past")
        found = split(plan, seed, self.test_share, labels, classes, time)
        company.notices += found.said
        return found.train, found.test

    def tables(self, data: Data) -> dict[str, pd.DataFrame]:
        """What the query of `features` reads."""
        return tables_of(data.raw)

    def notices(self, data: Data) -> list[str]:
        """What may have been meant otherwise, what was left out, and how labels were split."""
        return data.raw.notices

    def raw_columns(self, data: Data, _view: str) -> list[str]:
        return [c.name for columns in data.raw.columns.values() for c in columns if c.kind != "out"]

    def look(self, _limit: int) -> Look:
        """What was understood of all tables. Raises ValueError with one sentence."""
        data = self.load(0)
        company: Company = data.raw
        manifest, labels = company.manifest, company.labels
        past = past_of(company).made
        empty = (past.start == past.stop).mean()
        known = np.concatenate([data.train_labels, data.test_labels])
        classes = ", ".join(
            f"{name} {(known == code).mean():.1%}" for code, name in enumerate(data.classes)
        )
        facts = [
            (
                "labels",
                f"{len(labels):,} of {manifest.entity_col}, {data.kind}: {manifest.target_col}",
            ),
            ("classes", classes),
            (
                "moments",
                f"{labels[manifest.time_col].iloc[0]} to {labels[manifest.time_col].iloc[-1]}",
            ),
            ("entities", manifest.entity_table or "of which nothing but the key is known"),
            ("events", ", ".join(f"{n} by {c}" for n, c in events_tables(manifest))),
            (
                "past",
                f"{(past.stop - past.start).mean():.3g} events of a label, none of {empty:.1%}",
            ),
            (
                "known after",
                "never" if manifest.known_after is None else f"{manifest.known_after:,} s",
            ),
        ]
        columns = [
            (column.name, *column.told(len(company.tables.get(name, labels))))
            for name, found in company.columns.items()
            for column in found
        ]
        read = sum(kind != "left out" for _, kind, *_ in columns)
        facts = [(label, text) for label, text in facts if text]
        return Look(facts, columns, company.notices, len(labels), read, 0, len(data.classes))

    def relabel(self, data: Data, labels: np.ndarray) -> Data:
        """The same rows with these outcomes: (n_train + n_test,) codes or values."""
        n = len(data.train_labels)
        return replace(
            data,
            raw=_with_outcomes(data.raw, labels, data.classes),
            train_labels=labels[:n],
            test_labels=labels[n:],
        )

    def rewrite(self, data: Data, n: int, seed: int) -> Data:
        """The tables as they were known when label n - 1 was to be predicted, and another future:
        outcomes not known by then are others; later labels and events have other contents, come
        sooner, and half of them never do."""
        company: Company = data.raw
        manifest, random = company.manifest, np.random.default_rng([seed, n])
        moment = seconds(company.labels[manifest.time_col])
        cut = int(moment[n - 1])
        labels = np.concatenate([data.train_labels, data.test_labels])
        wait = max(manifest.known_after or 0, 1)  # nobody knows an outcome at the moment itself
        unknown = (moment + wait > cut) | (np.arange(len(labels)) >= n)
        labels = np.where(unknown, _others(labels, len(data.classes)), labels)
        tables = dict(company.tables)
        for name in {name for name, _ in events_tables(manifest)}:
            time = str(manifest.tables[name].time_col)
            later = seconds(tables[name][time], up=True) + delay(company) > cut
            tables[name], _ = _another_future(tables[name], time, later, cut, random)
        later = np.arange(len(labels)) >= n
        rows, stays = _another_future(company.labels, manifest.time_col, later, cut, random)
        train_rows = int(stays[: company.train_rows].sum())
        raw = replace(company, tables=tables, labels=rows, train_rows=train_rows)
        kept = labels[stays]
        tested = stays[company.train_rows :]
        return replace(
            data,
            raw=_with_outcomes(raw, kept, data.classes),
            train_labels=kept[:train_rows],
            test_labels=kept[train_rows:],
            group=None if data.group is None else data.group[tested],
            test_ids=None if data.test_ids is None else data.test_ids[tested],
        )


def _with_outcomes(company: Company, labels: np.ndarray, classes: tuple[str, ...]) -> Company:
    """The labels' table with outcomes as numbers; of several classes, as a category."""
    came: Any = labels.astype(np.float64)
    if len(classes) > 2:
        came = pd.Categorical.from_codes(labels.astype(np.int64), pd.Index(classes))
    return replace(company, labels=company.labels.assign(**{company.manifest.target_col: came}))


def _others(labels: np.ndarray, classes: int) -> np.ndarray:
    return (labels + 1) % classes if classes else labels.max() + labels.min() - labels


def _another_future(
    rows: pd.DataFrame, time: str, later: np.ndarray, cut: int, random: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """(rows of which the later ones have each other's contents, half the waiting, and half of them
    are gone; which ones stay)"""
    order = np.arange(len(rows))
    order[later] = random.permutation(order[later])
    moments = rows[time].to_numpy("M8[us]")
    edge = np.datetime64(cut, "s").astype("M8[us]")
    waiting = np.where(later & (moments > edge), (moments - edge) // 2, np.timedelta64(0, "us"))
    changed = rows.iloc[order].reset_index(drop=True).assign(**{time: moments - waiting})
    stays = ~later | (random.random(len(rows)) < 0.5)
    stays[-1] = True  # there is a test row left
    return changed[stays].reset_index(drop=True), stays
