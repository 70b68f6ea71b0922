"""One weight per id and per pair of ids: they are hashed into a table of a size that is given.

You do: say which ids belong into a row; every pair of them becomes an id of its own.
It does: finds the weight of each, all at once, by convex optimisation.
Pays in: rows, as a pair's weight is learned from the rows that hold this very pair.
"""

from dataclasses import dataclass
from itertools import chain, combinations
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Ge, Gt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

# SplitMix64: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
GOLDEN = 0x9E3779B97F4A7C15
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass
class HashedLogistic:
    crosses: bool = True  # a weight for each pair of ids of a row, too
    buckets: Annotated[int, Ge(2)] = 1_048_576  # weights; ids that fall into one share it
    C: Annotated[float, Gt(0)] = 0.02  # the smaller, the closer the weights stay to zero
    max_values: Annotated[int, Ge(1)] = 40_000_000  # more are skipped: with 13 ids, 56 bytes each
    view: str = "ids"  # which view of the task it reads
    # Supplied by the runner.
    random_state: int = 0  # unused by the solver: the problem is convex and has one answer

    # Weinberger et al. 2009 hash (arXiv 0902.2206), McMahan et al. 2013 tell of it in use (KDD);
    # with crosses and this solver: Chapelle, Manavoglu and Rosales 2014, "Simple and Scalable
    # Response Prediction for Display Advertising".
    era: ClassVar[str] = "hashing"
    year: ClassVar[int] = 2009
    answers: ClassVar[tuple[str, ...]] = ("probabilities",)
    warm_up: ClassVar[dict[str, int]] = {"buckets": 4096}

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "HashedLogistic":
        """X: (n, fields) ids; y: (n,) class names as str objects."""
        if y.dtype.kind == "f":
            raise ValueError(
                "hashed_logistic predicts classes and y is numbers; "
                "for these there is factorisation"
            )
        self.fields_ = list(X.columns)
        # With ten times this tolerance it stops after 5 steps on `ads`, 20 too early.
        model = LogisticRegression(C=self.C, max_iter=200, tol=1e-3)
        self.model_ = model.fit(self.inputs(X), y)
        self.classes_ = self.model_.classes_
        self.n_parameters_ = int(np.count_nonzero(self.model_.coef_))  # weights of what was seen
        self.notes_: dict[str, Any] = {}
        return self

    def inputs(self, X: pd.DataFrame) -> csr_matrix:
        """Rows as the estimator takes them: (n, buckets), a one for each id and each pair."""
        ids = [hashed(X[name], place) for place, name in enumerate(self.fields_)]
        pairs = list(combinations(ids, 2)) if self.crosses else []
        buckets = np.empty((len(X), len(ids) + len(pairs)), np.int32)
        crossed = (mixed(one * FIRST + other) for one, other in pairs)
        for place, values in enumerate(chain(ids, crossed)):
            buckets[:, place] = values % np.uint64(self.buckets)
        ones = np.ones(buckets.size, np.float32)
        ends = np.arange(len(X) + 1) * buckets.shape[1]
        return csr_matrix((ones, buckets.ravel(), ends), shape=(len(X), self.buckets))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        found = self.model_.predict_proba(self.inputs(X)).astype(np.float64)  # from float32
        return found / found.sum(axis=1, keepdims=True)


def hashed(ids: pd.Series, field: int) -> np.ndarray:
    """(n,) uint64, others for the same id in another field."""
    if ids.dtype.kind not in "iu":
        raise ValueError(f"column {ids.name!r} holds {ids.dtype}; ids are whole numbers")
    start = np.uint64((field + 1) * GOLDEN % 2**64)
    return mixed(ids.to_numpy().astype(np.uint64) + start)


def mixed(numbers: np.ndarray) -> np.ndarray:
    """(n,) uint64 in which every bit depends on every bit of the numbers."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * FIRST
    numbers = (numbers ^ (numbers >> np.uint64(27))) * SECOND
    return numbers ^ (numbers >> np.uint64(31))
