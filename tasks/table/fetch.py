"""Tables that come by name: from OpenML, or shipped with scikit-learn."""

from typing import Any

import pandas as pd
import pyarrow as pa

SHIPPED = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def openml(number: int, target: str | None) -> tuple[pa.Table, str]:
    """(table, name of its target) of an OpenML data set, from scikit-learn's cache if it was
    fetched before. Raises ValueError where it cannot be had."""
    from sklearn.datasets import fetch_openml, get_data_home

    try:
        found = fetch_openml(data_id=number, as_frame=True, parser="auto")
    except OSError as error:  # no network, or no such data set
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise ValueError(
            f"OpenML data set {number} cannot be fetched ({reason}); those fetched before lie in "
            f"{get_data_home()}"
        ) from None
    names = found.target_names or []
    if target is None and len(names) != 1:
        known = ", ".join(names) or "no column"
        raise ValueError(
            f"OpenML data set {number} names {known} as target; say task.target=COLUMN"
        )
    return _arrow(found.frame), target or names[0]


def shipped(name: str, target: str | None) -> tuple[pa.Table, str]:
    """(table, name of its target) of a data set that scikit-learn brings along."""
    from sklearn import datasets

    if name not in SHIPPED:
        raise ValueError(f"scikit-learn ships no {name!r}; there are {', '.join(SHIPPED)}")
    scaled: dict[str, Any] = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(as_frame=True, **scaled)
    frame = bunch.frame
    if "target_names" in bunch and name != "diabetes":
        frame["target"] = bunch.target_names.astype(str)[frame["target"]]
    return _arrow(frame), target or "target"


def _arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame.rename(columns=str), preserve_index=False)
