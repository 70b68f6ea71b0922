"""Metrics: what each is called, which way it points, its value, and how each row moves it.

A task names its metrics (see tasks.base) by the names that stand here, or brings `Metric` objects
of its own. Nothing heavy is loaded before a value is asked for: the process that prints tables
reads names and words from here.

Arguments are everywhere what a record keeps. Of probabilities: `predictions` (n, n_classes) with
columns as in the task's classes, `labels` (n,) codes into them. Of values: both (n,) numbers. Of
answers (texts, or anything JSON can hold): both lists of n.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.influences import (
    Influence,
    accuracy_influence,
    average_precision,
    average_precision_influence,
    balanced_accuracy_influence,
    brier_influence,
    exact_match_influence,
    explained,
    log_loss,
    log_loss_influence,
    macro_f1_influence,
    mae_influence,
    mean_absolute_error,
    r2_influence,
    recall_at,
    rmse_influence,
    roc_auc,
    roc_auc_influence,
    root_mean_squared_error,
)


@dataclass(frozen=True)
class Facts:
    """What a table or a page needs to know of a metric: a record carries it, so that a report
    needs neither the task nor this file."""

    name: str
    label: str
    words: str
    """What it says, in a sentence without its full stop."""
    higher_is_better: bool
    band: float
    """Differences up to this do not matter in practice."""
    relative: bool = False
    """Is the band a share of the metric's value?"""

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.higher_is_better else -1


@dataclass(frozen=True)
class Metric(Facts):
    """A metric that can be computed. `value` may be left out where there is an `influence`."""

    value: Callable[[Any, Any], float] | None = None
    influence: Influence | None = None
    """(value, (n,) how far it would move if there were a little more of a row): value + the mean
    influence of some rows is close to the metric on them. None: nothing tells it row by row."""
    whole: "Metric | None" = None
    """Of a metric on some of the test rows: what other rows are judged by, as in a search."""
    part: "Callable[[np.ndarray], Metric] | None" = None
    """Of a metric that knows rows by their places: the same one where the test rows at these places
    are all there are."""

    def __post_init__(self) -> None:
        if self.value is None and self.influence is None:
            raise ValueError(f"the metric {self.name} needs a value or an influence")

    def of(self, predictions: Any, labels: Any) -> float:
        if self.value is not None:
            return float(self.value(predictions, labels))
        assert self.influence is not None
        return float(self.influence(predictions, labels)[0])

    def at(self, places: np.ndarray) -> "Metric":
        """The same metric where the test rows at these places are all there are."""
        return self if self.part is None else self.part(places)

    def facts(self) -> Facts:
        return Facts(
            self.name, self.label, self.words, self.higher_is_better, self.band, self.relative
        )


STANDARD: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "roc_auc",
            "ROC AUC",
            "probability that a positive row is ranked above a negative one, of several classes "
            "the mean over each against the rest; 0.5 is chance",
            True,
            0.002,
            value=roc_auc,
            influence=roc_auc_influence,
        ),
        Metric(
            "accuracy",
            "accuracy",
            "share of rows whose most probable class is the right one",
            True,
            0.005,
            influence=accuracy_influence,
        ),
        Metric(
            "log_loss",
            "log loss",
            "how surprised the probabilities are by what happened",
            False,
            0.01,
            True,
            value=log_loss,
            influence=log_loss_influence,
        ),
        Metric(
            "average_precision",
            "average precision",
            "mean precision over the positive rows, each counted with all that rank above it; "
            "chance is the share of positives",
            True,
            0.01,
            True,
            value=average_precision,
            influence=average_precision_influence,
        ),
        Metric(
            "balanced_accuracy",
            "balanced accuracy",
            "mean over classes of the share of their rows that is found",
            True,
            0.005,
            influence=balanced_accuracy_influence,
        ),
        Metric(
            "macro_f1",
            "macro F1",
            "mean over classes of the harmonic mean of precision and recall",
            True,
            0.005,
            influence=macro_f1_influence,
        ),
        Metric(
            "brier",
            "Brier score",
            "mean squared distance of the probabilities from what happened",
            False,
            0.01,
            True,
            influence=brier_influence,
        ),
        Metric(
            "r2",
            "R²",
            "share of the outcome's variance that is explained",
            True,
            0.01,
            value=explained,
            influence=r2_influence,
        ),
        Metric(
            "rmse",
            "RMSE",
            "root of the mean squared error, in the outcome's units",
            False,
            0.01,
            True,
            value=root_mean_squared_error,
            influence=rmse_influence,
        ),
        Metric(
            "mae",
            "MAE",
            "mean absolute error, in the outcome's units",
            False,
            0.01,
            True,
            value=mean_absolute_error,
            influence=mae_influence,
        ),
        Metric(
            "exact_match",
            "exact match",
            "share of answers that are the label, but for case and blanks",
            True,
            0.005,
            influence=exact_match_influence,
        ),
    )
}

# The first metric of a kind is the one that its tables are ordered by; `metric=…` takes another.
# Classes are never ranked by accuracy: where one of them holds most rows, knowing nothing but that
# has a high one (docs/adr/0015).
OF_KIND: Mapping[str, tuple[str, ...]] = {
    "binary": ("roc_auc", "accuracy", "log_loss"),
    "multiclass": ("roc_auc", "accuracy", "log_loss"),
    "regression": ("r2", "rmse", "mae"),
    "answers": ("exact_match",),
}
# Scored as well, and in the record: any of them can be made the main one later.
BESIDE: Mapping[str, tuple[str, ...]] = {
    "binary": ("average_precision", "balanced_accuracy", "macro_f1", "brier", "recall_at_10"),
    "multiclass": ("average_precision", "balanced_accuracy", "macro_f1", "brier"),
    "regression": (),
    "answers": (),
}
RARE = 0.2  # all classes but the most common one hold less of the rows together: few positives


def usual(kind: str, most_common: float) -> tuple[str, ...]:
    """The metrics of a kind that are shown, the main one first: with few positives the average
    precision, whose chance level is their share, in the place of the accuracy, whose floor hides
    what is gained.

    most_common: share of the rows that the most common class holds, 0 without classes.
    """
    if most_common <= 1 - RARE:
        return OF_KIND[kind]
    return tuple("average_precision" if n == "accuracy" else n for n in OF_KIND[kind])


def named(name: str) -> Metric | None:
    """A metric of this file: one of STANDARD, or recall_at_K for any K from 1 to 99."""
    if name in STANDARD:
        return STANDARD[name]
    if match := re.fullmatch(r"recall_at_([1-9]\d?)", name):
        percent = int(match[1])
        words = f"share of all positive rows that stand among the first {percent} % by score"
        return Metric(
            name, f"recall at top {percent} %", words, True, 0.005, influence=recall_at(percent)
        )
    return None


def applies(name: str, kind: str) -> bool:
    """Can the metric of this name be computed for outcomes of this kind?"""
    is_recall = name.startswith("recall_at_") and kind == "binary" and named(name) is not None
    return is_recall or name in (*OF_KIND[kind], *BESIDE[kind])
