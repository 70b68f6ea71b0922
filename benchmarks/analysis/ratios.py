"""How far a score is on the way between two others: a ratio of means, with an interval.

Where both ends of the way are close to each other nobody can tell, and nothing is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from benchmarks.analysis.estimates import ALPHA, special

NOISE = 0.5  # of the whole way: where its own interval reaches further, it is not known


@dataclass(frozen=True)
class Ratio:
    """A ratio of means over seeds, and its 95 % interval where something tells it."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Ways:
    """Of one seed: how far a score has come from the floor, and how long the whole way is."""

    come: float
    whole: float
    by_rows: tuple[float, float, float] | None = None
    """Variance of the first, their covariance, and variance of the second, as the test rows alone
    cause them; None where nobody knows."""
    same_rows: bool = False
    """Do all seeds draw their test rows from the same ones?"""


def ratio(seeds: Sequence[Ways]) -> Ratio | None:
    """mean(come) / mean(whole), by Fieller's theorem (1954), which is exact however uncertain the
    second one is; None where that is noise.

    Seeds tell how both vary, with their rows in it where each has rows of its own; a single seed
    varies by its rows.
    """
    if not seeds:
        return None
    both = np.array([(seed.come, seed.whole) for seed in seeds])
    come, whole = both.mean(axis=0).tolist()
    if whole == 0:
        return None
    rows = [seed.by_rows for seed in seeds if seed.by_rows is not None]
    known = len(rows) == len(seeds)
    n, covariance = len(seeds), np.zeros(3)
    if n > 1:
        spread = np.cov(both, rowvar=False)
        covariance += np.array([spread[0, 0], spread[0, 1], spread[1, 1]]) / n
    if known and (n == 1 or all(seed.same_rows for seed in seeds)):
        covariance += np.mean(rows, axis=0)
    elif n == 1:
        return Ratio(come / whole)
    upper = 1 - ALPHA / 2
    t = float(special().stdtrit(n - 1, upper) if n > 1 else special().ndtri(upper))
    of_come, of_both, of_whole = (t**2 * covariance).tolist()
    a, b, c = whole**2 - of_whole, come * whole - of_both, come**2 - of_come
    if of_whole > (NOISE * whole) ** 2:
        return None
    half = sqrt(max(0.0, b**2 - a * c)) / a
    return Ratio(come / whole, b / a - half, b / a + half)
