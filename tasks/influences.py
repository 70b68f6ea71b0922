"""How metrics are computed, and how each row moves them.

An influence is (value, (n,) how far it would move if there were a little more of a row). With it
a table can say how sure a difference is, without running anything again. Arguments are those of
tasks/metrics.py.
"""

import json
from collections.abc import Callable, Sequence
from math import nan, sqrt
from typing import Any

import numpy as np

Influence = Callable[[Any, Any], tuple[float, np.ndarray]]


def averaged(each: np.ndarray) -> tuple[float, np.ndarray]:
    """A metric that is the mean of something each row has."""
    value = each.mean()
    return float(value), each - value


def one_hot(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """(n,) codes -> (n, n_classes) truth values."""
    return labels[:, None] == np.arange(n_classes)


def told_apart(predictions: np.ndarray, labels: np.ndarray) -> list[int]:
    """The classes to hold against the rest: of two the second says all; of several those that the
    rows have, as nothing can be said of one that none of them is. Empty where all rows are of one
    class: then nothing is told apart, and the metric is not a number."""
    there = np.unique(labels).tolist()
    if len(there) < 2:
        return []
    return [1] if predictions.shape[1] == 2 else there


# ROC AUC


def roc_auc(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Of several classes: the macro average of one class against the rest (scikit-learn), over
    those that the rows have."""
    from sklearn.metrics import roc_auc_score

    columns = told_apart(predictions, labels)
    return _mean([roc_auc_score(labels == k, predictions[:, k]) for k in columns])


def roc_auc_influence(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """By the placement values of DeLong, DeLong and Clarke-Pearson (1988)."""
    return _over_classes(_placements, predictions, labels)


def _over_classes(
    of_class: Influence, predictions: np.ndarray, labels: np.ndarray
) -> tuple[float, np.ndarray]:
    parts = [of_class(predictions[:, k], labels == k) for k in told_apart(predictions, labels)]
    if not parts:
        return nan, np.zeros(len(labels))
    return _mean([v for v, _ in parts]), np.mean([i for _, i in parts], axis=0)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else nan


def _placements(score: np.ndarray, positive: np.ndarray) -> tuple[float, np.ndarray]:
    """From the share of negatives below each positive, and of positives above each negative; a tie
    counts half. One sort, and as little as possible behind it: runs have thousands of cells."""
    n, order = len(score), np.argsort(score)
    ordered, is_positive = score[order], positive[order]
    edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])  # of rows that are tied
    positives = np.r_[0, np.cumsum(is_positive, dtype=np.intp)][edges]  # before each edge
    up_to, sizes = positives[1:] + positives[:-1], np.diff(edges)
    n_positive = positives[-1]
    below = np.repeat((edges[1:] + edges[:-1] - up_to) / (2 * (n - n_positive)), sizes)
    above = np.repeat(1 - up_to / (2 * n_positive), sizes)
    value, share = below[is_positive].mean(), n_positive / n
    each = np.empty(n)
    each[order] = np.where(is_positive, (below - value) / share, (above - value) / (1 - share))
    return float(value), each


# Average precision


def average_precision(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Of several classes: the macro average of one class against the rest (scikit-learn), over
    those that the rows have."""
    from sklearn.metrics import average_precision_score

    columns = told_apart(predictions, labels)
    return _mean([average_precision_score(labels == k, predictions[:, k]) for k in columns])


def average_precision_influence(
    predictions: np.ndarray, labels: np.ndarray
) -> tuple[float, np.ndarray]:
    """By the delta method: average precision is the mean, over positives, of the precision among
    all rows that score at least as high."""
    return _over_classes(_precision_at_each, predictions, labels)


def _precision_at_each(score: np.ndarray, positive: np.ndarray) -> tuple[float, np.ndarray]:
    n, order = len(score), np.argsort(-score, kind="stable")
    ordered, y = score[order], positive[order].astype(np.float64)
    start = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    group = np.repeat(np.arange(len(start)), np.diff(np.r_[start, n]))  # of rows that are tied
    last = np.r_[start[1:], n] - 1
    seen, hits = (last + 1)[group], np.cumsum(y)[last][group]  # rows, positives that score as high
    precision, share = hits / seen, y.mean()
    value = float((y * precision).mean() / share)
    # A row counts among all that score no higher: in their hits and in their number.
    of_hits = np.cumsum((y / seen)[::-1])[::-1]
    of_rows = np.cumsum((y * precision / seen)[::-1])[::-1]
    first = start[group]
    each = np.empty(n)
    each[order] = (y * (precision - value) + y * of_hits[first] - of_rows[first]) / share
    return value, each


# What is said of the most probable class


def accuracy_influence(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    return averaged((predictions.argmax(axis=1) == labels).astype(np.float64))


def balanced_accuracy_influence(
    predictions: np.ndarray, labels: np.ndarray
) -> tuple[float, np.ndarray]:
    """The mean over classes of the share of a class's rows that is found; classes without a row
    are left out."""
    right = (predictions.argmax(axis=1) == labels).astype(np.float64)
    each, recalls = np.zeros(len(labels)), []
    for k in np.unique(labels):
        mine = labels == k
        recalls.append(right[mine].mean())
        each += mine * (right - recalls[-1]) / mine.mean()
    return float(np.mean(recalls)), each / len(recalls)


def macro_f1_influence(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean over classes of 2 TP / (2 TP + FP + FN); classes that neither occur nor are
    predicted are left out."""
    chosen = predictions.argmax(axis=1)
    each, values = np.zeros(len(labels)), []
    for k in np.union1d(labels, chosen):
        mine, said = (labels == k).astype(np.float64), (chosen == k).astype(np.float64)
        both = mine.mean() + said.mean()
        values.append(2 * (mine * said).mean() / both)
        each += (2 * mine * said - values[-1] * (mine + said)) / both
    return float(np.mean(values)), each / len(values)


# What is said of probabilities


def log_loss_influence(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    chosen = predictions[np.arange(len(labels)), labels].astype(np.float64)
    return averaged(-np.log(chosen.clip(np.finfo(predictions.dtype).eps, 1)))


def log_loss(predictions: np.ndarray, labels: np.ndarray) -> float:
    # log_loss of scikit-learn sorts class names; ours keeps the task's order and its clipping.
    chosen = predictions[np.arange(len(labels)), labels].clip(np.finfo(predictions.dtype).eps, 1.0)
    return float(-np.log(chosen).mean())


def brier_influence(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Brier (1950): the mean squared error of the probabilities; of several classes their sum."""
    p = predictions.astype(np.float64)
    error = ((p - one_hot(labels, p.shape[1])) ** 2).sum(axis=1)
    return averaged(error / 2 if p.shape[1] == 2 else error)


def recall_at(percent: int) -> Influence:
    """Share of all positive rows that stand among the first so many per cent by score."""

    def influence(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
        score, y = predictions[:, -1], (labels == predictions.shape[1] - 1).astype(np.float64)
        n, share = len(y), y.mean()
        count = max(1, round(n * percent / 100))
        order = np.argsort(-score, kind="stable")
        edge = score[order[count - 1]]
        above, tied = score > edge, score == edge
        # Rows that are tied at the edge have no order: each counts as their mean.
        chosen = above + tied * (count - above.sum()) / tied.sum()
        value = float((chosen * y).mean() / share)
        # A row more among the first pushes one out: as positive as those around the edge are.
        near = order[max(0, count - 1 - n // 40) : count + n // 40]
        each = (chosen * y - value * y - (chosen - chosen.mean()) * y[near].mean()) / share
        return value, each - each.mean()

    return influence


# What is said of values


def mean_absolute_error(predictions: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(labels, predictions))


def root_mean_squared_error(predictions: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(labels, predictions))


def explained(predictions: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.metrics import r2_score

    return float(r2_score(labels, predictions))


def mae_influence(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    return averaged(np.abs(predictions.astype(np.float64) - labels))


def rmse_influence(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    mean_square, each = averaged((predictions.astype(np.float64) - labels) ** 2)
    value = sqrt(mean_square)
    return value, each / (2 * value) if value else 0 * each


def r2_influence(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    square = (predictions.astype(np.float64) - labels) ** 2
    around = (labels - labels.mean()) ** 2
    mean_square, variance = square.mean(), around.mean()
    share = mean_square / variance
    return float(1 - share), -(square - mean_square - share * (around - variance)) / variance


# What is said of answers


def exact_match_influence(
    answers: Sequence[Any], labels: Sequence[Any]
) -> tuple[float, np.ndarray]:
    """Share of answers that are the label after normalising (see `normal`)."""
    hits = [normal(a) == normal(b) for a, b in zip(answers, labels, strict=True)]
    return averaged(np.array(hits, dtype=np.float64))


def normal(answer: Any) -> str:
    """An answer without what nobody means by it: case of letters, blanks, order of keys."""
    text = answer if isinstance(answer, str) else json.dumps(answer, sort_keys=True, default=str)
    return " ".join(text.casefold().split())
