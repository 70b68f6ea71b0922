"""Where a model is wrong: its error on parts of the test rows, by what their columns hold, and the
rows on which two models differ most. From raw outcomes and the test rows that were kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import NormalDist
from typing import Any

import numpy as np

from benchmarks.analysis.curves import Load
from benchmarks.analysis.outcomes import is_finite
from benchmarks.analysis.summary import Section
from benchmarks.records.given import Given
from benchmarks.records.records import Record

LEVELS = 8  # of a column that are looked at one by one; more stand together
PARTS = 5  # of the range of numbers
FEWEST = 30  # rows of a segment
MOST_LEVELS = 0.5  # of the rows: a column with more is a name or a text, and no segment
Z = 1.96
Rows = Callable[[Record], Given | None]


@dataclass(frozen=True)
class Kept:
    """Test rows of one seed of a section, with what models said of them."""

    seed: int
    given: Given
    kind: str
    labels: Any
    """(n,) of these rows; names of classes, values, or a list of answers"""
    classes: Sequence[str]
    group: np.ndarray | None
    said: Mapping[str, Any]
    """Label of a row of the table -> (n, n_classes), (n,) or a list of n"""

    def loss(self, label: str) -> np.ndarray:
        """(n,) how wrong a model is on each row: of classes one less the probability of the right
        one, of values how far off, of answers whether it is another one."""
        said = self.said[label]
        if self.kind == "answers":
            return np.array([a != b for a, b in zip(said, self.labels, strict=True)], dtype=float)
        if self.kind == "regression":
            return np.abs(said - self.labels)
        found: np.ndarray = 1 - said[np.arange(len(said)), self.labels]
        return found

    def apart(self, a: str, b: str) -> np.ndarray:
        """(n,) how far apart two models are: half the sum of absolute differences of their
        probabilities, the distance of their values, or whether their answers differ."""
        mine, its = self.said[a], self.said[b]
        if self.kind == "answers":
            return np.array([x != y for x, y in zip(mine, its, strict=True)], dtype=float)
        if self.kind == "regression":
            return np.abs(mine - its)
        found: np.ndarray = np.abs(mine - its).sum(axis=1) / 2
        return found


@dataclass(frozen=True)
class Segment:
    column: str
    part: str
    rows: int
    error: float
    beyond: float
    """Its error less that of all rows."""
    low: float
    high: float
    """95 % interval of `beyond`, corrected for all segments that were looked at."""

    @property
    def is_worse(self) -> bool:
        return self.low > 0


def kept(section: Section, labels: Sequence[str], load: Load, rows: Rows) -> Kept | None:
    """The first seed of which test rows were kept, with all of these models that predicted them;
    None where there is none."""
    if section.part:
        return None
    by_seed: dict[int, dict[str, Record]] = {}
    for row in section.rows:
        if row.label in labels:
            for record in row.compared:
                if record["rows"].get("of") is None:
                    by_seed.setdefault(record["seed"], {})[row.label] = record
    for seed, records in sorted(by_seed.items()):
        given = _given(section, seed, rows)
        if given is None:
            continue
        found = {label: load(record) for label, record in records.items()}
        there = {k: v for k, v in found.items() if v is not None and is_finite(v["predictions"])}
        if there:
            return _kept(seed, given, section.kind, there)
    return None


def _given(section: Section, seed: int, rows: Rows) -> Given | None:
    """Of views that were kept, the one with most columns: it says most to a person."""
    found = [
        given
        for row in section.everything
        for record in row.done
        if record["seed"] == seed and record["rows"].get("of") is None
        if (given := rows(record)) is not None
    ]
    return max(found, key=lambda given: len(given.columns), default=None)


def _kept(
    seed: int, given: Given, kind: str, found: Mapping[str, Mapping[str, Any]]
) -> Kept | None:
    first = next(iter(found.values()))
    n = len(first["labels"])
    if given.places.max() >= n:
        return None

    def at(values: Any) -> Any:
        if isinstance(values, list):
            return [values[place] for place in given.places.tolist()]
        return values[given.places]

    said = {k: at(v["predictions"]) for k, v in found.items() if len(v["labels"]) == n}
    classes = [str(name) for name in first.get("classes", ())]
    group = first.get("group")
    return Kept(
        seed, given, kind, at(first["labels"]), classes, None if group is None else at(group), said
    )


def segments(kept: Kept, label: str) -> list[Segment]:
    """Of all columns, the worst first: those that are worse beyond chance by how much at least,
    then the others by their error."""
    loss = kept.loss(label)
    found = [
        (column, part, inside)
        for column, values in kept.given.columns.items()
        for part, inside in parts(values)
        if FEWEST <= inside.sum() <= len(loss) - FEWEST
    ]
    if not found:
        return []
    z = max(Z, NormalDist().inv_cdf(1 - 0.025 / len(found)))
    made = []
    for column, part, inside in found:
        beyond = float(loss[inside].mean() - loss.mean())
        # Its rows are among all rows: what each row moves the difference by.
        moves = (inside / inside.sum() - 1 / len(loss)) * (
            loss - np.where(inside, loss[inside].mean(), loss[~inside].mean())
        )
        if kept.group is not None:
            moves = np.bincount(np.unique(kept.group, return_inverse=True)[1], moves)
        reach = z * float(np.sqrt((moves**2).sum()))
        error = float(loss[inside].mean())
        made.append(
            Segment(column, part, int(inside.sum()), error, beyond, beyond - reach, beyond + reach)
        )
    return sorted(made, key=lambda s: (not s.is_worse, -s.low if s.is_worse else -s.error))


def parts(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(what a part of the rows has in common, (n,) which rows these are) of a column."""
    if values.dtype.kind in "fM":
        yield from _ranges(values)
        return
    there = np.array([value is not None for value in values])
    texts = np.array(["" if value is None else str(value) for value in values], dtype=object)
    names, counts = np.unique(texts[there].astype(str), return_counts=True)
    if len(names) > max(LEVELS, MOST_LEVELS * len(values)):
        return
    most = names[np.argsort(-counts, kind="stable")]
    for name in most[:LEVELS]:
        yield str(name), there & (texts == name)
    if len(most) > LEVELS:
        yield f"{len(most) - LEVELS} others", there & ~np.isin(texts.astype(str), most[:LEVELS])
    if not there.all():
        yield "missing", ~there


def _ranges(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Of numbers or moments: each of a few, or fifths of the rows."""
    there = ~np.isnat(values) if values.dtype.kind == "M" else np.isfinite(values)
    different = np.unique(values[there])
    if len(different) <= LEVELS:
        for value in different:
            yield said(value), values == value
    else:
        # NumPy has no quantiles of moments; of their whole numbers it has.
        numbers = values.astype(np.int64) if values.dtype.kind == "M" else values
        edges = np.unique(np.quantile(numbers[there], np.linspace(0, 1, PARTS + 1)))
        for k, (low, high) in enumerate(pairwise(edges)):
            last = k == len(edges) - 2
            inside = there & (numbers >= low) & ((numbers <= high) if last else (numbers < high))
            first, second = np.array([low, high]).astype(values.dtype)
            yield f"{said(first)} to {said(second)}", inside
    if not there.all():
        yield "missing", ~there


def said(value: Any) -> str:
    """A number or a moment, short."""
    if isinstance(value, np.datetime64):
        return str(value)[:10]
    if abs(value) >= 10_000:  # four digits may be a year
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def most_apart(kept: Kept, labels: Sequence[str], each: int) -> list[int]:
    """Places among the kept rows on which any two of these models are furthest apart, so many of
    every two."""
    found: dict[int, None] = {}
    for a, b in combinations([label for label in labels if label in kept.said], 2):
        apart = kept.apart(a, b)
        order = np.argsort(-apart, kind="stable")[:each]
        found |= dict.fromkeys(order[apart[order] > 0].tolist())
    return sorted(found)
