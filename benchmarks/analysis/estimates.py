"""What is known of a true difference between two models: a distribution, made of seeds and rows.

One estimator for all designs. A difference is a weighted sum of scores, one per seed. It varies

- by its test rows: each row's influence is added up over the seeds that tested it, with their
  weights, so a row counts once however many windows or splits it is in. Rows of one group are one
  row here. Where every seed draws rows of its own, nothing adds up, and seeds are independent;
- by its seeds, for all other reasons (train rows, the model's own luck): a variance that the
  seeds' scores tell of, beyond what their rows explain, together with a prior.

docs/measuring.md gives the method in words, tests/test_verdicts.py checks it by simulation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from math import inf
from typing import Any, Literal

import numpy as np

from benchmarks.analysis.linear import Linear

Design = Literal["one seed", "new rows", "same rows", "new splits", "other rows", "scores only"]
ALPHA = 0.05
# Prior scale of the seeds' own spread, in units of the spread that a seed's test rows cause.
# Between the default suite's models it was 0 to 1.4 of it; with 2, no spread up to 1.5 makes more
# than 5 % of equal models different. Splits of the same rows differ in few of their train rows, and
# half of it does (docs/measuring.md has both tables).
SEED_SPREAD: Mapping[str, float] = {"new rows": 2.0, "new splits": 1.0, "same rows": 1.0}
SHARES = (np.arange(100) + 0.5) / 100  # of the prior: spreads that are equally probable at first
MOST_FREEDOM = 1e7  # of Student's t: from there on a normal distribution


@cache
def special() -> Any:
    """scipy.special, which takes a quarter of a second to load: commands that judge nothing do not
    wait for it."""
    return import_module("scipy.special")


@dataclass(frozen=True)
class Estimate:
    """What is known of a true difference: a mixture of Student's t over what the seeds' own
    variance may be."""

    difference: float
    design: Design
    seeds: int  # of the side that has fewer
    rows: int  # test rows of a seed
    of_rows: float
    """Variance of the difference because of its test rows."""
    freedom: float
    """Degrees of freedom of that variance."""
    shared: float = 0.0
    """The part of it that more seeds would not take away, as they are tested on the same rows."""
    own: np.ndarray = field(default_factory=lambda: np.zeros(1))
    """(k,) variances that a seed may have of its own."""
    chance: np.ndarray = field(default_factory=lambda: np.ones(1))
    """(k,) how probable each of them is."""
    weight: float = 1.0
    """What a seed's own variance counts in that of the difference: 1 / seeds."""
    alike: float = 0.0
    """What it counts beyond that, however many seeds there are, as they share train rows."""

    def variance(self) -> np.ndarray:
        """(k,) of the difference. With one seed it is that of these trained models: nothing is
        known of how another seed would have turned out."""
        own = 0.0 if self.design == "one seed" else self.own * (self.weight + self.alike)
        return np.asarray(self.of_rows + own + 0 * self.own)

    def with_luck(self) -> "Estimate":
        """The same as a statement on any seed, where it is one on a single seed: its own variance
        is then what the prior says."""
        return replace(self, design="new rows") if self.design == "one seed" else self

    def below(self, value: float) -> float:
        """Probability that the true difference is below a value."""
        variance = self.variance()
        known = self.of_rows**2 / self.freedom  # Satterthwaite (1946)
        freedom = np.minimum(variance**2 / known if known else inf, MOST_FREEDOM)
        deviation = np.sqrt(variance).clip(1e-150)
        each = special().stdtr(freedom, (value - self.difference) / deviation)
        return float(self.chance @ each)

    def interval(self, level: float = 1 - ALPHA) -> tuple[float, float]:
        if not self.variance().any():
            return self.difference, self.difference
        low = self._quantile((1 - level) / 2)
        return low, 2 * self.difference - low

    def p(self) -> float:
        """Two-sided, of there being no difference."""
        if not self.difference:
            return 1.0
        return min(1.0, 2 * self.below(-abs(self.difference) + self.difference))

    def _quantile(self, share: float) -> float:
        """Of the lower half."""
        high = self.difference
        low, step = high, float(np.sqrt(self.variance().max()))
        near = 1e-12 * step  # nobody sees less of a deviation
        while self.below(low) > share:
            low, step = low - step, 2 * step
        while high - low > near and low < (middle := (low + high) / 2) < high:
            low, high = (middle, high) if self.below(middle) < share else (low, middle)
        return (low + high) / 2

    def decides(self, alpha: float, band: float, seeds: int, rows: float = 1.0) -> float:
        """How probable it is that so many seeds, with `rows` times the test rows, would decide:
        tell the difference from none, or show that it lies within the band. Averaged over what is
        known of the difference and of the seeds' own variance, before they are run."""
        now = self.of_rows + self.own * (self.weight + self.alike)
        own_rows = (self.of_rows - self.shared) * self.seeds / seeds
        of_rows = (self.shared + own_rows) / rows
        # More rows of a table are more train rows too, and what these cause is less as well.
        own = self.own / (rows if self.design == "new splits" else 1)
        then = np.minimum(of_rows + own * (1 / seeds + self.alike), now)
        # The estimate will have moved by as much as will have been learned.
        move = np.sqrt(now - then).clip(1e-150)
        later = replace(
            self.with_luck(),
            difference=0.0,
            of_rows=of_rows,
            own=own,
            weight=1 / seeds,
            freedom=MOST_FREEDOM,
        )
        # Of the seeds' own variance they will know the more, the more of them are new.
        known = 1 - self.seeds / seeds
        exact = -special().ndtri(alpha / 2) * np.sqrt(then)
        reach = known * exact + (1 - known) * later.interval(1 - alpha)[1]
        within = np.maximum(band - reach, 0)

        def inside(half: np.ndarray) -> np.ndarray:
            ends = ((half - self.difference) / move, (-half - self.difference) / move)
            return np.asarray(special().ndtr(ends[0]) - special().ndtr(ends[1]))

        found = np.where(within < reach, 1 - inside(reach) + inside(within), 1.0)
        return float(self.chance @ found)


def estimate(cells: Sequence[Linear], side: Sequence[int] | None = None) -> Estimate | None:
    """The true mean of these, one per seed; with sides (1 or -1 each), that of the ones less that
    of the others, which have other seeds or other rows. None where a cell has a single cluster,
    which does not tell how it varies."""
    value = np.array([cell.value for cell in cells])
    sides = np.ones(len(cells)) if side is None else np.asarray(side, float)
    counts = [int((sides == sign).sum()) for sign in np.unique(sides)]
    weight = sides / np.where(sides > 0, counts[-1], counts[0])
    known = _of_rows(cells, weight)
    if known is None:
        return None
    covariance, freedom, design = known
    # The seeds' own variance shows in what is left of their scores without their mean.
    member = (sides[:, None] == np.unique(sides)).astype(float)
    left = np.linalg.qr(member, mode="complete")[0][:, len(counts) :]
    by_rows, turn = np.linalg.eigh(left.T @ covariance @ left)
    spread = (turn.T @ (left.T @ value)) ** 2
    by_row = float(np.diag(covariance).mean())
    own, chance = _own_variance(by_row * SEED_SPREAD[design] ** 2, by_rows.clip(0), spread)
    # Splits of the same rows share most train rows, and what these cause does not average out: the
    # correction of Nadeau and Bengio (2003), for this part alone.
    share = float(np.mean([cell.test_share for cell in cells])) if design == "new splits" else 0.0
    apart = covariance[~np.eye(len(cells), dtype=bool)]
    return Estimate(
        difference=float(weight @ value),
        design="other rows" if side is not None else design if len(cells) > 1 else "one seed",
        seeds=min(counts),
        rows=min(cell.rows for cell in cells),
        of_rows=float(weight @ covariance @ weight),
        freedom=freedom,
        shared=float(apart.mean().clip(0)) if len(apart) else 0.0,
        own=own,
        chance=chance,
        weight=float(weight @ weight),
        alike=share * len(counts),
    )


def of_scores(
    a: Sequence[float], b: Sequence[float] | None = None, overlap: float = 0.0
) -> Estimate | None:
    """mean(a) - mean(b) where nothing but one score per seed is left (Welch 1947); without b, the
    mean of differences (a paired t-test). None for a single seed: nobody knows how it varies.

    overlap: the part of a seed's test rows that another seed is tested on too, on average: scores
    of such seeds are alike. Of random splits this is the correction of Nadeau and Bengio (2003);
    where all rows are shared, nothing tells either.
    """
    sides = [np.asarray(side, float) for side in (a, b) if side is not None]
    if min(map(len, sides)) < 2 or overlap > 1 - 1e-9:
        return None
    common = overlap / (1 - overlap)
    spreads = [float(side.var(ddof=1)) for side in sides]
    parts = [s * (1 / len(x) + common) for s, x in zip(spreads, sides, strict=True)]
    doubt = sum(part**2 / (len(x) - 1) for part, x in zip(parts, sides, strict=True))
    freedom = sum(parts) ** 2 / doubt if doubt else MOST_FREEDOM
    difference = float(sides[0].mean() - (sides[1].mean() if b is not None else 0))
    seeds = min(map(len, sides))
    return Estimate(difference, "scores only", seeds, 0, sum(parts), freedom, sum(spreads) * common)


def _of_rows(
    cells: Sequence[Linear], weight: np.ndarray
) -> tuple[np.ndarray, float, Design] | None:
    """((cells, cells) covariance because of test rows, degrees of freedom that the variance of the
    weighted sum has, what the seeds have in common)."""
    if any(len(cell.clusters) < 2 for cell in cells):
        return None
    moves = [cell.moves() for cell in cells]
    units = [cell.units for cell in cells if cell.units is not None]
    if len(units) < len(cells):
        covariance = np.diag([float(move @ move) for move in moves])
        total = np.concatenate([w * move for w, move in zip(weight, moves, strict=True)])
        return covariance, _freedom(total**2), "new rows"
    every, place = np.unique(np.concatenate(units), return_inverse=True)
    places = np.split(place, np.cumsum([len(move) for move in moves])[:-1])
    of_unit = np.array(
        [np.bincount(at, move, len(every)) for at, move in zip(places, moves, strict=True)]
    )
    is_same = all(len(move) == len(every) for move in moves)
    freedom = _freedom((weight @ of_unit) ** 2)
    return of_unit @ of_unit.T, freedom, "same rows" if is_same else "new splits"


def _freedom(squares: np.ndarray) -> float:
    """Of a sum of squares with these parts: few, where few rows or clusters make most of it."""
    n, whole = len(squares), float(squares.sum())
    if not whole:
        return MOST_FREEDOM
    excess = float(squares @ squares) / whole**2 - 1 / n
    return min(n - 1, 2 / excess) if excess > 0 else n - 1


def _own_variance(
    scale: float, known: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(variances that seeds may have of their own, how probable each is): the random-effects model
    of a meta-analysis with a half-normal prior (Röver 2020, arXiv 1711.08683).

    scale: squared, of the prior. known, spread: of independent contrasts between seeds, the
    variance that rows explain, and the square that was found.
    """
    scale = scale or float(spread.mean() if len(spread) else 0)
    if not scale:
        return np.zeros(1), np.ones(1)
    own = scale * special().ndtri(0.5 + SHARES / 2) ** 2
    total = known + own[:, None]
    fit = -(np.log(total) + spread / total).sum(axis=1) / 2
    chance = np.exp(fit - fit.max())
    return own, chance / chance.sum()
