"""What a task is: raw data, one split, the views on it, and the metrics it is judged by.

A task is a class of its own; nothing is inherited from here. It needs

    load(seed) -> Data                  draw or split the raw data

and its views, the rows as one kind of approach reads them, either as a method

    view(data, name) -> (train, test)   raise UnknownView for a name it cannot offer

or, where the task is a folder (a package), as one file for each view, found by its name:

    NAME.py, with view(task, data) -> (train, test)
    NAME.sql, a query over `task.tables(data)`: a row for each train row, then for each test row

Rows may be a data frame, an array of any rank, a list of texts, or anything else with a length and
indexing. What else a task may have stands, with what its absence means, in benchmarks/cell/
protocols.py: its metrics, a check of its settings, views that are expensive, and more.

This module loads nothing heavy.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from tasks.metrics import OF_KIND, STANDARD
from tasks.metrics import Metric as Metric  # what a task with a metric of its own makes

Answer = Literal["probabilities", "values", "answers"]
Kind = Literal["binary", "multiclass", "regression", "answers"]


@dataclass(frozen=True)
class Data:
    """One draw of a task: the rows, labels and split that every model of a seed shares."""

    raw: Any
    """Whatever the task's own views read."""
    train_labels: Any
    """Of classes: (n_train,) integer codes into `classes`; names are taken as well, and turned
    into codes. Of values: (n_train,) float64. Of answers: a list of texts, or of anything that
    JSON can hold. In the task's order."""
    test_labels: Any
    """The same for the test rows. Only metrics may look at them."""
    classes: tuple[str, ...] = ()
    """Class names, the positive one last if there are two; empty for values and answers."""
    truth: Any = None
    """(n_test, n_classes) true probabilities, columns as in `classes`; (n_test,) true means of
    values; a list of true answers. None where nobody knows them, as with real data."""
    group: np.ndarray | None = None
    """(n_test,) what test rows have in common (a user), so that errors can be clustered."""
    test_ids: np.ndarray | None = None
    """(n_test,) which rows of a data set these are, where every seed splits the same rows; None
    where every seed draws rows of its own."""
    ordered: bool = False
    """Do train rows stand in an order in which the last ones are a fair holdout: by time, or as
    `dealt`? If not, cells deal them out; so they do not where the task offers `rewrite`, which
    rows in order of time alone have."""

    def __post_init__(self) -> None:
        for name in ("train_labels", "test_labels"):
            object.__setattr__(self, name, labels_of(getattr(self, name), self.classes))
        if isinstance(self.train_labels, list) != isinstance(self.test_labels, list):
            raise ValueError("labels of train rows are answers and those of test rows are not")

    @property
    def answer(self) -> Answer:
        """What a model is asked for."""
        if isinstance(self.train_labels, list):
            return "answers"
        return "probabilities" if self.classes else "values"

    @property
    def kind(self) -> Kind:
        if self.answer == "answers":
            return "answers"
        kinds: dict[int, Kind] = {0: "regression", 2: "binary"}
        return kinds.get(len(self.classes), "multiclass")

    def told(self, labels: Any) -> Any:
        """Labels as a model is given them: names for codes, all else as it is."""
        return np.array(self.classes, dtype=object)[labels] if self.classes else labels


def labels_of(given: Any, classes: tuple[str, ...]) -> Any:
    """Labels as `Data` keeps them. Raises ValueError for a name that is no class, and for a code
    that has none."""
    if isinstance(given, list | tuple) and not classes:
        is_number = given and all(isinstance(x, int | float) for x in given)
        return np.asarray(given, np.float64) if is_number else list(given)
    labels: Any = np.asarray(given)
    if not classes:
        return labels.tolist() if labels.dtype.kind in "OUS" else labels.astype(np.float64)
    if labels.dtype.kind in "iub":
        low, high = (int(labels.min()), int(labels.max())) if len(labels) else (0, 0)
        if low < 0 or high >= len(classes):
            raise ValueError(
                f"label codes go from {low} to {high}, but there are {len(classes)} classes"
            )
        return labels.astype(np.int16 if len(classes) < 2**15 else np.int32)
    codes = np.full(len(labels), -1, dtype=np.int16 if len(classes) < 2**15 else np.int32)
    for code, name in enumerate(classes):
        codes[labels == name] = code
    unknown = np.flatnonzero(codes == -1)
    if len(unknown):
        raise ValueError(
            f"the label {labels[unknown[0]]!r} is none of the classes {', '.join(classes)}"
        )
    return codes


def standard_scores(data: Data, predictions: Any) -> dict[str, float]:
    """The metrics of the data's kind, for a task that has a `score` of its own."""
    return {name: STANDARD[name].of(predictions, data.test_labels) for name in OF_KIND[data.kind]}


ALIKE = 20  # rows, or groups, with similar outcomes that are dealt out together


def dealt(labels: Any, seed: int, group: np.ndarray | None = None) -> np.ndarray:
    """(n,) places of rows in an order by chance in which every stretch is like the whole: models
    and searches hold out the last rows, and a file may be sorted by its target.

    labels: (n,) codes of classes, each of which is spread evenly; numbers, of which low and high
    ones are; or a list of answers. group: (n,) codes from 0 on; rows of one stay together, so
    that a holdout cuts through one group at most.
    """
    rng = np.random.default_rng([seed, 6])
    if group is None:
        return np.argsort(spread(strata(labels), rng), kind="stable")
    places = spread(strata_of_groups(labels, group), rng)[group]
    return np.lexsort((rng.random(len(places)), places))


def spread(strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) numbers from 0 to 1 by chance, those of each stratum evenly apart."""
    mixed = rng.permutation(len(strata))
    order = mixed[np.argsort(strata[mixed], kind="stable")]
    _, first, counts = np.unique(strata[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, counts)
    places = np.empty(len(order))
    places[order] = (rank + rng.random(len(order))) / np.repeat(counts, counts)
    return places


def strata(labels: Any) -> np.ndarray:
    """(n,) codes of what is alike: classes, neighbours in value, or answers, all of them."""
    if isinstance(labels, list):
        return np.zeros(len(labels), dtype=np.int64)
    return labels if labels.dtype.kind in "iu" else _blocks(np.argsort(labels, kind="stable"))


def strata_of_groups(labels: Any, group: np.ndarray) -> np.ndarray:
    """(n_groups,) codes of groups with similar outcomes: of classes, the one that a group has most
    of beside its usual share, and how much of it; of values, the mean."""
    size = np.bincount(group)
    if isinstance(labels, list):
        return np.zeros(len(size), dtype=np.int64)
    if labels.dtype.kind not in "iu":
        return _blocks(np.argsort(np.bincount(group, labels) / size, kind="stable"))
    usual = np.bincount(labels) / len(labels)
    pairs, counts = np.unique(group.astype(np.int64) * len(usual) + labels, return_counts=True)
    mine, code = np.divmod(pairs, len(usual))
    excess = counts / size[mine] / usual[code]
    most = np.lexsort((excess, mine))[np.cumsum(np.bincount(mine)) - 1]  # the last of each group
    return _blocks(np.lexsort((excess[most], code[most])))


def _blocks(order: np.ndarray) -> np.ndarray:
    codes = np.empty(len(order), dtype=np.int64)
    codes[order] = np.arange(len(order)) // ALIKE
    return codes


class Look(NamedTuple):
    """What can be told of a task before any model has run (see benchmarks.look)."""

    facts: list[tuple[str, str]]
    """(label, text)"""
    columns: list[tuple[str, str, str, str]]
    """(name, what it is taken for, values of it, what was understood)"""
    warnings: list[str]
    rows: int
    columns_read: int
    levels: int = 0
    """Of all columns that are categories."""
    classes: int | None = None
    """0: values are predicted; None: nobody has said yet what is."""


class UnknownView(ValueError):
    """The task cannot offer a view; the cell that asked for it is skipped."""

    def __init__(self, task: str, name: str, offered: Sequence[str]) -> None:
        super().__init__(f"{task} has no view {name!r}; it offers {', '.join(offered)}")


def floor_answers(data: Data) -> Any:
    """What is known without looking at a row: class shares, the mean, or the most common answer of
    the train labels, for each test row."""
    n_test = len(data.test_labels)
    if data.answer == "values":
        return np.full(n_test, data.train_labels.mean())
    if data.answer == "answers":
        keys = [repr(label) for label in data.train_labels]
        most, _ = Counter(keys).most_common(1)[0]
        return [data.train_labels[keys.index(most)]] * n_test
    shares = [(data.train_labels == code).mean() for code in range(len(data.classes))]
    return np.tile(np.array(shares), (n_test, 1))
