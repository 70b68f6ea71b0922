"""A metric on some of the test rows: on those that are like the train rows, or on the others."""

from typing import Any

import numpy as np

from tasks.base import Metric
from tasks.influences import Influence


def on(rows: np.ndarray, metric: Metric, name: str, label: str, words: str) -> Metric:
    """The metric on these rows alone, with a name, a label and words of its own.

    rows: (n_test,) bool. The other rows move it nowhere; each of these moves it n_test / rows.sum()
    times as far as it moves the metric of these rows by themselves, since so many test rows stand
    for one of them. Raises ValueError where no row is left, and, when it is asked, for anything but
    a prediction for each of the n_test rows.
    """
    rows = np.asarray(rows, dtype=bool)
    n, count = len(rows), int(rows.sum())
    if not count:
        raise ValueError(f"the metric {name} is left without a row: none of {n:,} is among its own")

    def value(predictions: Any, labels: Any) -> float:
        return metric.of(_part(predictions), _part(labels))

    def influence(predictions: Any, labels: Any) -> tuple[float, np.ndarray]:
        assert metric.influence is not None
        found, of_part = metric.influence(_part(predictions), _part(labels))
        each = np.zeros(n)
        each[rows] = of_part * (n / count)
        return found, each

    def _part(values: Any) -> Any:
        if len(values) != n:
            raise ValueError(
                f"the metric {name} is one of {count:,} of {n:,} test rows, which it knows by "
                f"their places; it cannot be told from {len(values):,} rows"
            )
        if isinstance(values, np.ndarray):
            return values[rows]
        return [values[place] for place in np.flatnonzero(rows).tolist()]

    told: Influence | None = None if metric.influence is None else influence
    return Metric(
        *(name, label, words, metric.higher_is_better, metric.band, metric.relative),
        value=value,
        influence=told,
        whole=metric.whole or metric,
        part=lambda places: on(rows[places], metric, name, label, words),
    )
