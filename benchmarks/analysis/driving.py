"""What drives a model: what its cells found (cell/drivers.py), over seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.analysis.summary import Row

Z = 1.96


@dataclass(frozen=True)
class Driver:
    """A column of a model."""

    column: str
    drop: float
    """How much worse the answers are where its values are dealt out anew: the mean over seeds."""
    low: float
    high: float
    """95 % interval of that, over seeds and test rows."""


@dataclass(frozen=True)
class Driven:
    """Of a model."""

    label: str
    metric: str
    """As a table calls it."""
    rows: int
    """Test rows of a seed that were dealt out."""
    drivers: Sequence[Driver]
    """The strongest first."""


def driven(row: Row) -> Driven | str | None:
    """Of the seeds that a row's score is a mean over; why it was not asked, where it was not; None
    where nobody wanted to know."""
    found = [record["drivers"] for record in row.compared if record.get("drivers")]
    if not found:
        return None
    told = [drivers for drivers in found if drivers.get("of")]
    if not told:
        return str(found[0].get("why", ""))
    metric = told[0]["metric"]
    alike = [drivers for drivers in told if drivers["metric"] == metric]
    by_column: dict[str, list[tuple[float, float]]] = {}
    for drivers in alike:
        for one in drivers["of"]:
            variance = one["variance"]
            pair = one["drop"], math.inf if variance is None else variance
            by_column.setdefault(one["column"], []).append(pair)
    made = [_over_seeds(column, pairs) for column, pairs in by_column.items()]
    rows = min(drivers["rows"] for drivers in alike)
    label = str(alike[0].get("label") or metric)
    return Driven(row.label, label, rows, sorted(made, key=lambda d: -d.drop))


def _over_seeds(column: str, pairs: Sequence[tuple[float, float]]) -> Driver:
    """Its interval takes the larger of two variances: that of the test rows, and that which the
    seeds show."""
    drops, variances = (np.array(values) for values in zip(*pairs, strict=True))
    of_rows = float(variances.mean()) / len(pairs)
    of_seeds = float(drops.var(ddof=1)) / len(pairs) if len(pairs) > 1 else 0.0
    reach = Z * math.sqrt(max(of_rows, of_seeds))
    mean = float(drops.mean())
    return Driver(column, mean, mean - reach, mean + reach)
