"""The forest era: many deep trees, each grown on its own draw of the rows, then averaged.

You do: almost nothing; no scaling, no curves to guess, hardly a setting to turn.
It does: grows hundreds of trees that disagree, and lets their mistakes cancel out.
Pays in: memory, and nodes to walk through for every prediction.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import sklearn.ensemble
from annotated_types import Ge, Gt, Le
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.preprocessing import OrdinalEncoder

try:
    import sklearnex.ensemble as intelex_ensemble
except ImportError:
    intelex_ensemble = None


@dataclass
class RandomForest:
    n_estimators: Annotated[int, Ge(1)] = 150  # trees; more never hurts, only costs
    # Share of columns a split chooses from; None: 0.3 for two classes, else 0.6; stock: as many as
    # scikit-learn gives it.
    max_features: Annotated[float, Gt(0), Le(1)] | Literal["stock"] | None = None
    # Rows a leaf needs, each counted once; None: 3 for two classes, 2 for more, 1 for numbers.
    min_samples_leaf: Annotated[int, Ge(1)] | None = None
    max_rows: Annotated[int, Ge(1)] = 2_000_000  # more are skipped: 4 kB of nodes for each row
    engine: Literal["auto", "sklearn", "intelex"] = "auto"  # auto: intelex where installed
    view: str = "features"  # which view of the task it reads
    # Supplied by the runner.
    random_state: int = 0
    n_jobs: int = 1

    era: ClassVar[str] = "forests"
    year: ClassVar[int] = 2001  # Breiman, "Random Forests"
    warm_up: ClassVar[dict[str, int]] = {"n_estimators": 2}

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "RandomForest":
        """X: (n, columns); y: (n,) class names as str objects, or floats for regression."""
        if self.engine == "intelex" and intelex_ensemble is None:
            raise ImportError("engine=intelex needs: pip install scikit-learn-intelex")
        self.regression_ = y.dtype.kind == "f"
        intelex = intelex_ensemble is not None and self.engine != "sklearn"
        module = intelex_ensemble if intelex else sklearn.ensemble
        kind = module.RandomForestRegressor if self.regression_ else module.RandomForestClassifier
        several = not self.regression_ and len(set(y)) > 2
        features: Any = self.max_features or (0.6 if several or self.regression_ else 0.3)
        if features == "stock":
            features = 1.0 if self.regression_ else "sqrt"
        leaf = self.min_samples_leaf or (1 if self.regression_ else 2 if several else 3)
        # intelex counts a row of a leaf as often as it was drawn, scikit-learn once: of n draws
        # from n rows, 1 - 1/e are different ones. A single row is no limit to either.
        drawn = 1 if leaf == 1 else round(leaf / (1 - math.exp(-1)))
        if self.regression_:
            # Of small numbers every node looks pure, and large ones swallow their differences.
            self.offset_, self.scale_ = y.mean(), y.std() or 1.0
            y = (y - self.offset_) / self.scale_
        numbers = floats(X).select_dtypes(float)
        # scikit-learn's trees read float32 and take values 1e-7 apart as the same: where a column
        # is too far off, its mean is the new zero, and where it is too small, its spread the unit.
        mean, spread = numbers.mean(), numbers.std()
        self.origin_ = mean.where(mean.abs() > 1e3 * spread, 0.0)
        self.unit_ = spread.where((spread > 0) & (spread < 1e-3), 1.0)
        numbers = (numbers - self.origin_) / self.unit_
        # A gap lies far below all values.
        self.gap_ = (2 * numbers.min() - numbers.max()).clip(upper=-1e6).fillna(-1e6)
        self.prepare_ = prepare().fit(self._filled(X))
        Z = self.prepare_.transform(self._filled(X))
        self.model_ = kind(
            n_estimators=self.n_estimators,
            max_features=features,
            min_samples_leaf=drawn if intelex else leaf,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        ).fit(Z, y)
        if not self.regression_:
            self.classes_ = self.model_.classes_
        used = "intelex" if hasattr(self.model_, "_onedal_estimator") else "sklearn"
        self.notes_: dict[str, Any] = {"engine": used}
        return self

    @property
    def n_parameters_(self) -> int:
        """Nodes of all trees, counted on request: unpacking the trees would land in the clock."""
        return sum(tree.tree_.node_count for tree in self.model_.estimators_)

    def inputs(self, X: pd.DataFrame) -> np.ndarray:
        """Rows as the estimator takes them: (n, numbers)."""
        return self.prepare_.transform(self._filled(X))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self.model_.predict_proba(self.inputs(X))

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self.model_.predict(self.inputs(X)) * self.scale_ + self.offset_

    def _filled(self, X: pd.DataFrame) -> pd.DataFrame:
        Z = floats(X)
        names = self.gap_.index
        Z[names] = ((Z[names] - self.origin_) / self.unit_).fillna(self.gap_)
        return Z


def floats(X: pd.DataFrame) -> pd.DataFrame:
    """Every column that is not a category as float64, missing as NaN."""
    return X.astype({name: float for name in X.columns if X[name].dtype != "category"})


def prepare() -> ColumnTransformer:
    """Categories as whole numbers, a missing or new one as -1."""
    return make_column_transformer(
        (
            OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1
            ),
            make_column_selector(dtype_include="category"),
        ),
        remainder="passthrough",
    )
