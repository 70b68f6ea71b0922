"""Estimators of other packages, which know nothing of views: a YAML names them, this feeds them.

Runs in cells only, as it needs scikit-learn.
"""

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Prepare = Literal["numbers", "nothing"]


class Foreign:
    """An estimator with scikit-learn's methods, given what it can take.

    prepare: `numbers` fills gaps in, scales, and makes columns of categories, all of it learned
    from train rows; `nothing` hands over the view as it is, for an estimator that knows pandas
    categories and gaps. Columns are called by their place, as names may hold anything.
    """

    def __init__(self, estimator: Any, prepare: Prepare = "numbers") -> None:
        if prepare not in get_args(Prepare):
            raise ValueError(f"prepare={prepare}: say numbers or nothing")
        self.estimator, self.prepare = estimator, prepare
        self.view = getattr(estimator, "view", "features")

    def fit(self, X: Any, y: np.ndarray) -> "Foreign":
        steps = [to_numbers()] if self.prepare == "numbers" else []
        self.model_ = make_pipeline(*steps, self.estimator).fit(by_place(X), y)
        self.classes_ = getattr(self.model_, "classes_", None)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        return self.model_.predict_proba(by_place(X))

    def predict(self, X: Any) -> np.ndarray:
        return self.model_.predict(by_place(X))


def by_place(X: Any) -> Any:
    if not isinstance(X, pd.DataFrame):
        return X
    return X.set_axis([f"column {k}" for k in range(X.shape[1])], axis=1)


def to_numbers() -> Any:
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
    )
    levels = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=100, sparse_output=False
    )
    is_level = make_column_selector(dtype_include=["category", "object", "string"])
    return make_column_transformer((levels, is_level), remainder=numbers)
