"""What moves a model's answers: how much worse they are where one column of the test rows is dealt
out among them anew (permutation importance, Breiman 2001; Fisher, Rudin and Dominici 2019).

Asked of every model alike, of the columns that it reads, on the same test rows and with the same
deals. A column that others can stand in for is worth little to a model that has those too.
"""

from typing import Any

import numpy as np

from benchmarks.cell import rows as of_rows
from benchmarks.cell.answers import Asked
from benchmarks.cell.scores import linear, stored
from benchmarks.cell.subset import data_at
from tasks.metrics import OF_KIND, STANDARD, Metric

ROWS = (500, 200)  # that are dealt out: the most that the time allows
MOST_COLUMNS = 200
DEAL = 11  # of the seed of the deals


def drivers(
    asked: Asked, test: Any, answers: Any, metric: Metric, seconds: float, each: float
) -> dict[str, Any]:
    """`metric`, number of `rows`, and `of`: a `column`, by how much the metric is better with it
    than without (`drop`, positive whichever way it points) and the `variance` of that over test
    rows; or `why` nobody asked.

    test, answers: all test rows, and what was answered. seconds: that it may take, each: what a row
    takes.
    """
    names = of_rows.dealable(test)
    if names is None:
        return {"why": "its rows have no columns"}
    if len(names) > MOST_COLUMNS:
        return {"why": f"{len(names):,} columns are more than {MOST_COLUMNS}"}
    there = len(asked.data.test_labels)
    n = next((n for n in ROWS if n * len(names) * each <= seconds), 0)
    if not n:
        needed = min(ROWS[-1], there) * len(names) * each
        return {"why": f"it would have taken {needed:.3g} s (explain.seconds={seconds:g})"}
    places = np.unique(np.linspace(0, there - 1, min(n, there)).astype(int))
    rows, data = of_rows.anew(of_rows.take(test, places)), data_at(asked.data, places)
    before = of_rows.take(answers, places)
    metric = telling(metric.at(places), before, data)
    base = linear(metric, before, data)
    order = np.random.default_rng(DEAL).permutation(len(places))
    found = []
    for place, name in enumerate(names):
        after = stored(asked(of_rows.with_dealt(rows, place, order), "drivers"))
        drop = base.minus(linear(metric, after, data))
        variance = drop.variance() if len(drop.clusters) > 1 else None
        found.append({"column": name, "drop": metric.sign * drop.value, "variance": variance})
    return {"metric": metric.name, "label": metric.label, "rows": len(places), "of": found}


def telling(metric: Metric, answers: Any, data: Any) -> Metric:
    """This metric, or where it does not tell row by row, or these few rows lack a class, the last
    one of the kind that does."""
    if metric.influence is not None and np.isfinite(linear(metric, answers, data).value):
        return metric
    return STANDARD[OF_KIND[data.kind][-1]]
