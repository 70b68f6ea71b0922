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
    p = predictions.astype(np.float64)
    if metric == "roc_auc":
        columns = (1,) if p.shape[1] == 2 else range(p.shape[1])
        parts = [_auc_influence(p[:, k], labels == k) for k in columns]
        return float(np.mean([v for v, _ in parts])), np.mean([i for _, i in parts], axis=0)
    if metric in ("accuracy", "log_loss"):
        chosen = p[np.arange(len(p)), labels].clip(np.finfo(predictions.dtype).eps, 1)
        each = -np.log(chosen) if metric == "log_loss" else (p.argmax(axis=1) == labels) * 1.0
        return float(each.mean()), each - each.mean()
    error = p - labels
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
    below = _share_below(np.sort(score[~positive]), score)
    above = 1 - _share_below(np.sort(score[positive]), score)
    value, share = below[positive].mean(), positive.mean()
    weight = np.where(positive, share, 1 - share)
    return float(value), (np.where(positive, below, above) - value) / weight


def _share_below(ordered: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Share of `ordered` below each score; a tie counts half."""
    left, right = (np.searchsorted(ordered, score, side) for side in ("left", "right"))
    return (left + right) / (2 * len(ordered))
