"""What became of a metric from one run to another, and whether that is more than noise.

On the same test rows the comparison is paired, seed by seed and row by row; elsewhere it is one of
two means, of which rows that both were tested on count once (docs/measuring.md, "Comparing two
runs"). Knows no run and no file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from benchmarks.analysis import verdicts
from benchmarks.analysis.estimates import Estimate, estimate, of_scores
from benchmarks.analysis.linear import Linear
from benchmarks.analysis.outcomes import Load, Outcome, outcomes, overlap
from benchmarks.analysis.pairing import Pair, seeds_of
from tasks.metrics import Facts

Word = Literal["identical", "better", "worse", "equal in practice", "can't tell"]
Rows = Literal["same", "other", "unknown"]
TOLD = ("better", "worse")


@dataclass(frozen=True)
class Ground:
    """What a comparison of two rows stands on."""

    rows: Rows
    seeds: tuple[int, int]
    """How many of the first row and of the second are in it."""
    why: str = ""
    """It is not paired, or not on all seeds: the reason."""


@dataclass(frozen=True)
class Change:
    """Of one metric, from the first row of a pair to the second: means over the seeds compared."""

    facts: Facts
    """Of the metric."""
    before: float
    after: float
    band: float  # changes up to this do not matter
    ground: Ground
    estimate: Estimate | None = None
    """Of after - before; None where nothing tells how it varies."""
    interval: tuple[float, float] | None = None  # that decides, of after - before
    word: Word = "can't tell"
    advice: str = ""
    """Where nobody can tell: what it would take."""

    @property
    def metric(self) -> str:
        return self.facts.name

    @property
    def difference(self) -> float:
        return self.after - self.before

    @property
    def said(self) -> str:
        """The word, and what it is about."""
        is_local = self.estimate is not None and self.estimate.design == "one seed"
        return f"{self.word} on this seed" if is_local and self.word in TOLD else self.word

    def is_worse_by_more_than(self, amount: float) -> bool:
        """Beyond noise: the whole interval is on the worse side, its middle beyond the amount."""
        sign = self.facts.sign
        if self.interval is None or sign * self.difference >= -amount:
            return False
        return all(sign * end < 0 for end in self.interval)


def changes(pair: Pair, metrics: Sequence[Facts], load: tuple[Load, Load]) -> list[Change]:
    """One per metric that both rows have, not yet judged."""
    metrics = [metric for metric in metrics if all(scores(pair, metric.name))]
    if not metrics:
        return []
    before, after = (
        {outcome.seed: outcome for outcome in outcomes(row, of_run)}
        for row, of_run in zip((pair.before, pair.after), load, strict=True)
    )
    if not before or not after:
        return [_from_scores(pair, metric) for metric in metrics]
    same = [seed for seed in before if seed in after and after[seed].has_rows_of(before[seed])]
    if not same:
        common = before.keys() & after.keys()
        why = "the test rows are not the same" if common else "they have no seed in common"
        ground = Ground("other", (len(before), len(after)), why)
        sides = list(before.values()), list(after.values())
        return [_unpaired(metric, ground, *sides, pair) for metric in metrics]
    most = max(len(seeds_of(row)) for row in (pair.before, pair.after))
    why = f"compared on {counted(same)} only" if len(same) < most else ""
    ground = Ground("same", (len(same), len(same)), why)
    both = [(before[seed], after[seed]) for seed in same]
    if all(a.equals(b) for a, b in both):
        return [_identical(metric, ground, pair, same) for metric in metrics]
    return [_paired(metric, ground, both, pair) for metric in metrics]


def scores(pair: Pair, metric: str) -> list[dict[int, float]]:
    """Of each row: seed -> its score, as recorded; empty if a seed that finished has none."""
    found = []
    for row in (pair.before, pair.after):
        of_row = {r["seed"]: r["scores"].get(metric) for r in row.done}
        found.append({} if None in of_row.values() else of_row)
    return found


def counted(seeds: Sequence[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, sorted(seeds)))}"


def judged(found: Iterable[Change]) -> list[Change]:
    """The same changes with their words. Those of one metric are judged together (Holm); what is
    identical is no question, and takes no part in that."""
    found = list(found)
    for metric in dict.fromkeys(change.facts for change in found):
        places = [k for k, change in enumerate(found) if change.facts == metric and change.estimate]
        sign = metric.sign
        estimates = [e for k in places if (e := found[k].estimate)]
        bands = [found[k].band for k in places]
        labels = [("after", "before")] * len(places)
        for k, verdict in zip(
            places, verdicts.decide(labels, estimates, metric, bands), strict=True
        ):
            word: Word = verdict.word
            if word == "better" and verdict.a == "before":
                word = "worse"
            advice = verdict.advice() if found[k].ground.rows == "same" else ""
            turn = sign if verdict.a == "after" else -sign
            low, high = sorted((turn * verdict.low, turn * verdict.high))
            found[k] = replace(found[k], word=word, advice=advice, interval=(low, high))
    return found


def _paired(
    metric: Facts, ground: Ground, both: Sequence[tuple[Outcome, Outcome]], pair: Pair
) -> Change:
    measured = [(b.measured(metric.name), a.measured(metric.name)) for a, b in both]
    by_rows = [(after, before) for after, before in measured if after and before]
    if len(by_rows) == len(both) and (found := verdicts.paired(by_rows)):
        values = ([side.value for side in sides] for sides in zip(*by_rows, strict=True))
        after, before = values
        return _change(metric, before, after, ground, found)
    # A metric that no row tells apart.
    old, new = (
        [of_row[outcome.seed] for outcome, _ in both] for of_row in scores(pair, metric.name)
    )
    shared = overlap([outcome for outcome, _ in both])
    known = of_scores([b - a for a, b in zip(old, new, strict=True)], overlap=shared)
    return _change(metric, old, new, ground, known)


def _unpaired(
    metric: Facts,
    ground: Ground,
    before: Sequence[Outcome],
    after: Sequence[Outcome],
    pair: Pair,
) -> Change:
    sides = [[outcome.measured(metric.name) for outcome in side] for side in (before, after)]
    known_sides = [[seed for seed in side if seed is not None] for side in sides]
    if [len(side) for side in known_sides] != [len(side) for side in sides]:
        return _from_scores(pair, metric)
    values = [[seed.value for seed in side] for side in known_sides]
    if not _same_data(pair):
        known_sides = [
            _of_its_own(side, sign) for side, sign in zip(known_sides, (1, -1), strict=True)
        ]
    signs = [sign for side, sign in zip(known_sides, (-1, 1), strict=True) for _ in side]
    known = estimate([*known_sides[0], *known_sides[1]], signs)
    return _change(metric, values[0], values[1], ground, known)


def _same_data(pair: Pair) -> bool:
    """Does an id mean the same row in both?"""
    before, after = (
        (r["task"], r["config"]["task"], r["code"]["task"], r["code"].get("data"))
        for r in (pair.before.first, pair.after.first)
    )
    return before == after


def _of_its_own(side: Sequence[Linear], sign: int) -> list[Linear]:
    """The same cells, with names of their rows that those of the other sign do not have."""
    units = [cell.units for cell in side if cell.units is not None]
    if len(units) < len(side):
        return list(side)
    code = {name: sign * k for k, name in enumerate(np.unique(np.concatenate(units)).tolist(), 1)}
    return [
        replace(cell, units=np.array([code[name] for name in one.tolist()]))
        for cell, one in zip(side, units, strict=True)
    ]


def _from_scores(pair: Pair, metric: Facts) -> Change:
    before, after = (list(side.values()) for side in scores(pair, metric.name))
    ground = Ground("unknown", (len(before), len(after)), "raw outcomes are gone")
    return _change(metric, before, after, ground, of_scores(after, before))


def _identical(metric: Facts, ground: Ground, pair: Pair, seeds: Sequence[int]) -> Change:
    values = [scores(pair, metric.name)[0][seed] for seed in seeds]
    return replace(_change(metric, values, values, ground, None), word="identical")


def _change(
    metric: Facts,
    before: Sequence[float],
    after: Sequence[float],
    ground: Ground,
    known: Estimate | None,
) -> Change:
    band = verdicts.band_of(metric, before)
    return Change(metric, float(np.mean(before)), float(np.mean(after)), band, ground, known)
