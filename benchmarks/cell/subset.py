"""Being asked for some of the test rows alone, and being scored on the same ones beside all."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.cell import rows as of_rows
from benchmarks.cell.fields import judged
from benchmarks.cell.prepared import Prepared
from benchmarks.cell.protocols import offered
from benchmarks.cell.scores import own_influences, scored_on
from benchmarks.records import subset
from tasks.base import Data
from tasks.metrics import Metric


@dataclass(frozen=True)
class Subset:
    """Of the test rows of a cell."""

    places: np.ndarray | None
    """Of the rows that stand for all (records/subset.py). None where these are few, and for a task
    with a `score` of its own, which may count on all of them."""
    n_test: int
    is_all: bool
    """Is the model asked for these rows alone?"""

    @classmethod
    def of(cls, task: Any, model: Any, data: Data) -> "Subset":
        n_test = len(data.test_labels)
        places = subset.places(n_test) if offered(task, "score") is None else None
        return cls(places, n_test, places is not None and not offered(model, "whole_test"))

    def asked(self, made: Prepared, metrics: list[Metric]) -> tuple[Prepared, list[Metric]]:
        """What was prepared and the metrics, with the rows that the model is asked for."""
        if self.places is None or not self.is_all:
            return made, metrics
        test = of_rows.anew(of_rows.take(made.test, self.places))
        data = data_at(made.data, self.places)
        return dataclasses.replace(made, data=data, test=test), self._metrics(metrics)

    def rows(self, data: Data) -> dict[str, int]:
        """For the record."""
        found = {"train": len(data.train_labels), "test": len(data.test_labels)}
        return {**found, "of": self.n_test} if self.is_all else found

    def fields(
        self, task: Any, data: Data, metrics: list[Metric], answers: Any
    ) -> dict[str, Any] | None:
        """For the record: how answers to all test rows are on these."""
        if self.places is None or self.is_all:
            return None
        at = data_at(data, self.places), self._metrics(metrics)
        scored = scored_on(task, *at, of_rows.take(answers, self.places))
        return {"rows": len(self.places), **judged(scored)}

    def influences(self, data: Data, metrics: list[Metric], answers: Any) -> dict[str, np.ndarray]:
        """The same for metrics that a report could not compute by itself; zero on other rows."""
        if self.places is None or self.is_all:
            return {}
        at = data_at(data, self.places), self._metrics(metrics)
        found = {}
        for name, values in own_influences(*at, of_rows.take(answers, self.places)).items():
            found[subset.PREFIX + name] = np.zeros(self.n_test)
            found[subset.PREFIX + name][self.places] = values
        return found

    def _metrics(self, metrics: Sequence[Metric]) -> list[Metric]:
        assert self.places is not None
        return [metric.at(self.places) for metric in metrics]


def data_at(data: Data, places: np.ndarray) -> Data:
    """The data with these test rows alone."""
    names = ("test_labels", "truth", "group", "test_ids")
    given = {name: getattr(data, name) for name in names}
    there = {name: values for name, values in given.items() if values is not None}
    return dataclasses.replace(data, **{k: of_rows.take(v, places) for k, v in there.items()})
