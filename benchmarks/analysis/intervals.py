"""What is known of the scores of a single row: of each metric the mean over seeds with its
interval, which covers the test rows and, of several seeds, their luck (see estimates.py)."""

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.analysis.estimates import estimate, of_scores
from benchmarks.analysis.outcomes import Load, outcomes, overlap
from benchmarks.analysis.summary import Row, Section
from tasks.metrics import Facts


class Known(NamedTuple):
    metric: Facts
    mean: float
    low: float | None
    """Of the 95 % interval; None where nothing tells one."""
    high: float | None
    seeds: int


def known_scores(section: Section, row: Row, load: Load) -> Iterator[Known]:
    """Of every metric of the task that the row has a score of."""
    found = list(outcomes(row, load))
    for metric in section.metrics:
        spread = row.score(metric.name)
        if spread is None:
            continue
        measured = [outcome.measured(metric.name) for outcome in found]
        cells = [cell for cell in measured if cell is not None]
        known = estimate(cells) if cells and len(cells) == len(row.compared) else None
        if known is None and found:
            scores = [s for o in found if (s := o.scores.get(metric.name)) is not None]
            known = of_scores(scores, overlap=overlap(found)) if len(scores) > 1 else None
        low, high = known.interval() if known is not None else (None, None)
        yield Known(metric, spread.mean, low, high, len(row.compared))
