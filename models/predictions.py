"""Somebody else's predictions: what a vendor, a colleague, R or a person says of the test rows.

You do: whatever you do, elsewhere; here you name the file that you have written.
It does: looks up what the file says of each row, and learns nothing.
Pays in: trust, as nobody here sees how it was made; seconds and a price are what you state.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Ge

ROW, SEED, SAID, OF_CLASS = "row", "seed", "prediction", "probability "
TOLERANCE = 1e-3  # of a sum of probabilities


class OtherRows(ValueError):
    """The file is about other rows than those of the split."""

    bad_input = True  # a mistake of whoever asked, and no failure of a model


@dataclass
class Predictions:
    # a Parquet or CSV file: a line for each test row, called as `python -m benchmarks.split` does
    path: str
    # what they are said to have taken, for one seed: to learn, to predict all test rows, and what
    # all of it cost; unset: nobody says
    fit_seconds: Annotated[float, Ge(0)] | None = None
    predict_seconds: Annotated[float, Ge(0)] | None = None
    price: Annotated[float, Ge(0)] | None = None
    # who made them, as the table is to call it
    by: str | None = None
    # Supplied by the runner.
    random_state: int = 0

    era: ClassVar[str] = "elsewhere"
    year: ClassVar[int] = 2026
    view: ClassVar[str] = "rows"  # which row it is, and nothing of what stands in it
    files: ClassVar[tuple[str, ...]] = ("path",)
    warm_up: ClassVar[None] = None
    # Of made-up and of train rows it knows nothing, and its seconds are no clock's.
    stated: ClassVar[tuple[str, ...]] = ("fit_seconds", "predict_seconds", "price", "by")

    def check(self) -> None:
        """Raises ValueError, with one sentence, for a file that holds no predictions."""
        found = read(self.path)
        refuse_numbers(found, self.path)

    def fit(self, X: np.ndarray, y: Any) -> "Predictions":  # noqa: ARG002 - train rows tell nothing
        """X: (n,) which rows these are; y: (n,) class names as str objects, or floats, or a list
        of answers. Only the names are looked at."""
        found = read(self.path)
        refuse_numbers(found, self.path)
        if SEED in found:
            found = found[found[SEED] == self.random_state]
            if not len(found):
                raise OtherRows(f"{self.path} has no rows of the seed {self.random_state}")
        self.rows_ = found[ROW].to_numpy(np.int64)
        self.was_asked_ = False
        self.said_: Any
        if isinstance(y, list):
            self.said_ = answers_of(found, self.path)
        elif y.dtype.kind == "f":
            self.said_ = values_of(found, self.path)
        else:
            self.classes_ = np.unique(y)
            self.said_ = probabilities_of(found, self.classes_, self.path)
        self.notes_: dict[str, Any] = {"by": self.by} if self.by else {}
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self.said_[self._places(X)]

    def predict(self, X: np.ndarray) -> np.ndarray:
        """-> (n,), regression only."""
        return self.said_[self._places(X)]

    def answer(self, X: np.ndarray) -> list[Any]:
        """-> n answers"""
        return [self.said_[place] for place in self._places(X)]

    def _places(self, X: np.ndarray) -> np.ndarray:
        """Where these rows stand in the file. Raises OtherRows for rows that it does not have; and
        in the first call, which is for all test rows, for a file that has others."""
        order = np.argsort(self.rows_, kind="stable")
        at = np.searchsorted(self.rows_, X, sorter=order)
        places = np.append(order, -1)[at]
        missing = X[(places < 0) | (self.rows_[places] != X)]
        if len(missing):
            raise OtherRows(
                f"{self.path} lacks {len(missing):,} of {len(X):,} test rows, such as row "
                f"{missing[0]}"
            )
        others = np.setdiff1d(self.rows_, X)
        if len(others) and not self.was_asked_:
            raise OtherRows(
                f"{self.path} has {len(others):,} rows that are no test rows of the seed "
                f"{self.random_state}, such as row {others[0]}"
            )
        self.was_asked_ = True
        return places


def read(path: str) -> pd.DataFrame:
    """The file, with whole numbers for rows and seeds. Raises ValueError."""
    place = Path(path)
    if place.suffix.lower() not in (".parquet", ".csv"):
        raise ValueError(f"{path}: give predictions as a .parquet or .csv file")
    try:
        if place.suffix.lower() == ".parquet":
            found = pd.read_parquet(place)
        else:
            found = pd.read_csv(place, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read ({' '.join(str(error).split())[:200]})") from None
    if ROW not in found:
        there = ", ".join(map(str, found.columns[:10]))
        raise ValueError(
            f"{path} has no column {ROW!r}, which says of which row it is; {there} are"
        )
    if not len(found):
        raise ValueError(f"{path} has no rows")
    for name in (ROW, SEED):
        if name in found and (found[name].dtype.kind not in "iu" or found[name].isna().any()):
            raise ValueError(f"{path}: {name!r} should hold whole numbers, and holds others")
    return found


def refuse_numbers(found: pd.DataFrame, path: str) -> None:
    """Raise ValueError for what can be no predictions, whatever is to be predicted."""
    by = [name for name in (SEED, ROW) if name in found]
    twice = found[ROW][found.duplicated(by)]
    if len(twice):
        again = "" if SEED in found else f": it may need a column {SEED!r}"
        raise ValueError(
            f"{path} has {len(twice):,} rows twice, such as row {twice.iloc[0]}{again}"
        )
    told = [name for name in found if name not in (ROW, SEED)]
    if not told:
        raise ValueError(f"{path} has no predictions: no column beside {ROW!r} and {SEED!r}")
    for name in told:
        if found[name].isna().any():
            first = found[ROW][found[name].isna()].iloc[0]
            raise ValueError(f"{path}: {name!r} is missing in row {first}")
        if str(name).startswith(OF_CLASS):
            refuse_share(found[name], found[ROW], path)


def refuse_share(values: pd.Series, rows: pd.Series, path: str) -> None:
    if values.dtype.kind not in "iufb":
        raise ValueError(f"{path}: {values.name!r} holds {values.dtype}, and no numbers")
    outside = ~values.between(0, 1)
    if outside.any():
        raise ValueError(
            f"{path}: {values.name!r} is {values[outside].iloc[0]:g} in row "
            f"{rows[outside].iloc[0]}, and a probability lies between 0 and 1"
        )


def probabilities_of(found: pd.DataFrame, classes: np.ndarray, path: str) -> np.ndarray:
    """(n, n_classes) of columns `probability CLASS`, of which one of two may be left out; or 1 for
    the class that `prediction` names. Raises ValueError."""
    names = [str(name) for name in classes]
    columns_of = [str(column) for column in found if str(column).startswith(OF_CLASS)]
    told = [column.removeprefix(OF_CLASS) for column in columns_of]
    if unknown := [name for name in told if name not in names]:
        raise ValueError(f"{path}: {unknown[0]!r} is no class; there are {', '.join(names)}")
    if not told:
        if SAID not in found:
            raise ValueError(f"{path} has neither {SAID!r} nor {OF_CLASS + names[-1]!r}")
        said = found[SAID].astype(str).to_numpy(object)
        strange = ~np.isin(said, names)
        if strange.any():
            raise ValueError(
                f"{path}: {said[strange][0]!r} of row {found[ROW][strange].iloc[0]} is no class; "
                f"there are {', '.join(names)}"
            )
        return (said[:, None] == np.array(names, dtype=object)).astype(np.float64)
    lacking = [name for name in names if name not in told]
    if lacking and (len(names) > 2 or len(lacking) > 1):
        raise ValueError(f"{path} has no column {OF_CLASS + lacking[0]!r}")
    columns = {name: found[OF_CLASS + name].to_numpy(np.float64) for name in told}
    for name in lacking:
        columns[name] = 1 - columns[told[0]]
    p = np.column_stack([columns[name] for name in names])
    wrong = np.abs(p.sum(axis=1) - 1) > TOLERANCE
    if wrong.any():
        raise ValueError(
            f"{path}: the probabilities of row {found[ROW][wrong].iloc[0]} add up to "
            f"{p[wrong][0].sum():g}, not 1"
        )
    return p


def values_of(found: pd.DataFrame, path: str) -> np.ndarray:
    """(n,) Raises ValueError."""
    if SAID not in found:
        raise ValueError(f"{path} has no column {SAID!r}")
    if found[SAID].dtype.kind not in "iuf":
        raise ValueError(f"{path}: {SAID!r} holds {found[SAID].dtype}, and numbers are asked for")
    values = found[SAID].to_numpy(np.float64)
    endless = ~np.isfinite(values)
    if endless.any():
        raise ValueError(f"{path}: {SAID!r} is infinite in row {found[ROW][endless].iloc[0]}")
    return values


def answers_of(found: pd.DataFrame, path: str) -> list[Any]:
    """n texts, or what JSON in them stands for. Raises ValueError."""
    if SAID not in found:
        raise ValueError(f"{path} has no column {SAID!r}")

    def meant(text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return text

    return [meant(str(text)) for text in found[SAID]]
