"""How many times as much a row costs in one run as in another, and whether that is noise."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.analysis.pairing import Pair
from benchmarks.analysis.summary import Row
from benchmarks.records.records import Record

APART = 1.1  # times: what two runs of the same code differ by on a quiet machine is less


@dataclass(frozen=True)
class Factor:
    """Of the medians over seeds, with what single seeds say."""

    value: float
    least: float
    most: float
    seeds: int

    @property
    def is_noise(self) -> bool:
        """Is it less than a tenth in some seed, or once more and once less?"""
        return self.least < APART and self.most > 1 / APART


def factor(pair: Pair, value: Callable[[Record], float | None]) -> Factor | None:
    """Seed by seed on those that both rows have; with none in common, anything between the least
    and the most of both. Seeds whose clock was disturbed are left out where there are others.
    None where there is nothing to divide."""
    before, after = (by_seed(row, value) for row in (pair.before, pair.after))
    if not before or not after or not all(before.values()):
        return None
    both = before.keys() & after.keys()
    if both:
        each = [after[seed] / before[seed] for seed in both]
        medians = [statistics.median(side[seed] for seed in both) for side in (before, after)]
        return Factor(medians[1] / medians[0], min(each), max(each), len(both))
    low = min(after.values()) / max(before.values())
    high = max(after.values()) / min(before.values())
    middle = statistics.median(after.values()) / statistics.median(before.values())
    return Factor(middle, low, high, min(len(before), len(after)))


def by_seed(row: Row, value: Callable[[Record], float | None]) -> dict[int, float]:
    found = {r["seed"]: value(r) for r in row.timed}
    return {seed: v for seed, v in found.items() if v is not None}
