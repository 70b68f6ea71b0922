"""From typed columns to what a model reads, learned from train rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tasks.table.columns import Column


class Preparation:
    """From typed columns to what a model reads, learned from train rows alone.

    Numbers stay numbers (float32), categories become pandas categories of at most `levels` levels
    (the others share one), dates become numbers and parts, texts become the main directions of
    their TF-IDF.
    """

    RARE = "(rare)"
    LEVELS = 1_000
    DIRECTIONS = 30

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = [column for column in columns if column.kind != "out"]

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
                parts = date_parts(column.name, values)
                told = [name for name, part in parts.items() if pd.Series(part).nunique() > 1]
                self.dates_[column.name] = told
        return self

    def transform(self, rows: pd.DataFrame) -> pd.DataFrame:
        parts: dict[str, Any] = {}
        for column in self.columns:
            values = rows[column.name]
            if column.kind == "number":
                parts[column.name] = values.to_numpy(np.float32)
            elif column.kind == "category":
                parts[column.name] = self._category(column.name, values)
            elif column.kind == "date":
                moments = date_parts(column.name, values)
                parts |= {name: moments[name] for name in self.dates_[column.name]}
            else:
                text = self.texts_[column.name].transform(words(values))
                parts |= {f"{column.name} {k + 1}": text[:, k] for k in range(text.shape[1])}
        return pd.DataFrame(parts)

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


def date_parts(name: str, values: pd.Series) -> dict[str, np.ndarray]:
    """Days since 1970, and the parts that have something to tell."""
    moments = pd.to_datetime(values)
    days = (moments - pd.Timestamp(0)) / pd.Timedelta(days=1)
    parts: dict[str, pd.Series[Any]] = {
        "days": days,
        "year": moments.dt.year,
        "month": moments.dt.month,
        "day": moments.dt.day,
        "weekday": moments.dt.day_of_week,
        "hour": moments.dt.hour,
    }
    return {f"{name} {part}": found.to_numpy(np.float32) for part, found in parts.items()}
