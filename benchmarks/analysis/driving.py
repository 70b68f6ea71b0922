"""What drives a model: what its cells found (cell/drivers.py), over seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from benchmarks.analysis.estimates import ALPHA
from benchmarks.analysis.summary import Row


@dataclass(frozen=True)
class Driver:
    """A column of a model."""

    column: str
    drop: float
    """How much worse the answers are where its values are dealt out anew: the mean over seeds."""
    low: float
    high: float
    """95 % interval of that, over seeds and test rows, corrected for all columns."""


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
    found = [record for record in row.compared if record.get("drivers")]
    if not found:
        return None
    told = [record for record in found if record["drivers"].get("of")]
    if not told:
        return str(found[0]["drivers"].get("why", ""))
    metric = told[0]["drivers"]["metric"]
    alike = [record for record in told if record["drivers"]["metric"] == metric]
    by_column: dict[str, list[tuple[float, float]]] = {}
    for record in alike:
        for one in record["drivers"]["of"]:
            if one["variance"] is None:
                return "its test rows are all of one group, which does not tell what is chance"
            by_column.setdefault(one["column"], []).append((one["drop"], one["variance"]))
    same_rows = any(record.get("same_rows") for record in alike)
    z = NormalDist().inv_cdf(1 - ALPHA / 2 / len(by_column))
    made = [_over_seeds(column, pairs, z, same_rows) for column, pairs in by_column.items()]
    rows = min(record["drivers"]["rows"] for record in alike)
    label = str(alike[0]["drivers"].get("label") or metric)
    return Driven(row.label, label, rows, sorted(made, key=lambda d: -d.drop))


def _over_seeds(
    column: str, pairs: Sequence[tuple[float, float]], z: float, same_rows: bool
) -> Driver:
    """Its interval takes the larger of two variances: that of the test rows, which seeds that are
    tested on the same ones do not lessen, and that which the seeds show."""
    drops, variances = (np.array(values) for values in zip(*pairs, strict=True))
    of_rows = float(variances.mean()) / (1 if same_rows else len(pairs))
    of_seeds = float(drops.var(ddof=1)) / len(pairs) if len(pairs) > 1 else 0.0
    reach = z * math.sqrt(max(of_rows, of_seeds))
    mean = float(drops.mean())
    return Driver(column, mean, mean - reach, mean + reach)
