"""A metric on some test rows, and how each cluster of rows moves it: what intervals are made of.

Loads nothing but NumPy, as every cell looks at its own figures with it (see cell/checks.py).
"""

from dataclasses import dataclass
from math import inf

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
