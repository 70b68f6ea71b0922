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

from benchmarks.analysis.estimates import ALPHA, Design, Estimate, estimate, of_scores
from benchmarks.analysis.linear import Linear
from benchmarks.analysis.outcomes import Load, Outcome, outcomes, overlap
from benchmarks.analysis.ranking import ranked_by
from benchmarks.analysis.standing import standings
from benchmarks.analysis.summary import Row, Section, ordered
from tasks.metrics import Facts

Word = Literal["better", "equal in practice", "can't tell"]
POWER = 0.8  # advice stops at the first number of seeds or rows that decides with this probability
EVENS = 0.5
FAINT = 0.05  # what decides with less is not named beside what does with more
MORE_SEEDS = (5, 10, 20, 30, 50, 100)
MORE_ROWS = (2, 5, 10, 100)  # times as many as there were


@dataclass(frozen=True)
class Verdict:
    """Two models on the rows that both were tested on; `a` did at least as well as `b`."""

    a: str
    b: str
    metric: str
    difference: float  # how much better a did: positive whichever way the metric points
    low: float  # of the interval that decides
    high: float
    p: float  # of no difference, corrected for the number of pairs
    band: float  # differences up to this do not matter
    word: Word
    design: Design
    seeds: int
    level: float = 1 - ALPHA  # of the interval: 95 % and what the correction makes of it
    p_any_seed: float | None = (
        None  # the same p with the luck of a seed in it, of a single seed too
    )
    # Where nobody can tell: what would, and how probable that is.
    would_seeds: int | None = None
    would_seeds_chance: float | None = None
    would_rows: int | None = None  # times as many
    would_rows_chance: float | None = None

    @property
    def said(self) -> str:
        """The word, and what it is about."""
        is_local = self.word == "better" and self.design == "one seed"
        return "better on this seed" if is_local else self.word

    def sentence(self) -> str:
        head = f"{self.a} against {self.b}: {self.said}"
        return f"{head} ({signed(self.difference)}, {self.interval()}){self.advice()}"

    def interval(self) -> str:
        """How it is printed."""
        return f"{signed(self.low)} to {signed(self.high)}"

    def advice(self) -> str:
        """What it would take to tell, and how probable that is."""
        ways = [
            f"{count}{what} {'would decide ' if k == 0 else ''}with {percentage(chance)}"
            for k, (count, what, chance) in enumerate(self._ways())
        ]
        return "; " + ", ".join(ways) if ways else ""

    def remedy(self) -> str:
        """What would settle it, in the words of somebody who does not count in chances; empty where
        nothing tells."""
        ways = self._ways()
        if not ways:
            return ""
        likely = [way for way in ways if way[2] >= EVENS]
        count, what, chance = likely[0] if likely else ways[-1]
        if not likely:
            return f"even {count}{what} would hardly settle it"
        return f"{count}{what} {'would' if chance >= POWER else 'may'} settle it"

    def _ways(self) -> list[tuple[int, str, float]]:
        ways = []
        if self.would_seeds is not None and self.would_seeds_chance is not None:
            ways.append((self.would_seeds, " seeds", self.would_seeds_chance))
            if self.would_seeds_chance >= POWER:
                return ways
        if self.would_rows is not None and self.would_rows_chance is not None:
            what = " times the rows" if self.design == "new splits" else " times the test rows"
            ways.append((self.would_rows, what, self.would_rows_chance))
        return [way for way in ways if way[2] >= FAINT] or ways[:1]


def signed(value: float) -> str:
    return f"{value:+.4f}".replace("+0.", "+.").replace("-0.", "−.")


def percentage(chance: float) -> str:
    """Of something that is never certain."""
    return "< 1 %" if chance < 0.01 else "> 99 %" if chance > 0.99 else f"{100 * chance:.0f} %"


def holm(p: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Corrected p-values, and the level at which each one is decided (Holm 1979): smaller ones
    first, and from the first that is not found on, all at the level where that was."""
    order = np.argsort(p, kind="stable")
    left = len(order) - np.arange(len(order))  # pairs not yet decided
    corrected, levels = np.empty(len(order)), np.empty(len(order))
    corrected[order] = np.minimum(1, np.maximum.accumulate(np.asarray(p)[order] * left))
    found = int((corrected < ALPHA).sum())
    levels[order] = ALPHA / np.maximum(left, len(order) - found)
    return corrected, levels


def decide(
    labels: Sequence[tuple[str, str]],
    estimates: Sequence[Estimate],
    metric: Facts,
    bands: Sequence[float],
) -> list[Verdict]:
    """Verdicts on pairs that are judged together. Each estimate is of the first over the second,
    in the metric's own units; the better one is put first. One interval decides, and it is the
    one that is shown."""
    corrected, levels = holm([e.p() for e in estimates])
    any_seed, _ = holm([e.with_luck().p() for e in estimates])
    sign = metric.sign
    verdicts = []
    for k, (names, found, band) in enumerate(zip(labels, estimates, bands, strict=True)):
        level = float(levels[k])
        turn = sign if sign * found.difference >= 0 else -sign
        low, high = sorted(turn * end for end in found.interval(1 - level))
        a, b = names if turn == sign else names[::-1]
        word: Word = "can't tell"
        if -band <= low and high <= band:
            word = "equal in practice"
        elif low > 0:
            word = "better"
        verdicts.append(
            Verdict(
                a,
                b,
                metric.name,
                abs(found.difference),
                low,
                high,
                float(corrected[k]),
                band,
                word,
                found.design,
                found.seeds,
                1 - level,
                float(any_seed[k]),
                *(what_would(found, level, band) if word == "can't tell" else ()),
            )
        )
    return verdicts


def what_would(
    found: Estimate, level: float, band: float
) -> tuple[int | None, float | None, int | None, float | None]:
    """(seeds in all, how probably they decide, times the test rows, how probably these do): the
    least of what is tried that does it with probability POWER, or the most of it."""

    def least(tried: Sequence[int], chance: Mapping[int, float]) -> int | None:
        return next((n for n in tried if chance[n] >= POWER), tried[-1] if tried else None)

    seeds = [n for n in MORE_SEEDS if n > found.seeds]
    by_seeds = {n: found.decides(level, band, n) for n in seeds}
    rows = list(MORE_ROWS) if found.rows else []
    by_rows = {n: found.decides(level, band, found.seeds, n) for n in rows}
    n, times = least(seeds, by_seeds), least(rows, by_rows)
    return n, n and by_seeds[n], times, times and by_rows[times]


def judge(
    section: Section,
    load: Load,
    metric: str | None = None,
    band: float | None = None,
) -> Section:
    """The section with its verdicts, for every two rows that share seeds, in the order of the seeds
    that they have in common, and with what is known of each row's rank.

    load: the raw outcomes of a record (None if they are gone). metric: the name of the one to rank
    and judge by, None for the task's main one. band: in the metric's units; None for the metric's
    own. BadInput: a metric that the task does not have.
    """
    if section.control:  # scores of a spoiled task are no contest
        return section
    if metric is not None:
        section = ranked_by(section, metric, load)
    main = section.main
    known = {row.label: {o.seed: o for o in outcomes(row, load)} for row in section.rows}
    # Seeds whose raw outcomes are gone cannot be judged, so no row is ranked by them either.
    usable = {label: frozenset(found) for label, found in known.items() if found}
    section = replace(section, rows=ordered(section.rows, usable))
    measured = {
        label: {seed: outcome.measured(main.name) for seed, outcome in found.items()}
        for label, found in known.items()
    }
    labels, estimates, bands = [], [], []
    for a, b in combinations(section.rows, 2):
        seeds = common(a, b, known)
        found = between(a, b, seeds, measured, known, main)
        if found is None:
            continue
        difference, values = found
        labels.append((a.label, b.label))
        bands.append(band_of(main, values) if band is None else band)
        estimates.append(difference)
    verdicts = decide(labels, estimates, main, bands)
    return replace(
        section, verdicts=verdicts, standings=standings(section.rows, verdicts, measured, main)
    )


def common(a: Row, b: Row, known: Mapping[str, Mapping[int, Outcome]]) -> list[int]:
    """The seeds that two rows are compared on: those that ranks are made of, if they have any of
    these in common."""
    both = known[a.label].keys() & known[b.label].keys()
    ranking = both & (a.seeds or both) & (b.seeds or both)
    return sorted(ranking or both)


def between(
    a: Row,
    b: Row,
    seeds: Sequence[int],
    measured: Mapping[str, Mapping[int, Linear | None]],
    known: Mapping[str, Mapping[int, Outcome]],
    metric: Facts,
) -> tuple[Estimate, list[float]] | None:
    """(how much more a has than b, the values of b by seed) on these seeds; None where nothing
    tells."""
    pairs = [(measured[a.label][seed], measured[b.label][seed]) for seed in seeds]
    by_rows = [(x, y) for x, y in pairs if x is not None and y is not None]
    if by_rows and len(by_rows) == len(pairs):
        found = paired(by_rows)
        if found is not None:
            return found, [y.value for _, y in by_rows]
    # A metric that no row tells apart: its scores are all there is.
    scores = [[known[row.label][seed].scores.get(metric.name) for seed in seeds] for row in (a, b)]
    both = [(x, y) for x, y in zip(*scores, strict=True) if x is not None and y is not None]
    shared = overlap([known[a.label][seed] for seed in seeds])
    by_scores = of_scores([x - y for x, y in both], overlap=shared)
    return None if by_scores is None else (by_scores, [y for _, y in both])


def paired(pairs: Sequence[tuple[Linear, Linear]]) -> Estimate | None:
    """How much more the first has than the second: seed by seed, on the same rows."""
    return estimate([a.minus(b) for a, b in pairs])


def band_of(metric: Facts, values: Sequence[float]) -> float:
    """Differences from these values, one per seed, that do not matter in practice."""
    return metric.band * abs(float(np.mean(values))) if metric.relative else metric.band
