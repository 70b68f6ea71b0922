"""Which texts a model may learn from: equal ones are on one side."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tasks.base import dealt
from tasks.table.split import Plan, Split, is_whole
from tasks.table.split import split as by_plan
from tasks.texts.read import Found, same


def split(
    found: Found,
    labels: np.ndarray,
    classes: Sequence[str],
    given: bool,
    share: float,
    seed: int,
) -> Split:
    """Places of train texts, as `dealt`, and of test texts: as they were given, or by chance, each
    class evenly. labels: (n,) codes into classes. Raises ValueError with one sentence."""
    alike = same(found.texts)
    together = alike if found.groups is None or given else joined(alike, found.groups)
    several = bool(np.bincount(together).max() > 1)
    if together.max() == 0:
        what = "equal" if found.groups is None or alike.max() == 0 else "of one group"
        raise ValueError(f"all {len(together):,} texts are {what}: none would be left to test on")
    said = [*empty(found.texts), *equal(alike, labels)]
    if given:
        made = as_given(found, alike, labels, classes, seed)
    elif several:
        name = "equal texts" if found.groups is None else "group"
        values = pd.Series(together, name=name)
        made = by_plan(Plan("group", name, ""), seed, share, labels, classes, values)
    else:
        made = by_plan(Plan("random", None, ""), seed, share, labels, classes, None)
    return made._replace(said=[*said, *made.said], group=together if several else None)


def as_given(
    found: Found, alike: np.ndarray, labels: np.ndarray, classes: Sequence[str], seed: int
) -> Split:
    """The test texts stay as they are, as others have measured on them: a text that is on both
    sides is no train text."""
    assert found.tested is not None
    test = np.flatnonzero(found.tested)
    leaks = ~found.tested & np.isin(alike, alike[test])
    train = np.flatnonzero(~found.tested & ~leaks)
    for rows, side in ((train, "train"), (test, "test")):
        if not is_whole(labels[rows], classes):
            there = np.bincount(labels[rows], minlength=len(classes))
            raise ValueError(
                f"the class {classes[int(there.argmin())]!r} has no {side} text in the split as "
                "given: say task.split=random"
            )
    said = [
        f"split as given: {len(train):,} train and {len(test):,} test texts; every seed has the "
        "same (or task.split=random)"
    ]
    if leaks.any():
        said.append(
            f"{leaks.sum():,} train texts stand among the test texts as well: left out of training"
        )
    _, groups = np.unique(alike[train], return_inverse=True)
    return Split(train[dealt(labels[train], seed, groups)], test, said)


def joined(alike: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """(n,) codes of what has to stay together: equal texts, and texts of one group."""
    n = len(alike)
    group, _ = pd.factorize(np.array([name or k for k, name in enumerate(groups)], dtype=object))
    shape = (alike.max() + 1, group.max() + 1)
    size = sum(shape)
    # A text's code and its group's are the ends of a line; what hangs together is one.
    lines = coo_array((np.ones(n), (alike, shape[0] + group)), shape=(size, size))
    _, part = connected_components(lines, directed=False)
    return np.unique(part[alike], return_inverse=True)[1]


def empty(texts: Sequence[str]) -> list[str]:
    without = sum(not text.strip() for text in texts)
    if without == len(texts):
        raise ValueError("all texts are empty")
    return [f"{without:,} of {len(texts):,} texts are empty"] if without else []


def equal(alike: np.ndarray, labels: np.ndarray) -> list[str]:
    """What to say of texts that stand there several times."""
    counts = np.bincount(alike)
    if counts.max() == 1:
        return []
    copies = int((counts - 1).sum())
    pairs = np.unique(np.column_stack([alike, labels]), axis=0)
    several = int((np.bincount(pairs[:, 0]) > 1).sum())
    of_several = f", {several:,} texts with several classes" if several else ""
    return [f"{copies:,} texts equal an earlier one{of_several}: equal texts are on one side"]
