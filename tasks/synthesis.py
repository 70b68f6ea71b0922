"""Features by a machine: deep feature synthesis over rows with a past, with no line by hand.

Every column of `Histories` is summed up as its type allows ("primitives" of Kanter and
Veeramachaneni's Deep Feature Synthesis, 2015): of the row itself, of its entity's past, of that
part of the past which is like the row, and of everybody's past.

Point in time to the last bit. What is in a row's past is said by its `start` and `stop` alone, so
that this view and `events` know the same; of other entities a row knows what a job had summed up
at midnight. A sum that is no whole number runs within one entity from its first event on: no later
event and no other entity can move it, not even by rounding. docs/adr/0021-auto-features.md says
why this is arithmetic on arrays, and what it was held against.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tasks.histories import Histories

DAY = 86_400
WINDOWS = {"1h": DAY // 24, "1d": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "365d": 365 * DAY}
LAST = (3, 10)  # events
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PARTS_OF_DAY = ("night", "morning", "afternoon", "evening")  # six hours each
SHARES = 12  # a category of at most so many levels has a share for each of them
LEVELS = 1_000  # that a category of rows keeps: the first ones that appear
RARE = "(rare)"
PRIOR = 5.0  # events at the coarser mean, with which a finer one begins
LARGE = 1e30  # what float32 holds, and a model can square
PAIRED = 4  # outcomes, the first ones, whose rates are taken by two categories at once
DENSE = 1_000_000  # sums of nights that are kept although most are empty
EXACT = 2.0**53  # up to here float64 adds whole numbers without rounding

Column = tuple[str, Any]


def synthesise(
    made: Histories,
    n_train: int,
    known_after: int = 0,
    about: Sequence[str] = (),
    n_jobs: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(train rows, test rows) as numbers, truth values and categories.

    made: all rows over all events, train rows first. known_after: seconds from an event to the
    moment at which what came of it is known, as `made` was made with. about: categories of `events`
    that tell whose they are, and not what happened; rows have them as well. Which columns there
    are follows from types alone: to choose among them by their values would tell of the future.
    """
    work = _Synthesis(made, known_after, about)
    with ThreadPoolExecutor(n_jobs) as pool:  # each column is one thread's: none depends on another
        columns = dict(chain.from_iterable(pool.map(done, work.jobs())))
    rows = pd.DataFrame(columns, index=pd.RangeIndex(len(made)))
    return rows[:n_train], rows[n_train:].reset_index(drop=True)


def done(job: Callable[[], Iterator[Column]]) -> list[Column]:
    """A job's columns, numbers as float32: more digits than any model of a table reads."""
    found = []
    for name, values in job():
        if isinstance(values, np.ndarray) and values.dtype != bool:
            values = np.clip(values, -LARGE, LARGE).astype(np.float32)
        found.append((name, values))
    return found


@dataclass(frozen=True)
class Stretch:
    """Of each of n rows, the events that count: places `low` to `high` of m events in an order."""

    order: Any
    """(m,) events in order, in which each group's stand together"""
    group: np.ndarray
    """(m,) codes of groups, in that order; no row's stretch reaches into two"""
    first: np.ndarray
    """(n,) where the group of a row begins"""
    low: np.ndarray
    high: np.ndarray

    def in_order(self, values: np.ndarray) -> np.ndarray:
        return values[self.order]

    @property
    def number(self) -> np.ndarray:
        """(n,) of events"""
        return (self.high - self.low).astype(np.float64)

    def total(self, values: np.ndarray) -> np.ndarray:
        """(n,) sums of values (m,), of which none is missing."""
        known = self.in_order(values)
        if np.abs(known).sum() < EXACT and (known == np.rint(known)).all():
            sums = np.concatenate([[0.0], np.cumsum(known)])
            return sums[self.high] - sums[self.low]
        sums = np.concatenate([[0.0], self.running(known, "cumsum")])
        before = np.where(self.low > self.first, sums[self.low], 0.0)
        return np.where(self.high > self.low, sums[self.high] - before, 0.0)

    def running(self, known: np.ndarray, how: str) -> np.ndarray:
        """(m,) cumsum, cummin or cummax up to each value, within its group."""
        return getattr(pd.Series(known).groupby(self.group, sort=False), how)().to_numpy()

    def mean(self, values: np.ndarray, coarser: np.ndarray | None = None) -> np.ndarray:
        """(n,) means of values (m,), of which NaN does not count; with `coarser` (n,), as if PRIOR
        events of that mean had come before."""
        missing = np.isnan(values)
        total = self.total(np.where(missing, 0.0, values))
        count = self.total((~missing).astype(np.float64)) if missing.any() else self.number
        with np.errstate(invalid="ignore", divide="ignore"):
            plain = total / count
        if coarser is None:
            return plain
        return np.where(np.isnan(coarser), plain, (total + PRIOR * coarser) / (count + PRIOR))

    def last(self, values: np.ndarray, missing: Any = np.nan) -> np.ndarray:
        """(n,) the value of the last event."""
        return np.where(self.high > self.low, self.in_order(values)[self.high - 1], missing)


@dataclass(frozen=True)
class Nights(Stretch):
    """The same where `order` says in which of the sums of a night each event is, and places are
    those of the sums."""

    def in_order(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.order, values, len(self.group))

    @property
    def number(self) -> np.ndarray:
        return self.total(np.ones(len(self.order)))


class Kind(NamedTuple):
    """What rows and events can have in common, as codes; -1 where that is missing."""

    mine: np.ndarray
    """(n,)"""
    theirs: np.ndarray
    """(m,)"""

    @property
    def size(self) -> int:
        """More than there are codes."""
        return int(max(self.mine.max(initial=0), self.theirs.max(initial=0))) + 2

    def with_(self, other: "Kind") -> "Kind":
        """Both at once."""
        size = other.size
        return Kind(*((a + 1) * size + b for a, b in zip(self, other, strict=True)))


class _Synthesis:
    """Columns by the primitives of their types; one job for each column that is summed up."""

    def __init__(self, made: Histories, known_after: int, about: Sequence[str]) -> None:
        self.moment, self.event_moment = made.moment, made.event_moment
        self.known_after = known_after
        self.now = with_calendar(made.now, made.moment)
        self.events = made.events.drop(columns=list(about))
        self.about = {
            name: Kind(codes_of(made.now[name], made.events[name]), codes_of(made.events[name]))
            for name in about
        }
        begins = np.unique(made.start)  # what stands behind an entity's last event harms no sum
        group = np.searchsorted(begins, np.arange(len(self.events)), "right")
        self.past = Stretch(slice(None), group, made.start, made.start, made.stop)
        self.entity = np.searchsorted(begins, made.start, "right")
        if any(name in self.events for name in made.now):  # rows are events that are still open
            self.events = with_calendar(self.events, made.event_moment)
        self.shared = [str(name) for name in self.now if name in self.events]
        moments = np.concatenate([made.moment, made.event_moment])
        self.night0 = int(moments.min()) // DAY if len(moments) else 0
        self.windows = {name: self.since(seconds) for name, seconds in WINDOWS.items()}
        self.outcomes = dict(self._outcomes())

    def _outcomes(self) -> Iterator[tuple[str, np.ndarray]]:
        """What came of events, as numbers: no row knows it of itself."""
        for name in map(str, self.events.columns.difference(self.now.columns, sort=False)):
            values = self.events[name]
            if (kind := kind_of(values)) == "number":
                yield name, as_number(values)
            elif kind == "category" and len(values.cat.categories) <= SHARES:
                levels = list(enumerate(values.cat.categories))
                for code, level in levels[len(levels) == 2 :]:  # one of two tells both
                    yield f"{name}_{level}", (values.cat.codes == code).to_numpy(np.float64)

    def jobs(self) -> Iterator[Callable[[], Iterator[Column]]]:
        yield self.own
        if not len(self.events):
            return
        yield self.rhythm
        alike = Kind(np.zeros(len(self.now), np.int64), np.zeros(len(self.events), np.int64))
        everybody = self.everybody(alike)
        rates = {name: everybody.mean(values) for name, values in self.outcomes.items()}
        means = {name: self.past.mean(v, rates[name]) for name, v in self.outcomes.items()}
        for outcome in self.outcomes:
            yield partial(self.outcome, outcome, rates[outcome], means[outcome])
        for column in map(str, self.events):
            if (kind := kind_of(self.events[column])) == "category":
                yield partial(self.category, column)
            elif kind == "number" and column in self.shared:
                yield partial(self.number, column)
        for name, whose in self.about.items():
            yield partial(self.company, name, whose, rates, {})
        for name, common in self.kinds():
            yield partial(self.alike, name, common, means)
            yield partial(self.company, name, common, rates, self.about)

    def own(self) -> Iterator[Column]:
        """The row itself."""
        for name, values in self.now.items():
            if (kind := kind_of(values)) == "number":
                yield str(name), as_number(values)
            elif kind == "category":
                yield str(name), kept_levels(values)
            else:
                yield from text_parts(str(name), values)

    def rhythm(self) -> Iterator[Column]:
        """How much happened to the entity before, and when."""
        past = self.past
        yield "events_before", past.number
        for name, recent in self.windows.items():
            yield f"events_{name}", recent.number
        yield "days_since_last", self.days_since(past.last(self.event_moment))
        first = replace(past, high=np.minimum(past.low + 1, past.high))
        yield "days_since_first", self.days_since(first.last(self.event_moment))

    def outcome(self, name: str, rate: np.ndarray, mean: np.ndarray) -> Iterator[Column]:
        """What came of the entity's earlier events."""
        values, past = self.outcomes[name], self.past
        yield f"{name}_rate", rate
        yield f"{name}_mean", mean
        for window, recent in self.windows.items():
            yield f"{name}_mean_{window}", recent.mean(values, mean)
        for events in LAST:
            latest = replace(past, low=np.maximum(past.low, past.high - events))
            yield f"{name}_mean_last_{events}", latest.mean(values, mean)
        yield f"{name}_last", past.last(values)
        yield f"{name}_sum", past.total(np.nan_to_num(values))
        place = np.maximum.accumulate(np.where(values > 0, np.arange(len(values)), -1))
        latest_place = past.last(place, -1)
        ever = latest_place >= past.low
        at = np.where(ever, self.event_moment[np.maximum(latest_place, 0)], np.nan)
        yield f"{name}_days_since", self.days_since(at)
        yield f"{name}_events_since", np.where(ever, past.high - 1 - latest_place, np.nan)
        if name in self.events and self.events[name].dtype != bool:  # of yes or no it tells nothing
            yield from self.spread(name, values)

    def number(self, name: str) -> Iterator[Column]:
        """A number that rows have as well: how the row relates to its past."""
        values = as_number(self.events[name])
        mean = self.past.mean(values)
        yield f"{name}_above_mean", as_number(self.now[name]) - mean
        yield f"{name}_last", self.past.last(values)

    def spread(self, name: str, values: np.ndarray) -> Iterator[Column]:
        """Least, greatest and standard deviation."""
        past, missing = self.past, np.isnan(values)
        for which, least in (("min", np.inf), ("max", -np.inf)):
            extreme = past.last(past.running(np.where(missing, least, values), f"cum{which}"))
            yield f"{name}_{which}", np.where(np.isinf(extreme), np.nan, extreme)
        # Around the entity's first value: squares of large numbers would leave no digit for it.
        filled = pd.Series(values).groupby(past.group, sort=False)
        apart = values - filled.transform("first").to_numpy()
        mean = past.mean(apart)
        variance = past.mean(apart**2) - mean**2
        yield f"{name}_std", np.sqrt(np.maximum(variance, 0.0))

    def category(self, name: str) -> Iterator[Column]:
        """A category of events."""
        past, values = self.past, self.events[name]
        codes, levels = values.cat.codes.to_numpy().astype(np.int64), values.cat.categories
        new = ~pd.Series(past.group * (len(levels) + 1) + codes).duplicated().to_numpy()
        yield f"{name}_distinct", past.total((new & (codes >= 0)).astype(np.float64))
        latest = past.last(codes, -1)
        if name in self.shared:
            yield (
                f"{name}_again",
                np.where(latest < 0, np.nan, codes_of(self.now[name], values) == latest),
            )
        elif len(levels) <= LEVELS:
            yield f"{name}_last", kept_levels(_category(latest, values))
            if len(levels) <= SHARES:  # each share stands among the outcomes
                counts = [past.total((codes == code) * 1.0) for code in range(len(levels))]
                usual = np.argmax(counts, axis=0)
                usual = np.where(np.max(counts, axis=0) > 0, usual, -1)
                yield f"{name}_mode", _category(usual, values)

    def kinds(self) -> Iterator[tuple[str, Kind]]:
        """What a row can have in common with events: a category, or the sign of a number."""
        for name in self.shared:
            now, events = self.now[name], self.events[name]
            if kind_of(events) == "category":
                yield name, Kind(codes_of(now, events), codes_of(events))
            elif kind_of(events) == "number" and name != "hour":
                yield f"{name}_sign", Kind(sign_of(now), sign_of(events))

    def alike(self, name: str, kind: Kind, means: Mapping[str, np.ndarray]) -> Iterator[Column]:
        """Of the entity's earlier events those that are like the row."""
        key = self.past.group * kind.size + kind.theirs + 1
        order = np.argsort(key, kind="stable")  # by entity and kind, and as before within both
        stretch = of_group(order, key[order], self.entity * kind.size + kind.mine + 1)
        stretch = replace(stretch, high=first_from(order, self.past.high, stretch))
        yield f"events_same_{name}", stretch.number
        yield f"days_since_same_{name}", self.days_since(stretch.last(self.event_moment))
        for outcome, values in self.outcomes.items():
            yield f"{outcome}_mean_same_{name}", stretch.mean(values, means[outcome])

    def company(
        self,
        name: str,
        kind: Kind,
        rates: Mapping[str, np.ndarray],
        others: Mapping[str, Kind],
    ) -> Iterator[Column]:
        """Everybody's earlier events that are like the row, and of those the ones of entities that
        are like its own."""
        alike = self.everybody(kind)
        means = {key: alike.mean(values, rates[key]) for key, values in self.outcomes.items()}
        for outcome, mean in means.items():
            yield f"{outcome}_rate_same_{name}", mean
        for other, whose in others.items():
            both = self.everybody(kind.with_(whose))
            for outcome in list(means)[:PAIRED]:
                rate = both.mean(self.outcomes[outcome], means[outcome])
                yield f"{outcome}_rate_same_{name}_{other}", rate

    def everybody(self, kind: Kind) -> Stretch:
        """Of each row, all events of its kind that were known at the midnight before it."""
        night = -(-(self.event_moment + self.known_after) // DAY) - self.night0
        tonight = self.moment // DAY - self.night0
        nights = int(max(night.max(initial=0), tonight.max(initial=0))) + 1
        cell = (kind.theirs + 1) * nights + night
        low = (kind.mine + 1) * nights
        high = low + tonight + 1
        cells = np.arange(kind.size * nights)
        if len(cells) > max(4 * len(cell), DENSE):  # mostly empty
            cells, cell = np.unique(cell, return_inverse=True)
            low, high = np.searchsorted(cells, low), np.searchsorted(cells, high)
        return Nights(cell, cells // nights, low, low, high)

    def since(self, seconds: int) -> Stretch:
        """Of each row's past, what is at most so many seconds old."""
        low = first_from(self.event_moment, self.moment - seconds, self.past)
        return replace(self.past, low=low)

    def days_since(self, moment: np.ndarray) -> np.ndarray:
        return (self.moment - moment) / DAY


def of_group(order: np.ndarray, group: np.ndarray, mine: np.ndarray) -> Stretch:
    """Of each row, all events of its group."""
    low = np.searchsorted(group, mine)
    return Stretch(order, group, low, low, np.searchsorted(group, mine, "right"))


def first_from(values: np.ndarray, edge: np.ndarray, within: Stretch) -> np.ndarray:
    """(n,) the first place of each stretch whose value is no less than the edge; values (m,) rise
    within a stretch."""
    low, high = within.low, within.high
    while (there := low < high).any():  # a binary search in all rows at once
        middle = (low + high) // 2
        less = there & (values[np.where(there, middle, 0)] < edge)
        low, high = np.where(less, middle + 1, low), np.where(there & ~less, middle, high)
    return low


def with_calendar(rows: pd.DataFrame, moment: np.ndarray) -> pd.DataFrame:
    """Rows with the hour, the part of the day and the weekday of their moments, where they have no
    columns of these names."""
    hour = moment % DAY / 3600
    parts: dict[str, Any] = {
        "hour": hour,
        "part_of_day": pd.Categorical.from_codes(
            (hour // 6).astype(np.int64), pd.Index(PARTS_OF_DAY)
        ),
        "weekday": pd.Categorical.from_codes((moment // DAY + 3) % 7, pd.Index(WEEKDAYS)),
    }
    return rows.assign(**{name: part for name, part in parts.items() if name not in rows})


def kind_of(values: pd.Series) -> str:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return "category"
    return "number" if pd.api.types.is_numeric_dtype(values.dtype) else "text"


def as_number(values: pd.Series) -> np.ndarray:
    return values.to_numpy(np.float64, na_value=np.nan)


def sign_of(values: pd.Series) -> np.ndarray:
    """(n,) 0, 1, 2 for less than, equal to and more than zero; -1 for missing."""
    number = as_number(values)
    return np.where(np.isnan(number), -1, np.sign(number) + 1).astype(np.int64)


def codes_of(values: pd.Series, like: pd.Series | None = None) -> np.ndarray:
    """(n,) codes of a category, in the levels of another; -1: missing, or no level there."""
    levels = values.cat.categories
    places = np.arange(len(levels)) if like is None else like.cat.categories.get_indexer(levels)
    return np.append(places, -1)[values.cat.codes.to_numpy()].astype(np.int64)


def _category(codes: np.ndarray, like: pd.Series) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(codes.astype(np.int32), like.cat.categories))


def kept_levels(values: pd.Series) -> pd.Series:
    """A category with the first LEVELS levels that appear, all later ones being one."""
    if len(values.cat.categories) <= LEVELS:
        return values
    codes = values.cat.codes.to_numpy().astype(np.int64)
    new = ~pd.Series(codes).duplicated().to_numpy() & (codes >= 0)
    nth = np.zeros(len(values.cat.categories) + 1, np.int64)  # the last for a missing one
    nth[codes[new]] = np.arange(new.sum())
    levels = values.cat.categories.append(pd.Index([RARE]))
    codes = np.where(nth[codes] < LEVELS, codes, len(levels) - 1)
    return pd.Series(pd.Categorical.from_codes(codes, levels))


def text_parts(name: str, values: pd.Series) -> Iterator[Column]:
    """What can be counted in a text."""
    codes, texts = pd.factorize(values)
    different = pd.Series(texts, dtype="str").str
    parts = {
        "characters": different.len(),
        "words": different.count(r"\w+"),
        "digits": different.count(r"\d"),
        "capitals": different.count(r"[A-Z]"),
        "marks": different.count(r"[^\w\s]"),
    }
    for part, counts in parts.items():
        yield f"{name}_{part}", np.append(counts.to_numpy(np.float64), np.nan)[codes]
