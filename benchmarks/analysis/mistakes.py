"""Where a model is wrong: which classes it takes for which, what a threshold finds and misses, and
how far off its values are. From raw outcomes; loads nothing but NumPy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.analysis.curves import THRESHOLDS, Load
from benchmarks.analysis.outcomes import is_finite
from benchmarks.analysis.summary import Row

MOST_POINTS = 600  # of residuals that are shown
MOST_CLASSES = 30  # of a matrix that anybody can read


@dataclass(frozen=True)
class Confusion:
    """Over all seeds of a row."""

    classes: Sequence[str]
    counts: np.ndarray
    """(n_classes, n_classes) rows by what they are and what they were taken for"""

    @property
    def shares(self) -> np.ndarray:
        """Of the rows of each class."""
        found: np.ndarray = self.counts / self.counts.sum(axis=1, keepdims=True).clip(1)
        return found

    def worst(self) -> tuple[str, str, float] | None:
        """(what it was, what it was taken for, share of its class) of the mistake that most rows
        of a class have in common; None where there is none."""
        wrong = self.shares * (1 - np.eye(len(self.classes)))
        if not wrong.any():
            return None
        true, taken = divmod(int(wrong.argmax()), len(self.classes))
        return self.classes[true], self.classes[taken], float(wrong[true, taken])


@dataclass(frozen=True)
class Found:
    """What a threshold finds of two classes, means over seeds."""

    precision: np.ndarray  # (201,) by THRESHOLDS; NaN where nothing is chosen
    recall: np.ndarray  # (201,)
    share: float  # of rows that are positive


@dataclass(frozen=True)
class Residuals:
    """Of some rows, evenly over what was predicted: the value, and how far off it was."""

    predicted: np.ndarray
    residual: np.ndarray  # the true value less the predicted one
    spread: tuple[float, float]  # between which 90 % of all residuals are


def confusion(row: Row, load: Load) -> Confusion | None:
    """None for what has no classes, more than anybody can read, or no outcomes left."""
    classes: list[str] = []
    counts: np.ndarray | None = None
    for arrays in _outcomes(row, load, ("binary", "multiclass")):
        names = [str(name) for name in arrays["classes"]]
        if len(names) > MOST_CLASSES or (classes and names != classes):
            return None
        classes = names
        taken = arrays["predictions"].argmax(axis=1)
        flat = np.bincount(arrays["labels"] * len(names) + taken, minlength=len(names) ** 2)
        square = flat.reshape(len(names), len(names))
        counts = square if counts is None else counts + square
    return None if counts is None else Confusion(classes, counts)


def found(row: Row, load: Load) -> Found | None:
    """None where there are not two classes."""
    precisions, recalls, shares = [], [], []
    for arrays in _outcomes(row, load, ("binary",)):
        scores, positive = arrays["predictions"][:, 1], arrays["labels"] == 1
        if not positive.any():
            continue
        order = np.sort(scores)
        hits = np.sort(scores[positive])
        chosen = len(order) - np.searchsorted(order, THRESHOLDS, side="left")
        right = len(hits) - np.searchsorted(hits, THRESHOLDS, side="left")
        with np.errstate(invalid="ignore", divide="ignore"):
            precisions.append(np.where(chosen, right / chosen, np.nan))
        recalls.append(right / len(hits))
        shares.append(positive.mean())
    if not recalls:
        return None
    with np.errstate(invalid="ignore"):
        precision = np.array(precisions)
        some = ~np.isnan(precision)
        mean = np.where(some.any(axis=0), np.nansum(precision, axis=0) / some.sum(axis=0), np.nan)
    return Found(mean, np.mean(recalls, axis=0), float(np.mean(shares)))


def residuals(row: Row, load: Load) -> Residuals | None:
    """None for what is no regression."""
    made = [
        (arrays["predictions"], arrays["labels"] - arrays["predictions"])
        for arrays in _outcomes(row, load, ("regression",))
    ]
    if not made:
        return None
    predicted, off = (np.concatenate(part) for part in zip(*made, strict=True))
    low, high = np.quantile(off, [0.05, 0.95])
    order = np.argsort(predicted, kind="stable")
    shown = order[np.linspace(0, len(order) - 1, min(MOST_POINTS, len(order))).astype(int)]
    return Residuals(predicted[shown], off[shown], (float(low), float(high)))


def _outcomes(row: Row, load: Load, kinds: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Raw outcomes of the seeds of a row that have these kinds of answers."""
    for record in row.compared:
        if record["kind"] in kinds:
            arrays = load(record)
            if arrays is not None and is_finite(arrays["predictions"]):
                yield arrays
