"""Which rows a model may learn from: a split that is like the use."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from tasks.base import dealt, spread, strata_of_groups
from tasks.table.columns import Column

Way = Literal["random", "time", "group"]

CUT_OFFS = 10  # of a split by time; the seed after the last begins anew
DRAWS = 30  # of groups, the best of which is taken
NEAR = 0.005  # of all rows: a share that is so near the asked one is as good as it
TIME_NAME = re.compile(
    r"(time|date|stamp|_at$|_on$|^day$|^month$|^year$|created|updated|sent)", re.I
)
# A moment of something else than the row: of a person, or one that is still to come.
OTHER_TIMES = [
    "birth",
    "born",
    "dob",
    "death",
    "dead",
    "died",
    "deceased",
    "expir",
    "due",
    "deadline",
    "end",
    "ends",
    "ended",
    "until",
    "till",
    "valid",
    "matur",
    "renew",
    "next",
    "last",
    "final",
    "finish",
    "stop",
    "plan",
    "schedul",
    "expect",
    "estimat",
    "forecast",
    "target",
    "promis",
    "cancel",
    "clos",
    "resol",
    "retire",
    "terminat",
    "warrant",
]
GROUP_NAME = re.compile(
    r"(user|customer|client|patient|subject|person|account|household|session|device|member)"
    r"([\s_.-]?(id|nr|no|key|uuid))?$",
    re.I,
)
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
PERIOD = re.compile(  # a part of a year: texts that all have the same one are in order of time
    r"(?P<half>h[12])|(?P<quarter>q[1-4]|[1-4]q)|(?P<week>(w|kw|cw|wk|week)[ -]?\d{1,2})"
    r"|(?P<month>1[0-2]|0?[1-9])|(?P<named>[a-z]{3,}\.?)"
)


class Plan(NamedTuple):
    way: Way
    column: str | None
    why: str


class Split(NamedTuple):
    """Positions of train rows, in the order in which models see them, and of test rows."""

    train: np.ndarray
    test: np.ndarray
    said: list[str]  # what came of it, a sentence each
    group: np.ndarray | None = None  # (n,) codes of what rows belong to


def plan(
    asked: Way | None, time: str | None, group: str | None, columns: Sequence[Column], rows: int
) -> Plan:
    """How to split, as asked, or as the columns suggest. Raises ValueError where that cannot be."""
    kinds = {column.name: column.kind for column in columns}
    dates = [column.name for column in columns if column.kind == "date"]
    if asked == "time" or (asked is None and time):
        if time is None:
            fit = [name for name in dates if is_of_row(name)]
            if len(fit) != 1:
                found = f"there are {', '.join(fit)}" if fit else "no column holds dates"
                if dates and not fit:
                    found = f"{dates[0]!r} does not sound like when a row came about"
                raise ValueError(f"task.split=time needs task.time=COLUMN: {found}")
            return Plan("time", fit[0], "the one column with dates")
        if kinds[time] not in ("date", "number", "category"):
            raise ValueError(
                f"{time!r} holds neither dates nor numbers: rows cannot be in its order"
            )
        return Plan("time", time, "as you said")
    if asked == "group" or (asked is None and group):
        if group is None:
            raise ValueError("task.split=group needs task.group=COLUMN")
        if kinds[group] == "out":
            raise ValueError(f"{group!r} is left out, so rows cannot be split by it")
        return Plan("group", group, "as you said")
    if asked == "random":
        return Plan("random", None, "as you said")
    full = {column.name for column in columns if column.missing < 0.1 * rows}
    for name in dates:
        if name in full and TIME_NAME.search(name) and is_of_row(name):
            return Plan("time", name, "it says when a row came about, so train on the past")
    for column in columns:
        repeated = column.distinct and (rows - column.missing) / column.distinct >= 1.5
        usable = column.kind != "out" and column.name in full
        if usable and repeated and column.distinct > 20 and GROUP_NAME.search(column.name):
            return Plan("group", column.name, "several rows share one: none is on both sides")
    return Plan("random", None, "no column is clearly when a row came about, or whose it is")


def is_of_row(name: str) -> bool:
    """Can a column of dates with this name say when a row came about?"""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    for word in re.findall(r"[a-z]+", apart):
        bare = re.sub(r"(date|time|day|on|at)$", "", word)
        if bare in OTHER_TIMES or any(len(t) > 3 and bare.startswith(t) for t in OTHER_TIMES):
            return False
    return True


def split(
    plan: Plan,
    seed: int,
    share: float,
    labels: np.ndarray,
    classes: Sequence[str],
    values: pd.Series | None,
) -> Split:
    """How rows are split. Raises ValueError, with one sentence, where that cannot be.

    labels: codes into `classes`; numbers where there are none. values: of the plan's column. Train
    rows come as `dealt`; those of a split by time in its order, and as dealt within a moment.
    """
    if plan.way == "random":
        found = at_random(seed, share, labels, classes)
    else:
        assert values is not None
        by = by_time if plan.way == "time" else by_group
        found = by(values, seed, share, labels, classes)
    by_column = f" when split by {plan.column}" if plan.column else ""
    for rows, side in ((found.train, "train"), (found.test, "test")):
        if not is_whole(labels[rows], classes):
            if not classes:
                raise ValueError(f"all {side} rows have the same target{by_column}")
            there = np.bincount(labels[rows], minlength=len(classes))
            lacking = classes[int(there.argmin())]
            raise ValueError(f"the class {lacking!r} has no {side} row{by_column}")
    return found


def in_order(
    plan: Plan, seed: int, labels: np.ndarray, classes: Sequence[str], values: pd.Series | None
) -> np.ndarray:
    """(n,) places of all rows in the order in which a split would have its train rows."""
    if plan.way == "random":
        return dealt(labels, seed)
    assert values is not None
    if plan.way == "time":
        return in_time(values, labels, classes, seed)[0]
    return dealt(labels, seed, groups_of(values)[0])


def is_whole(labels: np.ndarray, classes: Sequence[str]) -> bool:
    """Is there something to learn, and to score: a row of every class, or two values?"""
    if classes:
        return bool(np.bincount(labels, minlength=len(classes)).all())
    return len(labels) > 0 and bool(np.ptp(labels) > 0)


def at_random(seed: int, share: float, labels: np.ndarray, classes: Sequence[str]) -> Split:
    """Classes have equal shares on both sides."""
    # Here, as a look at a table that is split by time need not wait for it to load.
    from sklearn.model_selection import train_test_split

    n = len(labels)
    if classes:
        alike = labels
        who = [f"the class {name!r} has" for name in classes]
    else:  # where one value is that of most rows, the others are dealt out fairly
        values, counts = np.unique(labels, return_counts=True)
        alike = (labels == values[counts.argmax()]).astype(np.int64)
        alike = alike if 2 * alike.sum() > n else np.zeros(n, dtype=np.int64)
        who = ["other values than the usual one have", "the usual value has"]
    counts = np.bincount(alike)
    if len(counts) > 1 and counts.min() * share < 1:
        raise ValueError(
            f"{who[int(counts.argmin())]} {counts.min()} rows, too few for a test share of "
            f"{share:g}: say a larger task.test_share"
        )
    strata = alike if len(counts) > 1 else None
    train, test = train_test_split(
        np.arange(n), test_size=share, random_state=seed, stratify=strata
    )
    return Split(train[dealt(labels[train], seed)], np.sort(test), [])


def by_group(
    values: pd.Series, seed: int, share: float, labels: np.ndarray, classes: Sequence[str]
) -> Split:
    """No group is on both sides. Of several draws the one counts that comes nearest to the asked
    share of all rows, then of each class. A row without a group is a group of its own."""
    name, n = values.name, len(labels)
    group, alone = groups_of(values)
    size = np.bincount(group)
    if len(size) < 2:
        raise ValueError(f"all rows have the same {name!r}: they cannot be split by it")
    codes = labels.astype(np.int64) if classes else np.zeros(n, dtype=np.int64)
    total = np.bincount(codes, minlength=len(classes))
    pairs, counts = np.unique(group * len(total) + codes, return_counts=True)
    mine, code = np.divmod(pairs, len(total))
    alike, rng = strata_of_groups(labels, group), np.random.default_rng([seed, 7])
    best: tuple[tuple[int, int, float], np.ndarray] | None = None
    for _ in range(DRAWS):
        chosen = nearest(size, np.argsort(spread(alike, rng)), share * n)
        tested = np.bincount(code, counts * chosen[mine], len(total))
        lacking = int(((tested == 0) | (tested == total)).sum())
        reached = tested.sum() / n
        unlike = float(np.abs(tested - reached * total).sum() / n)
        draw = (lacking, int(abs(reached - share) / NEAR), unlike)
        if best is None or draw < best[0]:
            best = draw, chosen
        if best[0] < (0, 0, NEAR):
            break
    assert best is not None
    is_test = best[1][group]
    train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    _, together = np.unique(group[train], return_inverse=True)
    said = [f"split by {name}: {told(len(test) / n, share)} are tested, in whole groups"]
    if alone.any():
        said.append(f"{alone.sum():,} rows without {name} are groups of their own")
    return Split(train[dealt(labels[train], seed, together)], test, said, group)


def groups_of(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """(codes of groups, which rows are one by themselves, as nobody knows theirs)"""
    group, known = pd.factorize(values)
    alone = group < 0
    return np.where(alone, len(known) + np.cumsum(alone) - 1, group).astype(np.int64), alone


def nearest(size: np.ndarray, order: np.ndarray, goal: float) -> np.ndarray:
    """(n_groups,) which groups to take so that they have about `goal` rows: in this order all that
    fit, then one that brings it nearer."""
    chosen, sizes = np.zeros(len(size), dtype=bool), size[order]
    place, room = 0, goal
    while True:
        fit = int(np.searchsorted(np.cumsum(sizes[place:]), room, side="right"))
        chosen[order[place : place + fit]] = True
        room -= sizes[place : place + fit].sum()
        later = np.flatnonzero(sizes[place + fit :] <= room)
        if not len(later):
            break
        place += fit + int(later[0])
    rest = order[~chosen[order]]
    if len(rest) > 1:
        one = rest[np.abs(size[rest] - room).argmin()]
        if abs(size[one] - room) < room or not chosen.any():
            chosen[one] = True
    return chosen


def by_time(
    values: pd.Series, seed: int, share: float, labels: np.ndarray, classes: Sequence[str]
) -> Split:
    """The test rows are a window that moves one tenth of its length into the past with each seed;
    train rows are all before it. It begins between two moments, and where every class has rows
    on both sides."""
    name, n = values.name, len(labels)
    order, moment = in_time(values, labels, classes, seed)
    begins = np.searchsorted(moment[order], np.arange(1, moment.max() + 1))  # of all but the first
    ordered = labels[order]
    windows: list[tuple[int, int, bool]] = []
    for back in np.arange(CUT_OFFS) * share / CUT_OFFS:
        wanted, end = n * (1 - back - share), round(n * (1 - back))
        begin = int(begins[np.abs(begins - wanted).argmin()]) if len(begins) else 0
        if begin >= wanted / 2 and end - begin >= n * share / 2:
            sides = (ordered[:begin], ordered[begin:end])
            windows.append((begin, end, all(is_whole(side, classes) for side in sides)))
    if not windows:
        sizes = np.bincount(moment)
        at = shown(values.iloc[int(np.flatnonzero(moment == sizes.argmax())[0])])
        raise ValueError(
            f"{sizes.max() / n:.0%} of the rows have the {name} {at}, so no cut by time comes near "
            f"a test share of {share:g}: say task.split=random, or another task.time"
        )
    good = [window for window in windows if window[2]] or windows
    begin, end, _ = good[seed % len(good)]
    test = order[begin:end]
    ties = int((moment[test] == moment[test[0]]).sum())
    since, until = (shown(values.iloc[place]) for place in (test[0], test[-1]))
    said = [
        f"split by {name}: tested are {since} to {until}, {told(len(test) / n, share)}"
        + (f"; {ties:,} rows share the first" if ties > 1 else "")
    ]
    if len(good) < CUT_OFFS:
        why = "the others lack a class or leave too few rows"
        said.append(f"seeds take turns in {len(good)} of {CUT_OFFS} windows: {why}")
    if missing := int(values.isna().sum()):
        said.append(f"{missing:,} rows without {name} stand before all others")
    return Split(order[:begin], test, said)


def in_time(
    values: pd.Series, labels: np.ndarray, classes: Sequence[str], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(places of rows in order of time, which moment each row is of, the first one being 0)"""
    _, moment = np.unique(moments_of(values), return_inverse=True)
    codes = labels.astype(np.int64) if classes else np.zeros(len(labels), dtype=np.int64)
    # Rows of one moment are in no order of time: the file's may be that of its target.
    _, alike = np.unique(moment * max(1, len(classes)) + codes, return_inverse=True)
    return np.lexsort((spread(alike, np.random.default_rng([seed, 6])), moment)), moment


def told(reached: float, share: float) -> str:
    """A share of the rows, and what was asked for where that is something else."""
    asked = f" (asked: {share:.0%})" if f"{reached:.0%}" != f"{share:.0%}" else ""
    return f"{reached:.0%} of the rows{asked}"


def shown(moment: object) -> str:
    """A moment as people write it."""
    if isinstance(moment, pd.Timestamp):
        return str(moment).removesuffix(" 00:00:00")
    if isinstance(moment, int | float | np.number):
        return f"{float(moment):.12g}"
    return str(moment)


def moments_of(values: pd.Series) -> np.ndarray:
    """Numbers in order of time, in which rows without a moment come first. Raises ValueError for
    texts that have no such order."""
    if values.dtype.kind == "M":
        return values.to_numpy("datetime64[us]").astype(np.int64)  # NaT is the least number
    if values.dtype.kind in "iufm":
        return values.astype(np.float64).fillna(-np.inf).to_numpy()
    levels = values.astype("category").cat.remove_unused_categories()
    known = periods([str(level) for level in levels.cat.categories], str(values.name))
    return np.append(known, -np.inf)[levels.cat.codes]


def periods(texts: Sequence[str], name: str) -> np.ndarray:
    """(n,) numbers in order of time: of numbers, and of years with a half, quarter, month or week,
    such as 2024-W9 or Q1 2024. Raises ValueError."""
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(np.float64)
    if np.isfinite(numbers).all():
        return numbers
    found, units = [], set()
    for text in texts:
        year = re.search(r"(?<!\d)\d{4}(?!\d)", text)
        rest = text.lower().replace(year[0], "", 1).strip(" -_/.,'") if year else ""
        part = PERIOD.fullmatch(rest)
        if year is None or part is None:
            break
        unit = str(part.lastgroup)
        if unit == "named":
            months = [k for k, month in enumerate(MONTHS, 1) if month.startswith(rest.rstrip("."))]
            unit, number = ("month", months[0]) if months else (unit, 0)
        else:
            number = int(re.sub(r"\D", "", rest))
        units.add(unit)
        found.append(100.0 * int(year[0]) + number)
    if len(found) < len(texts) or units not in ({"half"}, {"quarter"}, {"month"}, {"week"}):
        raise ValueError(
            f"{name!r} holds texts such as {text!r}, which are in no order of time: rows cannot be "
            "split by it"
        )
    return np.array(found)
