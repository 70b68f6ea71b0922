"""One weight per column: the model that every other one has to beat.

You do: design every column, since the model only adds them up.
It does: finds the weight of each column, all at once, by convex optimisation.
Pays in: features designed by hand; the machine is done in a moment.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Ge, Gt
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from models.parts.pieces import seen_of


@dataclass
class Logistic:
    C: Annotated[float, Gt(0)] = 1.0  # the smaller, the closer the weights stay to zero
    max_values: Annotated[int, Ge(1)] = 300_000_000  # more are skipped: 8 bytes each, and copies
    passes: Annotated[int, Ge(1)] = 3  # over rows that lie on disk, which it takes in small steps
    view: str = "features"  # which view of the task it reads
    # Supplied by the runner.
    random_state: int = 0  # of rows on disk; else the problem is convex and has one answer

    era: ClassVar[str] = "linear"
    year: ClassVar[int] = 1958  # Cox, "The Regression Analysis of Binary Sequences"
    pieces: ClassVar[bool] = True  # rows may lie on disk
    answers: ClassVar[tuple[str, ...]] = ("probabilities",)

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Logistic":
        """X: (n, columns), or rows on disk; y: (n,) class names as str objects."""
        if y.dtype.kind == "f":
            raise ValueError("logistic predicts classes and y is numbers; for these there is ridge")
        self.prepare_ = prepare()
        if isinstance(X, pd.DataFrame):
            Z = self.prepare_.fit_transform(floats(X))
            self.model_ = LogisticRegression(C=self.C, max_iter=500).fit(Z, y)
        else:
            self.prepare_.fit(floats(seen_of(X)))
            self.model_ = self._in_steps(X, y)
        self.classes_ = self.model_.classes_
        self.n_parameters_ = self.model_.coef_.size + self.model_.intercept_.size  # weights
        self.notes_: dict[str, Any] = {}
        return self

    def inputs(self, X: pd.DataFrame) -> np.ndarray:
        """Rows as the estimator takes them: (n, numbers)."""
        return self.prepare_.transform(floats(X))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self.model_.predict_proba(self.inputs(X))

    def _in_steps(self, X: Any, y: np.ndarray) -> SGDClassifier:
        """The same loss, piece by piece: the weights are the mean of all on the way (Polyak and
        Juditsky 1992)."""
        model = SGDClassifier(
            loss="log_loss",
            alpha=1 / (self.C * len(y)),
            average=True,
            random_state=self.random_state,
        )
        codes, classes = pd.factorize(y, sort=True)
        for _ in range(self.passes):
            start = 0
            for piece in X.pieces():
                target = classes[codes[start : start + len(piece)]]
                model.partial_fit(self.inputs(piece), target, classes=classes)
                start += len(piece)
        return model


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
