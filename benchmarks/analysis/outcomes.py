"""Raw outcomes of finished cells: what was predicted, for which rows, and what that tells of a
metric. Loads nothing but NumPy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.analysis.linear import Linear
from benchmarks.analysis.summary import Row
from benchmarks.records.records import Record
from tasks.metrics import named

Load = Callable[[Record], Mapping[str, Any] | None]
"""The raw outcomes of a record (results/README.md), None if they are gone."""
NEEDED = ("predictions", "labels", "ids", "group")


@dataclass(frozen=True)
class Outcome:
    """What one finished cell predicted for its test rows."""

    seed: int
    arrays: Mapping[str, Any]
    scores: Mapping[str, float | None]
    test_share: float = 0.0  # test rows per train row

    def measured(self, metric: str) -> Linear | None:
        """The metric on these rows. None for one that nothing tells row by row, or of which the
        rows, all of one group, do not tell how it varies."""
        own, known = self.arrays.get(f"influence_{metric}"), named(metric)
        value = self.scores.get(metric)
        if own is not None and value is not None:  # of a metric that its task brought
            each = own
        elif known is not None and known.influence is not None:
            value, each = known.influence(self.arrays["predictions"], self.arrays["labels"])
        else:
            return None
        clusters = each if self._group is None else np.bincount(self._group, each)
        if len(clusters) < 2:
            return None
        return Linear(value, clusters, len(each), self.units, self.test_share)

    def has_rows_of(self, other: "Outcome") -> bool:
        """Are these the same test rows, as far as labels, ids and groups can tell?"""
        return all(self._same(other, name) for name in ("labels", "ids", "group"))

    def equals(self, other: "Outcome") -> bool:
        """The same predictions for the same rows, bit by bit?"""
        return self.has_rows_of(other) and self._same(other, "predictions")

    def _same(self, other: "Outcome", name: str) -> bool:
        mine, its = self.arrays.get(name), other.arrays.get(name)
        if mine is None or its is None:
            return mine is its
        if isinstance(mine, list) or isinstance(its, list):
            return bool(mine == its)
        return mine.dtype == its.dtype and np.array_equal(mine, its)

    @cached_property
    def units(self) -> np.ndarray | None:
        """(n_clusters,) which rows of a data set these are, or which groups of rows; None where
        every seed draws rows of its own."""
        ids, group = self.arrays.get("ids"), self.arrays.get("group")
        if ids is None:
            return None
        return np.asarray(ids) if group is None else np.unique(group)

    @cached_property
    def _group(self) -> np.ndarray | None:
        """(n_test,) number of the cluster that a row belongs to."""
        group = self.arrays.get("group")
        return None if group is None else np.unique(group, return_inverse=True)[1]


def outcomes(row: Row, load: Load) -> Iterator[Outcome]:
    """Of the cells of a row that are done and whose raw outcomes are there and finite."""
    for record in row.done:
        arrays = load(record)
        if arrays is not None and is_finite(arrays["predictions"]):
            share = record["rows"]["test"] / record["rows"]["train"]
            yield Outcome(record["seed"], arrays, record["scores"], share)


def is_finite(predictions: Any) -> bool:
    return isinstance(predictions, list) or bool(np.isfinite(predictions).all())


def overlap(seeds: Sequence[Outcome]) -> float:
    """The part of a seed's test rows that another seed is tested on too, on average."""
    units = [seed.units for seed in seeds]
    known = [one for one in units if one is not None]
    if len(known) < len(units) or len(units) < 2:
        return 0.0
    shares = [len(np.intersect1d(a, b)) / min(len(a), len(b)) for a, b in combinations(known, 2)]
    return float(np.mean(shares))
