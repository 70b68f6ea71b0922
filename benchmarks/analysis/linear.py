"""A metric on some test rows, and how each cluster of rows moves it: what intervals are made of.

Loads nothing but NumPy, as every cell looks at its own figures with it (see cell/checks.py).
"""

from dataclasses import dataclass, replace
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
    units: np.ndarray | None = None
    """(n_clusters,) which clusters of a data set these are, each once, where other seeds may be
    tested on them too; None where every seed has clusters of its own."""
    test_share: float = 0.0
    """Test rows per train row."""

    def variance(self) -> float:
        """Of the value over draws of clusters (the infinitesimal jackknife, Efron 1982)."""
        moves = self.moves()
        return float(moves @ moves)

    def moves(self) -> np.ndarray:
        """(n_clusters,) what each cluster adds to the error of the value: their sum of squares is
        its variance. Infinite for a single cluster, which does not tell."""
        n = len(self.clusters)
        if n < 2:
            return np.full(n, inf)
        return self.clusters / self.rows * np.sqrt(n / (n - 1))

    def minus(self, other: "Linear") -> "Linear":
        """The difference, on the same rows."""
        difference = self.clusters - other.clusters
        value = self.value - other.value
        return replace(self, value=value, clusters=difference)
