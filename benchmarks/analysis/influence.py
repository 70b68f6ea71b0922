"""A metric on some test rows, and how each row moves it: what intervals are made of.

Loads nothing but NumPy, as every cell looks at its own figures with it (see checks).
"""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np


@dataclass(frozen=True)
class Linear:
    """A metric on one set of test rows, and how each cluster of rows moves it.

    metric(rows) is close to value + mean(influence of each row); a cluster's influence is the sum
    of its rows'. Rows of one user are one cluster, as they are alike in ways nobody recorded.
    """

    value: float
    clusters: np.ndarray  # (n_clusters,)
    rows: int

    def variance(self) -> float:
        """Of the value over draws of clusters (the infinitesimal jackknife, Efron 1982)."""
        n = len(self.clusters)
        return float(self.clusters @ self.clusters) / self.rows**2 * n / (n - 1) if n > 1 else inf

    def minus(self, other: "Linear") -> "Linear":
        return Linear(self.value - other.value, self.clusters - other.clusters, self.rows)


def influence(metric: str, predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """(metric, (n,) influence of each row on it); predictions and labels as a record keeps them.

    ROC AUC: the placement values of DeLong et al. (1988); the others: the delta method.
    """
    if metric == "roc_auc":
        columns = (1,) if predictions.shape[1] == 2 else range(predictions.shape[1])
        parts = [_auc_influence(predictions[:, k], labels == k) for k in columns]
        return float(np.mean([v for v, _ in parts])), np.mean([i for _, i in parts], axis=0)
    if metric in ("accuracy", "log_loss"):
        if metric == "accuracy":
            each = (predictions.argmax(axis=1) == labels).astype(np.float64)
        else:
            chosen = predictions[np.arange(len(labels)), labels].astype(np.float64)
            each = -np.log(chosen.clip(np.finfo(predictions.dtype).eps, 1))
        value = each.mean()
        return float(value), each - value
    error = predictions.astype(np.float64) - labels
    if metric == "mae":
        value = np.abs(error).mean()
        return float(value), np.abs(error) - value
    square = error**2
    mean_square = square.mean()
    if metric == "rmse":
        value = sqrt(mean_square)
        return value, (square - mean_square) / (2 * value) if value else 0 * square
    if metric == "r2":
        around = (labels - labels.mean()) ** 2
        variance = around.mean()
        share = mean_square / variance
        return float(1 - share), -(square - mean_square - share * (around - variance)) / variance
    raise LookupError(metric)


def _auc_influence(score: np.ndarray, positive: np.ndarray) -> tuple[float, np.ndarray]:
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
