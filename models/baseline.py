"""The floor of every table: what is known before anyone looks at a row.

You do: count how often each class occurred.
It does: says so, for every row, whatever the row holds.
Pays in: nothing, which is why a model that does not beat it has learned nothing.
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor


@dataclass
class Baseline:
    view: str = "features"  # which view of the task it reads

    era: ClassVar[str] = "counting"
    year: ClassVar[int] = 1662  # Graunt, "Natural and Political Observations": rates from tallies
    pieces: ClassVar[bool] = True  # it looks at no row

    def fit(self, X: pd.DataFrame, y: np.ndarray | list[Any]) -> "Baseline":
        """X: (n, columns); y: (n,) class names as str objects, or floats for regression, or a list
        of texts or values that JSON can hold, for `answer`."""
        self.notes_: dict[str, Any] = {}
        self.regression_ = not isinstance(y, list) and y.dtype.kind == "f"
        if isinstance(y, list):
            texts = [json.dumps(value, sort_keys=True) for value in y]
            [(most, _)] = Counter(texts).most_common(1)  # of several, the one seen first
            self.model_ = y[texts.index(most)]
            self.n_parameters_ = 1  # that answer
        elif self.regression_:
            self.model_ = DummyRegressor(strategy="mean").fit(X, y)
            self.n_parameters_ = 1  # the mean
        else:
            self.model_ = DummyClassifier(strategy="prior").fit(X, y)
            self.classes_ = self.model_.classes_
            self.n_parameters_ = len(self.classes_)  # one share per class
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self.model_.predict_proba(X)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self.model_.predict(X)

    def answer(self, X: Any) -> list[Any]:
        """-> n times the answer that most train rows had, for answers that came as a list."""
        return [self.model_] * len(X)
