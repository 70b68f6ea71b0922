"""From typed columns to what a model reads, learned from train rows alone.

It stands alone, as it goes into the folder of a model that is taken away (benchmarks.fit).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from tasks.table.columns import Column

LARGE = 1e30  # far below what float32 can hold


class Preparation:
    """From typed columns to what a model reads, learned from train rows alone.

    Numbers stay as they are (int64, float64), categories become pandas categories of at most
    `LEVELS` levels (the others share one), dates become numbers and parts, texts become the main
    directions of their TF-IDF.
    """

    RARE = "(rare)"
    LEVELS = 1_000
    DIRECTIONS = 30

    def __init__(self, columns: Sequence[Column]) -> None:
        self.kinds = {column.name: column.kind for column in columns if column.kind != "out"}

    def fit(self, train: pd.DataFrame) -> Preparation:
        self.levels_: dict[str, pd.Index] = {}
        self.texts_: dict[str, Directions] = {}
        self.dates_: dict[str, list[str]] = {}  # the parts that are not the same in all rows
        for name, kind in self.kinds.items():
            values = train[name]
            if kind == "category":
                counts = values.value_counts()  # of train rows; other levels count 0
                usual = counts.index[counts > 0][: self.LEVELS].astype(str)
                self.levels_[name] = usual.sort_values()
            elif kind == "text":
                self.texts_[name] = Directions(self.DIRECTIONS).fit(words(values))
            elif kind == "date":
                parts = date_parts(values)
                told = [part for part, found in parts.items() if pd.Series(found).nunique() > 1]
                self.dates_[name] = told
        return self

    def transform(self, rows: pd.DataFrame) -> pd.DataFrame:
        parts: dict[str, Any] = {}
        for name, kind in self.kinds.items():
            values = rows[name]
            if kind == "number":
                parts[name] = values.to_numpy()
            elif kind == "category":
                parts[name] = self._category(name, values)
            elif kind == "date":
                moments = date_parts(values)
                for part in self.dates_[name]:
                    parts[self._free(f"{name} {part}", parts)] = moments[part]
            else:
                text = self.texts_[name].transform(words(values))
                for k in range(text.shape[1]):
                    parts[self._free(f"{name} {k + 1}", parts)] = text[:, k]
        return pd.DataFrame(parts)

    def _free(self, name: str, taken: Container[str]) -> str:
        """A name for what was made of a column, which no other column has."""
        while name in self.kinds or name in taken:
            name += "'"
        return name

    def _category(self, name: str, values: pd.Series) -> pd.Categorical:
        values = values.astype("category")
        levels, own = self.levels_[name], values.cat.categories
        new = levels.get_indexer(own.astype(str))
        if len(levels) == self.LEVELS:  # a rare value of train rows, or a new one: all the same
            new = np.where(new < 0, len(levels), new)
            levels = levels.append(pd.Index([self.RARE]))
        return pd.Categorical.from_codes(np.append(new, -1)[values.cat.codes], levels)


class Tellable:
    """What a model reads, of typed columns: prepared, without the columns that train rows tell
    nothing of, and with numbers that models can square: larger ones are in units of the largest."""

    def __init__(self, preparation: Preparation, train: pd.DataFrame) -> None:
        """train: prepared. Raises ValueError if no column is left."""
        self.preparation = preparation
        self.empty = [name for name in train if train[name].isna().all()]
        if len(self.empty) == len(train.columns):
            raise ValueError(
                "no column is left to learn from: in train rows they have no value, or no word "
                "that stands twice"
            )
        told = train.drop(columns=self.empty)
        self.numbers = [name for name in told if told[name].dtype.kind == "f"]
        largest = told[self.numbers].abs().max()
        self.units = {name: float(largest[name]) for name in largest.index[largest > LARGE]}

    @classmethod
    def learned(
        cls, columns: Sequence[Column], train: pd.DataFrame
    ) -> tuple[Tellable, pd.DataFrame]:
        """(it, the train rows as a model reads them), of typed train rows."""
        preparation = Preparation(columns).fit(train)
        prepared = preparation.transform(train)
        found = cls(preparation, prepared)
        return found, found.in_units(prepared)

    def __call__(self, typed: pd.DataFrame) -> pd.DataFrame:
        """Other rows: numbers that are larger still are cut off."""
        rows = self.in_units(self.preparation.transform(typed))
        largest = rows[self.numbers].abs().max()
        cut = {name: rows[name].clip(-LARGE, LARGE) for name in largest.index[largest > LARGE]}
        return rows.assign(**cut) if cut else rows

    def in_units(self, prepared: pd.DataFrame) -> pd.DataFrame:
        rows = prepared.drop(columns=self.empty)
        scaled = {name: rows[name] / unit for name, unit in self.units.items()}
        return rows.assign(**scaled) if scaled else rows


def words(values: pd.Series) -> pd.Series:
    return values.fillna("").astype(str)


class Directions:
    """Texts as the directions in which their TF-IDF varies most (latent semantics, Deerwester
    et al. 1990); none where train rows have no word that stands twice."""

    def __init__(self, n: int) -> None:
        self.n = n

    def fit(self, texts: pd.Series) -> Directions:
        # Here, as only tables with texts need them.
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.words_ = TfidfVectorizer(max_features=20_000, sublinear_tf=True, min_df=2)
        try:
            found = self.words_.fit_transform(texts)
        except ValueError:  # scikit-learn's way to say that no word is left
            self.svd_ = None
            return self
        n = min(self.n, found.shape[1] - 1, found.shape[0] - 1)
        self.svd_ = TruncatedSVD(n, random_state=0).fit(found) if n > 0 else None
        return self

    def transform(self, texts: pd.Series) -> np.ndarray:
        if self.svd_ is None or not len(texts):  # no rows are no input for scikit-learn
            columns = 0 if self.svd_ is None else self.svd_.n_components
            return np.zeros((len(texts), columns), dtype=np.float32)
        return self.svd_.transform(self.words_.transform(texts)).astype(np.float32)


def date_parts(values: pd.Series) -> dict[str, np.ndarray]:
    """Days since 1970, and the parts that have something to tell."""
    moments = values.dt
    # In whole microseconds: pandas would count in nanoseconds, in which year 1 has no place.
    since = values.to_numpy().astype("M8[us]").astype(np.int64) / 86_400e6
    parts: dict[str, Any] = {
        "days": pd.Series(since).where(values.notna().to_numpy()),
        "year": moments.year,
        "month": moments.month,
        "day": moments.day,
        "weekday": moments.day_of_week,
        "hour": moments.hour,
    }
    return {part: found.to_numpy(np.float64) for part, found in parts.items()}
