"""One weight per column, for numbers: the regression that every other one has to beat.

You do: design every column, since the model only adds them up.
It does: solves one system of equations, in which large weights have a price.
Pays in: features designed by hand; the machine is done in a moment.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
import sklearn.linear_model
from annotated_types import Ge, Gt
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


@dataclass
class Ridge:
    alpha: Annotated[float, Gt(0)] = 1.0  # the larger, the closer the weights stay to zero
    max_values: Annotated[int, Ge(1)] = 300_000_000  # more are skipped: 8 bytes each, and copies
    view: str = "features"  # which view of the task it reads
    # Supplied by the runner.
    random_state: int = 0  # unused by the solver: the problem is convex and has one answer

    era: ClassVar[str] = "linear"
    year: ClassVar[int] = 1970  # Hoerl and Kennard, "Ridge Regression"
    answers: ClassVar[tuple[str, ...]] = ("values",)

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Ridge":
        """X: (n, columns); y: (n,) floats."""
        if y.dtype.kind != "f":
            raise ValueError("ridge predicts numbers and y is classes; for these there is logistic")
        self.prepare_ = prepare()
        Z = self.prepare_.fit_transform(floats(X))
        self.model_ = sklearn.linear_model.Ridge(alpha=self.alpha).fit(Z, y)
        self.n_parameters_ = self.model_.coef_.size + np.size(self.model_.intercept_)  # weights
        self.notes_: dict[str, Any] = {}
        return self

    def inputs(self, X: pd.DataFrame) -> np.ndarray:
        """Rows as the estimator takes them: (n, numbers)."""
        return self.prepare_.transform(floats(X))

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,)."""
        return self.model_.predict(self.inputs(X))


def floats(X: pd.DataFrame) -> pd.DataFrame:
    """Every column that is not a category as float64, missing as NaN."""
    return X.astype({name: float for name in X.columns if X[name].dtype != "category"})


def prepare() -> ColumnTransformer:
    """Numbers filled in and scaled, categories one-hot; all of it learned from train rows."""
    return make_column_transformer(
        # A rare or new category shares one column with its kind, so that ids cannot explode.
        (
            OneHotEncoder(
                handle_unknown="infrequent_if_exist", max_categories=100, sparse_output=False
            ),
            make_column_selector(dtype_include="category"),
        ),
        remainder=make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
        ),
    )
