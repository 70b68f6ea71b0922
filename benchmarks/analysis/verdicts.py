"""Is one model better than another on the same rows, equal in practice, or can nobody tell yet?

For every pair of models of a run: the difference of a metric, an interval for it that covers
both seeds and rows, and what follows from that. docs/measuring.md gives the method in words,
estimates.py has the intervals. Works from records alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from benchmarks.analysis.estimates import ALPHA, Design, Estimate, estimate, of_differences
from benchmarks.analysis.outcomes import Load, Measured, design, outcomes
from benchmarks.analysis.ranking import ranked_by
from benchmarks.analysis.summary import Row, Section
from tasks.metrics import Facts

Word = Literal["better", "equal in practice", "can't tell"]


@dataclass(frozen=True)
class Verdict:
    """Two models on the rows that both were tested on; `a` did at least as well as `b`."""

    a: str
    b: str
    metric: str
    difference: float  # how much better a did: positive whichever way the metric points
    low: float  # of the 95 % interval
    high: float
    p: float  # of no difference, corrected for the number of pairs
    band: float  # differences up to this do not matter
    word: Word
    design: Design
    seeds: int
    more_seeds: int | None = None  # where nobody can tell: how many more would settle it
    more_rows: int | None = None

    def sentence(self) -> str:
        head = f"{self.a} against {self.b}: {self.word}"
        figures = f"{signed(self.difference)}, 95 % {signed(self.low)} to {signed(self.high)}"
        return f"{head} ({figures}){self.advice()}"

    def advice(self) -> str:
        """What it would take to tell."""
        if self.word != "can't tell":
            return ""
        ways = [  # two digits: it is a guess
            f"about {float(f'{count:.2g}'):,.0f} more {name}"
            for count, name, limit in (
                (self.more_seeds, "seeds", 1000),
                (self.more_rows, "test rows", 10_000_000),
            )
            if count is not None and count <= limit
        ]
        would = " or ".join(ways)
        return f"; {would} would" if would else "; no reasonable number of seeds or rows would"


def signed(value: float) -> str:
    return f"{value:+.4f}".replace("+0.", "+.").replace("-0.", "−.")


def holm(p: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Corrected p-values, and the level each one is held against (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    left = len(order) - np.arange(len(order))  # pairs not yet decided
    corrected, levels = np.empty(len(order)), np.empty(len(order))
    corrected[order] = np.minimum(1, np.maximum.accumulate(np.asarray(p)[order] * left))
    levels[order] = ALPHA / left
    return corrected, levels


def decide(
    labels: Sequence[tuple[str, str]],
    estimates: Sequence[Estimate],
    metric: Facts,
    bands: Sequence[float],
) -> list[Verdict]:
    """Verdicts on pairs that are judged together. Each estimate is of the first over the second,
    in the metric's own units; the better one is put first."""
    corrected, levels = holm([e.p() for e in estimates])
    sign = metric.sign
    verdicts = []
    for names, found, band, p, level in zip(
        labels, estimates, bands, corrected, levels, strict=True
    ):
        turn = sign if sign * found.difference >= 0 else -sign
        low, high = sorted(turn * end for end in found.interval())
        a, b = names if turn == sign else names[::-1]
        size = abs(found.difference)
        word: Word = "can't tell"
        more: dict[str, int | None] = {}
        if -band <= low and high <= band:
            word = "equal in practice"
        elif p < ALPHA and size > band:
            word = "better"
        else:
            # Beyond the band a difference could be shown, within it that there is none.
            width, against = (size, level) if size > band else (band - size, ALPHA)
            more = {
                "more_seeds": found.more_seeds(width, against),
                "more_rows": found.more_rows(width, against),
            }
        verdicts.append(
            Verdict(
                a,
                b,
                metric.name,
                size,
                low,
                high,
                float(p),
                band,
                word,
                found.design,
                found.seeds,
                **more,
            )
        )
    return verdicts


def judge(
    section: Section,
    load: Load,
    metric: str | None = None,
    band: float | None = None,
) -> Section:
    """The section with its verdicts, for every two rows that share seeds.

    load: the raw outcomes of a record (None if they are gone). metric: the name of the one to rank
    and judge by, None for the task's main one. band: in the metric's units; None for the metric's
    own. BadInput: a metric that the task does not have.
    """
    if section.control:  # scores of a spoiled task are no contest
        return section
    if metric is not None:
        section = ranked_by(section, metric, load)
    main = section.main
    measured = {row.label: of_row(row, main, load) for row in section.rows}
    labels, estimates, bands = [], [], []
    for a, b in combinations(section.rows, 2):
        known = between(a, b, measured, main)
        if known is None:
            continue
        difference, values = known
        labels.append((a.label, b.label))
        bands.append(band_of(main, values) if band is None else band)
        estimates.append(difference)
    return replace(section, verdicts=decide(labels, estimates, main, bands))


def of_row(row: Row, metric: Facts, load: Load) -> dict[int, Measured | None]:
    """Seed -> the metric row by row, of the seeds whose raw outcomes are there."""
    return {outcome.seed: outcome.measured(metric.name) for outcome in outcomes(row, load)}


def between(
    a: Row, b: Row, measured: Mapping[str, Mapping[int, Measured | None]], metric: Facts
) -> tuple[Estimate, list[float]] | None:
    """(how much more a has than b, the values of b by seed) on the seeds that both have; None where
    nothing tells."""
    seeds = sorted(measured[a.label].keys() & measured[b.label].keys())
    pairs = [(measured[a.label][seed], measured[b.label][seed]) for seed in seeds]
    by_rows = [(x, y) for x, y in pairs if x is not None and y is not None]
    if by_rows and len(by_rows) == len(pairs):
        return paired(by_rows), [y.linear.value for _, y in by_rows]
    # A metric that no row tells apart: its scores are all there is.
    scores = [{r["seed"]: r["scores"].get(metric.name) for r in row.done} for row in (a, b)]
    both = [(scores[0][s], scores[1][s]) for s in seeds if None not in (scores[0][s], scores[1][s])]
    known = of_differences([x - y for x, y in both])
    return None if known is None else (known, [y for _, y in both])


def paired(pairs: Sequence[tuple[Measured, Measured]]) -> Estimate:
    """How much more the first has than the second: seed by seed, on the same rows."""
    return estimate([a.linear.minus(b.linear) for a, b in pairs], *design([a for a, _ in pairs]))


def band_of(metric: Facts, values: Sequence[float]) -> float:
    """Differences from these values, one per seed, that do not matter in practice."""
    return metric.band * float(np.mean(values)) if metric.relative else metric.band
