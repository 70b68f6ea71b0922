"""Signs that a column knows what it should not: looked for in a sample, and never acted upon."""

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
import pandas as pd

from tasks.table.columns import Column

SAMPLE = 5_000
PERFECT = 0.995
LIKE_TARGET = 0.8
LATER = 0.01
DUPLICATES = 0.05
AT_ONCE = 500  # columns


def suspicions(
    target: str,
    table: pd.DataFrame,
    columns: Sequence[Column],
    labels: np.ndarray,
    classes: Sequence[str],
    time: str | None,
    train: np.ndarray,
    test: np.ndarray,
) -> list[str]:
    """One sentence for each thing that may be a leak."""
    found = named_like(target, [column.name for column in columns if column.kind != "out"])
    rows = np.random.default_rng(0).permutation(len(table))[:SAMPLE]
    sample, known = table.iloc[rows], labels[rows]
    numbers = [column.name for column in columns if column.kind == "number"]
    for name, score in {
        **ranked(sample, numbers, known, classes),
        **by_value(sample, columns, known, classes),
    }.items():
        if score >= PERFECT:
            found.append(f"{name!r} alone predicts the target almost perfectly ({score:.3f})")
    if time is not None:
        for column in columns:
            if column.kind == "date" and column.name != time:
                later = (sample[column.name] > sample[time]).mean()
                if later > LATER:
                    found.append(
                        f"{column.name!r} lies after {time!r} in {later:.0%} of the rows: it may "
                        "not have been known"
                    )
    share = duplicates(table, train, test)
    if share > DUPLICATES:
        found.append(f"{share:.0%} of the test rows stand among the train rows as well")
    return found


def named_like(target: str, names: Sequence[str]) -> list[str]:
    """Columns that are called like the target."""

    def plain(name: str) -> str:
        return "".join(c for c in name.lower() if c.isalnum())

    goal = plain(target)
    return [
        f"{name!r} is called like the target {target!r}"
        for name in names
        if len(goal) > 3
        and (goal in plain(name) or SequenceMatcher(None, goal, plain(name)).ratio() > LIKE_TARGET)
    ]


def ranked(
    sample: pd.DataFrame, names: Sequence[str], labels: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    """Number -> how well its order alone tells the classes apart (the best ROC AUC of one class
    against the rest), or the target's order (Spearman's correlation), 0.5 and 0 being chance."""
    found: dict[str, float] = {}
    for start in range(0, len(names), AT_ONCE):
        part = list(names[start : start + AT_ONCE])
        values = sample[part].to_numpy(np.float64)
        ranks = pd.DataFrame(values).rank(na_option="bottom").to_numpy()
        if not classes:
            goal = pd.Series(labels).rank().to_numpy()
            spread = ranks.std(axis=0) * goal.std()
            centred = (ranks - ranks.mean(axis=0)) * (goal - goal.mean())[:, None]
            score = np.abs(centred.mean(axis=0) / np.where(spread > 0, spread, np.inf))
        else:
            aucs = []
            for name in classes[:20]:
                inside = labels == name
                n, m = inside.sum(), (~inside).sum()
                if n and m:
                    auc = (ranks[inside].sum(axis=0) - n * (n + 1) / 2) / (n * m)
                    aucs.append(np.maximum(auc, 1 - auc))
            # With several classes one column may give away a single one of them: not yet all.
            score = np.min(aucs, axis=0) if aucs else np.zeros(len(part))
        found |= dict(zip(part, score, strict=True))
    return found


def by_value(
    sample: pd.DataFrame, columns: Sequence[Column], labels: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    """Category -> how often the usual outcome of its value in one half of the sample is right in
    the other; for regression, the R² of the mean outcome. A value that one half lacks is wrong."""
    first = np.arange(len(sample)) % 2 == 0
    found: dict[str, float] = {}
    for column in columns:
        if column.kind != "category":
            continue
        value, _ = pd.factorize(sample[column.name], use_na_sentinel=False)
        if classes:
            outcome, _ = pd.factorize(labels)
            counts = np.zeros((value.max() + 1, outcome.max() + 1))
            np.add.at(counts, (value[first], outcome[first]), 1)
            usual = np.where(counts.any(axis=1), counts.argmax(axis=1), -1)
            right = float((usual[value[~first]] == outcome[~first]).mean())
            found[column.name] = right if right > np.bincount(outcome).max() / len(outcome) else 0.0
        else:
            n = np.bincount(value[first], minlength=value.max() + 1)
            total = np.bincount(value[first], labels[first], minlength=value.max() + 1)
            usual = np.where(n > 0, total / np.maximum(n, 1), labels[first].mean())
            goal = labels[~first]
            rest = ((goal - usual[value[~first]]) ** 2).mean()
            found[column.name] = float(1 - rest / (goal.var() or 1.0))
    return found


def duplicates(table: pd.DataFrame, train: np.ndarray, test: np.ndarray) -> float:
    """Share of (a sample of) the test rows whose values all stand in some train row."""
    if table.shape[1] < 3 or not len(test):  # a few columns are alike by chance
        return 0.0
    rows = test[:: max(1, len(test) // SAMPLE)]
    train = train[:: max(1, len(train) // 200_000)]
    both = pd.util.hash_pandas_object(table.iloc[np.concatenate([rows, train])], index=False)
    hashes = both.to_numpy()
    return float(np.isin(hashes[: len(rows)], hashes[len(rows) :]).mean())
