"""Controls: the same task, spoiled in a known way, so that the outcome is known as well.

Each is a task around a task. A model, a view or a harness that does not behave as the control says
is not to be trusted with the real thing.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from benchmarks.analysis.influence import influence
from benchmarks.cell.cell import Impossible
from tasks.base import Data, Task

FUTURE_ERRORS = 0.1  # share of rows in which the planted column is wrong
MOMENTS = 3  # at which the future is changed
SURE = 3.29  # standard errors; a model at chance is beyond them once in a thousand cells


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a control found; passed is None if it only shows something."""

    passed: bool | None
    text: str


class Control(Task, Protocol):
    def __init__(self, task: Task, seed: int) -> None: ...

    def finding(self, data: Data, predictions: np.ndarray, view: str) -> Finding: ...


class _Around:
    """A task that is another one unless it says otherwise."""

    def __init__(self, task: Any, seed: int) -> None:
        self.task, self.seed = task, seed

    def load(self, seed: int) -> Data:
        return self.task.load(seed)

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        return self.task.view(data, name)

    def score(self, data: Data, predictions: np.ndarray) -> dict[str, float]:
        return self.task.score(data, predictions)


class ShuffledLabels(_Around):
    """All labels, of train and test rows, are dealt out anew before any feature is made: whatever
    a model finds in them is chance, or the label itself."""

    def load(self, seed: int) -> Data:
        data = self.task.load(seed)
        labels = np.random.default_rng([seed, 1]).permutation(all_labels(data))
        return relabelled(self.task, data, labels)

    def finding(self, data: Data, predictions: np.ndarray, view: str) -> Finding:
        if data.kind == "regression":
            metric, codes, chance = "r2", data.test_labels, 0.0
        else:
            metric, chance = "roc_auc", 0.5
            codes = np.array([data.classes.index(name) for name in data.test_labels])
        value, each = influence(metric, predictions, codes)
        half = SURE * float(np.sqrt(each @ each)) / len(each)
        found = f"{'R²' if metric == 'r2' else 'ROC AUC'} {value:.3f} on shuffled labels"
        # Noise that was learned costs R², so below its chance nothing is wrong.
        apart = value - chance if metric == "r2" else abs(value - chance)
        return Finding(apart <= half, f"{found}, chance is {chance:.3f} ±{half:.3f}")


class FutureColumn(_Around):
    """A column is planted that says how each row will turn out. A test of the view, which changes
    the future and looks whether the past moves, must find this column and no other."""

    def __init__(self, task: Any, seed: int) -> None:
        super().__init__(task, seed)
        if not hasattr(task, "rewrite"):
            raise Impossible("the task has no order in time, so no column can know the future")

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        train, test = self.task.view(data, name)
        labels = all_labels(data)
        known = labels if not data.classes else (labels == data.classes[-1]).astype(float)
        wrong = np.random.default_rng([self.seed, 2]).random(len(known)) < FUTURE_ERRORS
        planted = np.where(wrong, np.random.default_rng([self.seed, 3]).permutation(known), known)
        n = len(data.train_labels)
        return with_column(train, planted[:n]), with_column(test, planted[n:])

    def finding(self, data: Data, predictions: np.ndarray, view: str) -> Finding:
        moved = self.moved(data, view)
        others = sorted(moved - {PLANTED})
        if others:
            return Finding(False, f"knows the future: {', '.join(others)}")
        caught = PLANTED in moved
        return Finding(
            caught,
            "the planted column was caught" if caught else "the planted column was not caught",
        )

    def moved(self, data: Data, view: str) -> set[str]:
        """Columns of a view in which rows moved although only what came after them was changed."""
        total = len(all_labels(data))
        before = joined(*self.view(data, view))
        found: set[str] = set()
        for n in np.random.default_rng([self.seed, 4]).integers(total // 4, total, MOMENTS):
            other = self.task.rewrite(data, int(n), self.seed)
            after = joined(*self.view(other, view))
            found |= differing(before, after, int(n))
        return found


class DuplicateUsers(_Around):
    """Half of the rows are taken, each twice, as if users were in a table under two names; then
    they are split at random, as one should not: most test rows have a twin among the train rows."""

    def load(self, seed: int) -> Data:
        data = self.task.load(seed)
        n_train, labels = len(data.train_labels), all_labels(data)
        rng = np.random.default_rng([seed, 5])
        half = rng.permutation(len(labels))[: len(labels) // 2]
        order = rng.permutation(np.concatenate([half, half]))
        return Data((data, order), labels[order[:n_train]], labels[order[n_train:]], data.classes)

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        inner, order = data.raw
        rows, n = joined(*self.task.view(inner, name)), len(data.train_labels)
        if hasattr(rows, "iloc"):
            rows = rows.iloc[order].reset_index(drop=True)
            return rows.iloc[:n], rows.iloc[n:].reset_index(drop=True)
        return rows[order[:n]], rows[order[n:]]

    def finding(self, data: Data, predictions: np.ndarray, view: str) -> Finding:
        return Finding(None, "twins of test rows among the train rows")


PLANTED = "planted"
CONTROLS: Mapping[str, Callable[[Any, int], Control]] = {
    "shuffled_labels": ShuffledLabels,
    "future_column": FutureColumn,
    "duplicate_users": DuplicateUsers,
}


def all_labels(data: Data) -> np.ndarray:
    return np.concatenate([data.train_labels, data.test_labels])


def relabelled(task: Any, data: Data, labels: np.ndarray) -> Data:
    """The same rows with other labels; a task whose raw data hold them has to do it itself."""
    if hasattr(task, "relabel"):
        return task.relabel(data, labels)
    n = len(data.train_labels)
    return dataclasses.replace(data, train_labels=labels[:n], test_labels=labels[n:], truth=None)


def joined(train: Any, test: Any) -> Any:
    """Train and test rows of a view in one table or array."""
    if hasattr(train, "columns"):
        return pd.concat([train, test], ignore_index=True)
    if isinstance(train, np.ndarray):
        return np.concatenate([train, test])
    raise Impossible(f"rows of the type {type(train).__name__} cannot be dealt out anew")


def with_column(rows: Any, values: np.ndarray) -> Any:
    if hasattr(rows, "assign"):
        return rows.assign(**{PLANTED: values})
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        return np.column_stack([rows, values])
    raise Impossible(f"no column can be planted in rows of the type {type(rows).__name__}")


def differing(before: Any, after: Any, n: int) -> set[str]:
    """Names of the columns whose first n rows are not exactly alike; an array's are numbered, but
    for the last, which is the planted one."""
    if hasattr(before, "columns"):
        return {name for name in before.columns if not before[name][:n].equals(after[name][:n])}
    alike = ((before[:n] == after[:n]) | (before[:n] != before[:n])).all(axis=0)
    names = [*map(str, range(before.shape[1] - 1)), PLANTED]
    return {name for name, same in zip(names, alike, strict=True) if not same}
