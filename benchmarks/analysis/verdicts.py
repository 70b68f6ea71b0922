"""Is one model better than another on the same rows, equal in practice, or can nobody tell yet?

For every pair of models of a run: the difference of a metric, an interval for it that covers
both seeds and rows, and what follows from that. docs/measuring.md gives the method in words,
benchmarks/estimates.py the intervals. Works from records alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from benchmarks.analysis.estimates import ALPHA, Design, Estimate, estimate
from benchmarks.analysis.outcomes import Load, Measured, design, outcomes
from benchmarks.analysis.summary import Section
from benchmarks.errors import BadInput
from tasks.base import METRICS, METRICS_OF

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
    metric: str,
    bands: Sequence[float],
) -> list[Verdict]:
    """Verdicts on pairs that are judged together. Each estimate is of the first over the second,
    in the metric's own units; the better one is put first."""
    corrected, levels = holm([e.p() for e in estimates])
    sign = 1 if METRICS[metric].higher_is_better else -1
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
                metric,
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

    load: the raw outcomes of a record (None if they are gone). metric: None for the task's main
    one. band: in the metric's units; None for that of METRICS. BadInput: a metric that the task
    does not have.
    """
    if section.control:  # scores of a spoiled task are no contest
        return section
    metric = metric_of(section, metric)
    found = {
        row.label: {outcome.seed: outcome.measured(metric) for outcome in outcomes(row, load)}
        for row in section.rows
    }
    labels, estimates, bands = [], [], []
    for a, b in combinations(found, 2):
        seeds = sorted(found[a].keys() & found[b].keys())
        if not seeds:
            continue
        pairs = [(found[a][seed], found[b][seed]) for seed in seeds]
        labels.append((a, b))
        own = band_of(metric, [y.linear.value for _, y in pairs])
        bands.append(own if band is None else band)
        estimates.append(paired(pairs))
    return replace(section, verdicts=decide(labels, estimates, metric, bands))


def metric_of(section: Section, metric: str | None) -> str:
    """The one that was asked for, or the task's main one. BadInput: the task does not have it."""
    known = METRICS_OF[section.kind]
    if metric is not None and metric not in known:
        raise BadInput(f"{section.task} has no metric {metric}; it has: {', '.join(known)}.")
    return metric or known[0]


def paired(pairs: Sequence[tuple[Measured, Measured]]) -> Estimate:
    """How much more the first has than the second: seed by seed, on the same rows."""
    return estimate([a.linear.minus(b.linear) for a, b in pairs], *design([a for a, _ in pairs]))


def band_of(metric: str, values: Sequence[float]) -> float:
    """Differences from these values, one per seed, that do not matter in practice."""
    facts = METRICS[metric]
    return facts.band * float(np.mean(values)) if facts.relative else facts.band
