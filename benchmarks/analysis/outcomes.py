"""Raw outcomes of finished cells: what was predicted, for which rows, and what that tells of a
metric. Loads nothing but NumPy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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
class Measured:
    """A metric on the test rows of one seed."""

    linear: Linear
    ids: np.ndarray | None
    test_share: float  # test rows per train row


@dataclass(frozen=True)
class Outcome:
    """What one finished cell predicted for its test rows."""

    seed: int
    arrays: Mapping[str, Any]
    test_share: float
    scores: Mapping[str, float | None]

    def measured(self, metric: str) -> Measured | None:
        """None for a metric that nothing tells row by row."""
        own, known = self.arrays.get(f"influence_{metric}"), named(metric)
        value = self.scores.get(metric)
        if own is not None and value is not None:  # of a metric that its task brought
            each = own
        elif known is not None and known.influence is not None:
            value, each = known.influence(self.arrays["predictions"], self.arrays["labels"])
        else:
            return None
        clusters = each if self._group is None else np.bincount(self._group, each)
        return Measured(Linear(value, clusters, len(each)), self.arrays.get("ids"), self.test_share)

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
            yield Outcome(record["seed"], arrays, share, record["scores"])


def is_finite(predictions: Any) -> bool:
    return isinstance(predictions, list) or bool(np.isfinite(predictions).all())


def design(seeds: Sequence[Measured]) -> tuple[float | None, bool]:
    """(test rows per train row if splits overlap else None, are the test rows all the same)"""
    first = seeds[0].ids
    if first is None:
        return None, False
    same = all(seed.ids is not None and np.array_equal(first, seed.ids) for seed in seeds)
    return (None, True) if same else (seeds[0].test_share, False)
