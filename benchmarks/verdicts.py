"""Is one model better than another on the same rows, equal in practice, or can nobody tell yet?

    python -m benchmarks.verdicts RUN [--metric log_loss] [--band 0.01]

For every pair of models of a run: the difference of a metric, an interval for it that covers
both seeds and rows, and what follows from that. docs/measuring.md gives the method in words,
benchmarks/suites/bench_verdicts.py checks it by simulation. Works from records alone.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from itertools import combinations
from math import ceil, inf, sqrt
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console

from benchmarks.influence import Linear, influence
from benchmarks.records import Record, Run, open_run
from benchmarks.settings import BadInput
from benchmarks.summary import Row, Section
from tasks.base import METRICS, METRICS_OF

Word = Literal["better", "equal in practice", "can't tell"]
Design = Literal["one seed", "new rows", "same rows", "new splits"]
ALPHA = 0.05
POWER = 0.8  # chance that the seeds or rows a verdict asks for would settle it
# Prior scale of the seeds' own spread, in units of the spread that a seed's test rows cause:
# between the models of the default suite it was 0 to 1.4 of it (10 seeds, docs/measuring.md).
SEED_SPREAD = 1.4


@cache
def special() -> Any:
    """scipy.special, which takes a quarter of a second to load: commands that judge nothing do not
    wait for it."""
    return import_module("scipy.special")


@dataclass(frozen=True)
class Estimate:
    """What is known of a true difference: a distribution, and where its width comes from."""

    difference: float
    below: Callable[[float], float]
    """Probability that the true difference is below a value."""
    design: Design
    seeds: int
    rows: int  # test rows of a seed
    own_rows: float  # variance that every seed has of its own, because of its rows
    own_seed: float  # and for other reasons: train rows, the model's own luck
    shared: float = 0.0  # variance that all seeds share, because of rows that they share

    def interval(self, level: float = 1 - ALPHA) -> tuple[float, float]:
        if not self.own_rows + self.own_seed + self.shared:
            return self.difference, self.difference
        return self._quantile((1 - level) / 2), self._quantile((1 + level) / 2)

    def p(self) -> float:
        """Two-sided, of there being no difference."""
        below = self.below(0.0)
        return min(1.0, 2 * min(below, 1 - below))

    def _quantile(self, share: float) -> float:
        low = high = self.difference
        step = sqrt(self.own_rows + self.own_seed + self.shared)
        while self.below(low) > share:
            low, step = low - step, 2 * step
        while self.below(high) < share:
            high, step = high + step, 2 * step
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.below(middle) < share else (low, middle)
        return (low + high) / 2

    def more_seeds(self, width: float, alpha: float) -> int | None:
        """How many more would show a difference of `width`; None if no number of them would."""
        left = self._target(width, alpha) - self.shared
        if left <= 0:
            return None
        return max(1, ceil((self.own_rows + self.own_seed) / left) - self.seeds)

    def more_rows(self, width: float, alpha: float) -> int | None:
        """The same for test rows of each seed."""
        left = self._target(width, alpha) - self.own_seed / self.seeds
        if left <= 0:
            return None
        factor = (self.shared + self.own_rows / self.seeds) / left
        return max(1, ceil(self.rows * (factor - 1)))

    def _target(self, width: float, alpha: float) -> float:
        """The variance of the mean at which `width` is found with probability POWER."""
        return (width / float(special().ndtri(1 - alpha / 2) + special().ndtri(POWER))) ** 2


def estimate(
    differences: Sequence[Linear], test_share: float | None = None, same_rows: bool = False
) -> Estimate:
    """The true difference, from one difference per seed.

    test_share: test rows per train row, where every seed splits the same rows anew (None: every
    seed draws rows of its own). same_rows: all seeds are tested on the same rows.
    """
    d = np.array([linear.value for linear in differences])
    v = np.array([linear.variance() for linear in differences])
    mean, seeds, rows = float(d.mean()), len(d), differences[0].rows
    if seeds == 1:
        # Nothing is known of how seeds differ: the interval speaks of these trained models.
        return Estimate(
            mean, _normal(mean, v[0]), "one seed", 1, rows, own_rows=v[0], own_seed=v[0]
        )
    spread = float(d.var(ddof=1))
    if same_rows:
        # Rows and seeds vary apart (Satterthwaite 1946 for the degrees of freedom).
        together = Linear(mean, np.mean([x.clusters for x in differences], axis=0), rows)
        shared = together.variance()
        total = shared + spread / seeds
        freedom = total**2 / ((spread / seeds) ** 2 / (seeds - 1)) if spread else inf
        below = _student(mean, total, freedom)
        return Estimate(mean, below, "same rows", seeds, rows, 0.0, spread, shared)
    if test_share is not None:
        # Splits overlap, so their differences are alike (Nadeau and Bengio 2003).
        shared = test_share * spread
        below = _student(mean, shared + spread / seeds, seeds - 1)
        return Estimate(mean, below, "new splits", seeds, rows, spread, 0.0, shared)
    return _random_effects(d, v, rows)


def _random_effects(d: np.ndarray, v: np.ndarray, rows: int) -> Estimate:
    """Each seed's difference varies by its rows (v, known) and by itself (unknown, a half-normal
    prior): the random-effects model of meta-analysis (Röver 2020, arXiv 1711.08683)."""
    scale = sqrt(v.mean())
    if not scale:
        mean = float(d.mean())
        return Estimate(mean, _normal(mean, 0.0), "new rows", len(d), rows, 0.0, 0.0)
    grid = (np.arange(200) + 0.5) / 200
    own = (
        SEED_SPREAD * scale * special().ndtri(0.5 + grid / 2)
    ) ** 2  # equally probable before the data
    weight = 1 / (v + own[:, None])
    variance = 1 / weight.sum(axis=1)
    mean = variance * (weight @ d)
    fit = np.log(weight).sum(axis=1) + np.log(variance)
    fit -= (weight * (d - mean[:, None]) ** 2).sum(axis=1)
    plausible = np.exp((fit - fit.max()) / 2)
    plausible /= plausible.sum()
    deviation = np.sqrt(variance)

    def below(value: float) -> float:
        return float(plausible @ special().ndtr((value - mean) / deviation))

    return Estimate(
        float(plausible @ mean), below, "new rows", len(d), rows,
        own_rows=float(v.mean()), own_seed=float(plausible @ own),
    )  # fmt: skip


def _normal(mean: float, variance: float) -> Callable[[float], float]:
    deviation = sqrt(variance) or 1e-300
    return lambda value: float(special().ndtr((value - mean) / deviation))


def _student(mean: float, variance: float, freedom: float) -> Callable[[float], float]:
    if freedom > 1e6:
        return _normal(mean, variance)
    deviation = sqrt(variance) or 1e-300
    return lambda value: float(special().stdtr(freedom, (value - mean) / deviation))


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
            Verdict(a, b, metric, size, low, high, float(p), band, word, found.design,
                    found.seeds, **more)
        )  # fmt: skip
    return verdicts


def judge(
    section: Section,
    load: Callable[[Record], Mapping[str, np.ndarray] | None],
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
    metric = metric or METRICS_OF[section.kind][0]
    if metric not in METRICS_OF[section.kind]:
        known = ", ".join(METRICS_OF[section.kind])
        raise BadInput(f"{section.task} has no metric {metric}; it has: {known}.")
    found = {row.label: _outcomes(row, load, metric) for row in section.rows}
    labels, estimates, bands = [], [], []
    for a, b in combinations(found, 2):
        seeds = sorted(found[a].keys() & found[b].keys())
        if not seeds:
            continue
        pairs = [(found[a][seed], found[b][seed]) for seed in seeds]
        labels.append((a, b))
        level = np.mean([y.linear.value for _, y in pairs]) if METRICS[metric].relative else 1.0
        bands.append(METRICS[metric].band * float(level) if band is None else band)
        estimates.append(
            estimate([x.linear.minus(y.linear) for x, y in pairs], *_design([x for x, _ in pairs]))
        )
    return replace(section, verdicts=decide(labels, estimates, metric, bands))


@dataclass(frozen=True)
class _Outcome:
    linear: Linear
    ids: np.ndarray | None
    test_share: float


def _outcomes(
    row: Row, load: Callable[[Record], Mapping[str, np.ndarray] | None], metric: str
) -> dict[int, _Outcome]:
    found = {}
    for record in row.done:
        arrays = load(record)
        if arrays is None or not np.isfinite(arrays["predictions"]).all():
            continue
        value, each = influence(metric, arrays["predictions"], arrays["labels"])
        if "group" in arrays:
            _, group = np.unique(arrays["group"], return_inverse=True)
            clusters = np.bincount(group, each)
        else:
            clusters = each
        share = record["rows"]["test"] / record["rows"]["train"]
        linear = Linear(value, clusters, len(each))
        found[record["seed"]] = _Outcome(linear, arrays.get("ids"), share)
    return found


def _design(outcomes: Sequence[_Outcome]) -> tuple[float | None, bool]:
    """(test rows per train row if splits overlap else None, are the test rows all the same)"""
    first = outcomes[0].ids
    if first is None:
        return None, False
    same = all(o.ids is not None and np.array_equal(first, o.ids) for o in outcomes)
    return (None, True) if same else (outcomes[0].test_share, False)


def main(arguments: Sequence[str] | None = None) -> int:
    from benchmarks import verdict_table
    from benchmarks.summary import sections

    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("run", metavar="RUN", help="name of a run (or its folder)")
    parser.add_argument("--metric", choices=METRICS, help="default: the task's main metric")
    parser.add_argument("--band", type=float, help="largest difference that does not matter")
    parser.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    options = parser.parse_args(arguments)
    console = Console()
    try:
        if options.band is not None and not 0 <= options.band < inf:
            raise BadInput(f"--band {options.band}: give a number of at least 0.")
        run: Run = open_run(options.results, options.run)
        judged = [
            judge(section, run.outcomes, options.metric, options.band)
            for section in sections(run.read())
        ]
        if not any(section.verdicts for section in judged):
            raise BadInput(f"The run {run.name} has no two models that share a seed.")
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    console.print(verdict_table.render(judged))
    return 0


if __name__ == "__main__":
    sys.exit(main())
