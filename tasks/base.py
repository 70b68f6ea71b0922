"""What a task is: raw data, one split, the views on it, and a score.

A task is a class of its own (nothing is inherited from here) with three methods:

    load(seed) -> Data                        draw or split the raw data
    view(data, name) -> (train, test)         the rows as one kind of approach reads them
    score(data, predictions) -> dict          metrics on the test rows

and, where settings can contradict each other, a fourth:

    check() -> None                           raise ValueError before any cell runs

and, where data come from outside, a class constant `files` (names of the settings that are paths)
and

    look(rows) -> Look                        what the first so many rows tell
    suspicions(data) -> list of str           what may be a leak, for the check ME11

and, for the work ledger (docs/work-ledger.md), a class constant `general = True` if nobody wrote
its view for the problem at hand, and

    raw_columns(data, view) -> list of str    names of the raw columns that a view reads

and, for controls (benchmarks.cell.controls), where raw data hold outcomes or rows have an order:

    relabel(data, labels) -> Data             the same rows with other outcomes, wherever they stand
    rewrite(data, n, seed) -> Data            the first n rows as they were, with all that came
                                              after them, or was not known then, made different

This module loads nothing heavy: the process that prints tables reads METRICS from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np


class Metric(NamedTuple):
    label: str
    higher_is_better: bool
    band: float
    """Differences up to this do not matter in practice."""
    relative: bool = False
    """Is the band a share of the metric's value?"""


METRICS: Mapping[str, Metric] = {
    "roc_auc": Metric("ROC AUC", True, 0.002),
    "accuracy": Metric("accuracy", True, 0.005),
    "log_loss": Metric("log loss", False, 0.01, relative=True),
    "r2": Metric("R²", True, 0.01),
    "rmse": Metric("RMSE", False, 0.01, relative=True),
    "mae": Metric("MAE", False, 0.01, relative=True),
}
# The first metric of a kind is the one that its tables are ordered by.
METRICS_OF: Mapping[str, tuple[str, ...]] = {
    "binary": ("roc_auc", "accuracy", "log_loss"),
    "multiclass": ("accuracy", "roc_auc", "log_loss"),
    "regression": ("r2", "rmse", "mae"),
}


@dataclass(frozen=True)
class Data:
    """One draw of a task: the rows, labels and split that every model of a seed shares."""

    raw: Any
    """Whatever the task's own views read."""
    train_labels: np.ndarray
    """(n_train,) class names as str objects, or float64 for regression, in the task's order."""
    test_labels: np.ndarray
    """(n_test,) the same for the test rows. Only `score` may look at them."""
    classes: tuple[str, ...] = ()
    """Class names, the positive one last if there are two; empty means regression."""
    truth: np.ndarray | None = None
    """(n_test, n_classes) true probabilities, columns as in `classes`; (n_test,) true means
    for regression. None where nobody knows them, as with real data."""
    group: np.ndarray | None = None
    """(n_test,) what test rows have in common (a user), so that errors can be clustered."""
    test_ids: np.ndarray | None = None
    """(n_test,) which rows of a data set these are, where every seed splits the same rows; None
    where every seed draws rows of its own."""

    @property
    def kind(self) -> str:
        """`regression`, `binary` or `multiclass`."""
        return {0: "regression", 2: "binary"}.get(len(self.classes), "multiclass")


class Task(Protocol):
    def load(self, seed: int) -> Data: ...

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        """Return (train, test) of the view `name`; raise UnknownView for one it cannot offer."""
        ...

    def score(self, data: Data, predictions: np.ndarray) -> dict[str, float]: ...


class Look(NamedTuple):
    """What can be told of a task before any model has run (see benchmarks.look)."""

    facts: list[tuple[str, str]]
    """(label, text)"""
    columns: list[tuple[str, str, str]]
    """(name, what it is taken for, what else there is to say)"""
    warnings: list[str]
    rows: int
    columns_read: int


class UnknownView(ValueError):
    """The task cannot offer a view; the cell that asked for it is skipped."""

    def __init__(self, task: str, name: str, offered: tuple[str, ...]) -> None:
        super().__init__(f"{task} has no view {name!r}; it offers {', '.join(offered)}")


def standard_scores(data: Data, predictions: np.ndarray) -> dict[str, float]:
    """Score predictions for the test rows with the metrics of the data's kind.

    predictions: (n_test, n_classes) probabilities with columns as in `data.classes`, or
    (n_test,) values for regression. Multiclass ROC AUC is the macro average of one class
    against the rest (scikit-learn, `roc_auc_score`).
    """
    # Imported here because the process that prints tables reads METRICS without scikit-learn.
    from sklearn import metrics

    labels = data.test_labels
    if data.kind == "regression":
        return {
            "r2": float(metrics.r2_score(labels, predictions)),
            "rmse": float(metrics.root_mean_squared_error(labels, predictions)),
            "mae": float(metrics.mean_absolute_error(labels, predictions)),
        }
    one_hot = labels[:, None] == np.array(data.classes, dtype=object)[None, :]
    columns = (len(data.classes) - 1,) if data.kind == "binary" else range(len(data.classes))
    auc = np.mean([metrics.roc_auc_score(one_hot[:, k], predictions[:, k]) for k in columns])
    right = predictions.argmax(axis=1) == one_hot.argmax(axis=1)
    # log_loss of scikit-learn sorts class names; ours keeps the task's order and its clipping.
    chosen = predictions[one_hot].clip(np.finfo(predictions.dtype).eps, 1.0)
    scores = {
        "roc_auc": float(auc),
        "accuracy": float(right.mean()),
        "log_loss": float(-np.log(chosen).mean()),
    }
    return {name: scores[name] for name in METRICS_OF[data.kind]}


def floor_predictions(data: Data) -> np.ndarray:
    """What is known without looking at a row: class shares, or the mean, of the train labels."""
    n_test = len(data.test_labels)
    if data.kind == "regression":
        return np.full(n_test, data.train_labels.mean())
    shares = [(data.train_labels == name).mean() for name in data.classes]
    return np.tile(np.array(shares), (n_test, 1))
