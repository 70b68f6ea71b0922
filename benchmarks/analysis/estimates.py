"""What is known of a true difference between two models: a distribution, made of seeds and rows.

docs/measuring.md gives the method in words, tests/test_verdicts.py checks it by simulation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import ceil, inf, sqrt
from typing import Any, Literal

import numpy as np

from benchmarks.analysis.linear import Linear

Design = Literal["one seed", "new rows", "same rows", "new splits", "other rows", "scores only"]
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

    def variance(self) -> float:
        """Of the mean; with one seed nothing is known of the seeds' part in it."""
        own = self.own_rows + (0.0 if self.design == "one seed" else self.own_seed)
        return own / self.seeds + self.shared

    def learned(self) -> float:
        """The part of `variance` that seeds had to tell, with one degree of freedom less than
        there are seeds."""
        if self.design == "one seed":
            return 0.0
        return self.variance() if self.design == "new splits" else self.own_seed / self.seeds

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
        if left <= 0 or not self.rows:
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


def apart(a: Estimate, b: Estimate) -> Estimate:
    """a - b for two means that have neither rows nor seeds in common: what each of them is known
    by adds up (degrees of freedom by Satterthwaite, as the seeds' own spread is learned)."""
    parts = [(side.learned(), side.seeds) for side in (a, b)]
    return _apart(
        a.difference - b.difference,
        a.variance() + b.variance(),
        parts,
        "other rows",
        min(a.rows, b.rows),
    )


def of_scores(a: Sequence[float], b: Sequence[float]) -> Estimate | None:
    """mean(a) - mean(b) where nothing but one score per seed is left (Welch 1947); None if one
    of them has a single seed, and nobody knows how it varies."""
    if min(len(a), len(b)) < 2:
        return None
    parts = [(float(np.var(side, ddof=1)) / len(side), len(side)) for side in (a, b)]
    difference = float(np.mean(a) - np.mean(b))
    return _apart(difference, sum(part for part, _ in parts), parts, "scores only", 0)


def of_differences(differences: Sequence[float]) -> Estimate | None:
    """The mean difference where nothing but one per seed is known (a paired t-test); None for a
    single seed."""
    if len(differences) < 2:
        return None
    mean, spread = float(np.mean(differences)), float(np.var(differences, ddof=1))
    below = _student(mean, spread / len(differences), len(differences) - 1)
    return Estimate(mean, below, "scores only", len(differences), 0, 0.0, spread)


def _apart(
    mean: float, total: float, parts: Sequence[tuple[float, int]], design: Design, rows: int
) -> Estimate:
    """parts: the variance that each side's seeds had to tell, and their number."""
    doubt = sum(part**2 / (seeds - 1) for part, seeds in parts if part)
    below = _student(mean, total, total**2 / doubt if doubt else inf)
    seeds = min(seeds for _, seeds in parts)
    return Estimate(mean, below, design, seeds, rows, 0.0, 0.0, shared=total)


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
        float(plausible @ mean),
        below,
        "new rows",
        len(d),
        rows,
        own_rows=float(v.mean()),
        own_seed=float(plausible @ own),
    )


def _normal(mean: float, variance: float) -> Callable[[float], float]:
    deviation = sqrt(variance) or 1e-300
    return lambda value: float(special().ndtr((value - mean) / deviation))


def _student(mean: float, variance: float, freedom: float) -> Callable[[float], float]:
    if freedom > 1e6:
        return _normal(mean, variance)
    deviation = sqrt(variance) or 1e-300
    return lambda value: float(special().stdtr(freedom, (value - mean) / deviation))
