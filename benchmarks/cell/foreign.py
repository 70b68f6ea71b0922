"""Estimators of other packages, which know nothing of views: a YAML names them, this feeds them.

Runs in cells only, as it needs scikit-learn.
"""

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Prepare = Literal["numbers", "nothing"]


class Foreign:
    """An estimator with scikit-learn's methods, given what it can take.

    prepare: `numbers` fills gaps in, scales, and makes columns of categories, all of it learned
    from train rows; `nothing` hands over the view as it is, for an estimator that knows pandas
    categories and gaps. Columns are called by their place, as names may hold anything.

    view: which view of the task it reads, unless the estimator says so itself.
    """

    def __init__(
        self, estimator: Any, prepare: Prepare = "numbers", view: str | None = None
    ) -> None:
        if prepare not in get_args(Prepare):
            raise ValueError(f"prepare={prepare}: say numbers or nothing")
        self.estimator, self.prepare = estimator, prepare
        self.view = view or getattr(estimator, "view", "features")
        self.answers: tuple[str, ...] = ("probabilities", "values")
        if hasattr(estimator, "__sklearn_tags__"):  # it says what it is for
            able = {"probabilities": is_classifier(estimator), "values": is_regressor(estimator)}
            self.answers = tuple(kind for kind in able if able[kind]) or self.answers

    def fit(self, X: Any, y: np.ndarray) -> "Foreign":
        steps = [to_numbers()] if self.prepare == "numbers" else []
        self.model_ = make_pipeline(*steps, self.estimator).fit(by_place(X), y)
        self.classes_ = getattr(self.model_, "classes_", None)
        return self

    def inputs(self, X: Any) -> Any:
        """Rows as the last step takes them: the estimator, or that of a pipeline of its own."""
        made, model = by_place(X), self.model_
        while isinstance(model, Pipeline):
            for _, step in model.steps[:-1]:
                made = made if step in (None, "passthrough") else step.transform(made)
            model = model.steps[-1][1]
        return made

    def predict_proba(self, X: Any) -> np.ndarray:
        return self._last.predict_proba(self.inputs(X))

    def predict(self, X: Any) -> np.ndarray:
        return self._last.predict(self.inputs(X))

    @property
    def _last(self) -> Any:
        model = self.model_
        while isinstance(model, Pipeline):
            model = model.steps[-1][1]
        return model


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
