"""What is to be predicted: which rows have an outcome, of which kind, and how it is called."""

import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal

import numpy as np
import pandas as pd

Kind = Literal["binary", "multiclass", "regression"]

FEW = 20  # whole numbers with at most so many different values are classes
POSITIVE = ("yes", "true", "1", "y", "t", "positive", "pos", "bad", "churned", "fraud", "spam")
ROWS_OF_A_CLASS = 10  # fewer cannot be split into train and test rows worth the name


def column_of(target: str, names: Sequence[str]) -> str:
    """The target's column. Raises ValueError with the nearest names if it is missing."""
    for name in (target, unicodedata.normalize("NFC", target).strip()):
        if name in names:
            return name
    close = get_close_matches(target, names, n=3, cutoff=0.5) or list(names[:10])
    near = ", ".join(map(repr, close)) + (", …" if len(close) == 10 else "")
    raise ValueError(f"there is no column {target!r}; the nearest are {near}")


def outcomes(
    values: pd.Series,
    asked: Kind | None,
    positive: str | None,
    least: int = ROWS_OF_A_CLASS,
) -> tuple[np.ndarray, tuple[str, ...], str]:
    """(labels of the rows that have one, class names with the positive one last, why this kind).

    values: without missing ones. least: rows that a class has to have. Raises ValueError if nothing
    can be learned from them.
    """
    name = values.name
    if not len(values):
        raise ValueError(f"the target {name!r} has no value in any row")
    codes, levels = pd.factorize(values)
    if isinstance(levels, pd.CategoricalIndex):
        levels = levels.astype(str)
    is_number = levels.dtype.kind in "iuf"
    different = len(levels)
    whole = is_number and bool((levels % 1 == 0).all())
    kind: Kind
    if asked is not None:
        kind, why = asked, "as you said"
        if kind == "regression" and not is_number:
            wrong = next((level for level in levels if not _is_number(level)), levels[0])
            raise ValueError(f"the target {name!r} is no number in every row, such as {wrong!r}")
        if kind == "binary" and different > 2:
            raise ValueError(f"the target {name!r} has {different:,} different values, not two")
    elif is_number and not (whole and different <= FEW) and different > 2:
        kind, why = "regression", f"{different:,} different numbers"
    else:
        kind = "binary" if different == 2 else "multiclass"
        why = f"{different:,} different values"
    if kind == "regression":
        if different == 1:
            raise ValueError(f"the target {name!r} is {levels[0]} in every row")
        found = levels.to_numpy(np.float64)[codes]
        if endless := int((~np.isfinite(found)).sum()):
            raise ValueError(f"the target {name!r} is infinite in {endless} rows")
        return found, (), why
    names = np.array([str(int(v) if whole else v) for v in levels], object)
    counts = pd.Series(np.bincount(codes, minlength=len(names)), index=names).sort_values()
    if len(counts) < 2:
        raise ValueError(f"the target {name!r} has one class only: {names[0]!r}")
    if len(counts) > 1_000:
        raise ValueError(f"the target {name!r} has {len(counts):,} classes; 1,000 are the most")
    if (rarest := counts.iloc[0]) < least:
        raise ValueError(
            f"the class {counts.index[0]!r} of the target {name!r} has {rarest} "
            f"row{'s' if rarest > 1 else ''}; a split needs {least}"
        )
    classes = sorted(counts.index)
    if len(classes) == 2:
        if positive is not None and positive not in classes:
            known = ", ".join(classes)
            raise ValueError(f"task.positive={positive} is no class; there are {known}")
        first, last = (name.lower() in POSITIVE for name in classes)
        if positive is None and first and not last:
            positive = classes[0]
        if positive is not None:
            classes.sort(key=lambda name: name == positive)
    return names[codes], tuple(classes), why


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
