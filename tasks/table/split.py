"""Which rows a model may learn from: a split that is like the use."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from tasks.table.columns import Column

Way = Literal["random", "time", "group"]

CUT_OFFS = 10  # of a split by time; the seed after the last begins anew
TIME_NAME = re.compile(
    r"(time|date|stamp|_at$|_on$|^day$|^month$|^year$|created|updated|sent)", re.I
)
GROUP_NAME = re.compile(
    r"(user|customer|client|patient|subject|person|account|household|session|device|member)"
    r"([\s_.-]?(id|nr|no|key|uuid))?$",
    re.I,
)


class Plan(NamedTuple):
    way: Way
    column: str | None
    why: str


def plan(
    asked: Way | None, time: str | None, group: str | None, columns: Sequence[Column], rows: int
) -> Plan:
    """How to split, as asked, or as the columns suggest. Raises ValueError where that cannot be."""
    kinds = {column.name: column.kind for column in columns}
    if asked == "time" or (asked is None and time):
        if time is None:
            dates = [column.name for column in columns if column.kind == "date"]
            if len(dates) != 1:
                found = f"there are {', '.join(dates)}" if dates else "no column holds dates"
                raise ValueError(f"task.split=time needs task.time=COLUMN: {found}")
            return Plan("time", dates[0], "the one column with dates")
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
    for column in columns:
        full = column.missing < 0.1 * rows
        if column.kind == "date" and full and TIME_NAME.search(column.name):
            why = "it says when a row came about, so train on the past"
            return Plan("time", column.name, why)
    for column in columns:
        repeated = column.distinct and (rows - column.missing) / column.distinct >= 1.5
        usable = column.kind != "out"
        if usable and repeated and column.distinct > 20 and GROUP_NAME.search(column.name):
            return Plan("group", column.name, "several rows share one: none is on both sides")
    return Plan("random", None, "no column of dates or of users was found")


def split(
    way: Way,
    seed: int,
    share: float,
    labels: np.ndarray,
    classes: Sequence[str],
    values: pd.Series | None,
) -> tuple[np.ndarray, np.ndarray]:
    """(train, test) positions. values: of the column that rows are ordered or grouped by.

    By time, the test rows are a window that moves one tenth of its length into the past with each
    seed; train rows are all before it, in order. At random, classes have equal shares.
    """
    n = len(labels)
    if way == "time":
        assert values is not None
        moments = moments_of(values)
        order = np.argsort(moments, kind="stable")
        back = seed % CUT_OFFS * share / CUT_OFFS
        end, begin = round(n * (1 - back)), round(n * (1 - back - share))
        # Rows of one moment stay on one side.
        begin = int(np.searchsorted(moments[order], moments[order[begin]], side="left")) or begin
        return order[:begin], order[begin:end]
    # Here, as a look at a table that is split by time need not wait for it to load.
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    if way == "group":
        assert values is not None
        shuffle = GroupShuffleSplit(1, test_size=share, random_state=seed)
        train, test = next(shuffle.split(labels, groups=pd.factorize(values)[0]))
        return train, test
    alike = pd.factorize(labels)[0] if len(classes) else None
    train, test = train_test_split(np.arange(n), test_size=share, random_state=seed, stratify=alike)
    return np.sort(train), np.sort(test)


def moments_of(values: pd.Series) -> np.ndarray:
    """Something to sort by, in which rows without a moment come first."""
    if values.dtype.kind == "M":
        return values.to_numpy().astype(np.int64)  # what is no time is the least number
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy()  # texts, in the order of the alphabet
    return values.fillna(-np.inf).to_numpy()
