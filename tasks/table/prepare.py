"""From typed columns to what a model reads, learned from train rows alone."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tasks.table.columns import Column


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
        self.columns = [column for column in columns if column.kind != "out"]
        self.own_names = {column.name for column in self.columns}

    def fit(self, train: pd.DataFrame) -> Preparation:
        self.levels_: dict[str, pd.Index] = {}
        self.texts_: dict[str, Directions] = {}
        self.dates_: dict[str, list[str]] = {}  # the parts that are not the same in all rows
        for column in self.columns:
            values = train[column.name]
            if column.kind == "category":
                counts = values.value_counts()  # of train rows; other levels count 0
                usual = counts.index[counts > 0][: self.LEVELS].astype(str)
                self.levels_[column.name] = usual.sort_values()
            elif column.kind == "text":
                self.texts_[column.name] = Directions(self.DIRECTIONS).fit(words(values))
            elif column.kind == "date":
                parts = date_parts(values)
                told = [name for name, part in parts.items() if pd.Series(part).nunique() > 1]
                self.dates_[column.name] = told
        return self

    def transform(self, rows: pd.DataFrame) -> pd.DataFrame:
        parts: dict[str, Any] = {}
        for column in self.columns:
            values = rows[column.name]
            if column.kind == "number":
                parts[column.name] = values.to_numpy()
            elif column.kind == "category":
                parts[column.name] = self._category(column.name, values)
            elif column.kind == "date":
                moments = date_parts(values)
                for part in self.dates_[column.name]:
                    parts[self._free(f"{column.name} {part}", parts)] = moments[part]
            else:
                text = self.texts_[column.name].transform(words(values))
                for k in range(text.shape[1]):
                    parts[self._free(f"{column.name} {k + 1}", parts)] = text[:, k]
        return pd.DataFrame(parts)

    def _free(self, name: str, taken: Container[str]) -> str:
        """A name for what was made of a column, which no other column has."""
        while name in self.own_names or name in taken:
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
        if self.svd_ is None:
            return np.zeros((len(texts), 0), dtype=np.float32)
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
