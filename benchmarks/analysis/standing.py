"""How sure a ranking is: which ranks a row may have, and how often it comes first when the test
rows are drawn again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.analysis.estimates import estimate
from benchmarks.analysis.linear import Linear
from benchmarks.analysis.summary import Row
from tasks.metrics import Facts

if TYPE_CHECKING:
    from benchmarks.analysis.verdicts import Verdict

DRAWS = 10_000


@dataclass(frozen=True)
class Standing:
    """What is known of a row's rank among those that have all seeds."""

    low: int
    """One more than the rows that are better, by the verdicts."""
    high: int
    """Any row below it is worse, by the verdicts."""
    first: float | None
    """How often it comes first when the test rows are drawn again; None where no row's influence
    tells."""
    score: tuple[float, float] | None = None
    """95 % interval of its score by itself, over seeds and test rows: of two rows the intervals may
    overlap and one of them be better all the same, as both met the same rows."""


def standings(
    rows: Sequence[Row],
    verdicts: Sequence["Verdict"],
    measured: Mapping[str, Mapping[int, Linear | None]],
    metric: Facts,
) -> dict[str, Standing]:
    """Of the ranked rows. The intervals of all ranks hold together with 95 %, as the verdicts do
    (Mogstad, Romano, Shaikh and Wilhelm 2024): a pair that nobody can tell apart, or that nobody
    judged, may stand either way round."""
    ranked = [row for row in rows if row.is_ranked and row.score(metric.name) is not None]
    labels = [row.label for row in ranked]
    sure = [(v.a, v.b) for v in verdicts if v.word == "better"]
    sure = [(a, b) for a, b in sure if a in labels and b in labels]
    first = come_first(ranked, measured, metric)
    return {
        row.label: Standing(
            1 + sum(b == row.label for _, b in sure),
            len(labels) - sum(a == row.label for a, _ in sure),
            first.get(row.label),
            interval(row, measured.get(row.label, {})),
        )
        for row in ranked
    }


def interval(row: Row, measured: Mapping[int, Linear | None]) -> tuple[float, float] | None:
    """Of a row's score; None for a metric that nothing tells row by row."""
    cells = [measured.get(seed) for seed in sorted(row.seeds or ())]
    known = [cell for cell in cells if cell is not None]
    found = estimate(known) if known and len(known) == len(cells) else None
    return None if found is None else found.interval()


def come_first(
    rows: Sequence[Row], measured: Mapping[str, Mapping[int, Linear | None]], metric: Facts
) -> dict[str, float]:
    """Label -> share of draws in which the row is first. Influences of a row are added up over the
    seeds that tested it, and drawn with normal weights (a multiplier bootstrap), for which their
    covariance between models is all that is needed."""
    seeds = sorted(rows[0].seeds or ()) if rows else []
    cells = [[measured.get(row.label, {}).get(seed) for seed in seeds] for row in rows]
    if not seeds or len(rows) < 2 or any(cell is None for row in cells for cell in row):
        return {}
    each = _by_unit([[cell for cell in row if cell is not None] for row in cells])
    covariance = each @ each.T / len(seeds) ** 2
    mean = metric.sign * np.array([np.mean([c.value for c in row if c]) for row in cells])
    size, turn = np.linalg.eigh(covariance)
    drawn = np.random.default_rng(0).normal(size=(DRAWS, len(rows)))
    scores = mean + drawn @ (turn * np.sqrt(size.clip(0))).T
    # Models that always agree stay in their order.
    is_first = scores >= scores.max(axis=1, keepdims=True) - 1e-9 * np.abs(mean).max()
    times = np.bincount(is_first.argmax(axis=1), minlength=len(rows))
    return {row.label: float(n / DRAWS) for row, n in zip(rows, times, strict=True)}


def _by_unit(cells: Sequence[Sequence[Linear]]) -> np.ndarray:
    """(rows, units) what each unit moves each row of the table, added up over its seeds."""
    units = [cell.units for cell in cells[0] if cell.units is not None]
    moves = [np.concatenate([cell.moves() for cell in row]) for row in cells]
    if len(units) < len(cells[0]):  # no seed is tested on a row of another one
        return np.array(moves)
    every, place = np.unique(np.concatenate(units), return_inverse=True)
    return np.array([np.bincount(place, move, len(every)) for move in moves])
