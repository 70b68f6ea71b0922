"""The boosting era: small trees in a row, each one correcting what the others got wrong.

You do: hand over the table as it is, gaps and categories included.
It does: adds trees until the newest rows, held out, are predicted no better.
Pays in: settings that pull against each other, and trees that must wait for one another.
"""

import json
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import xgboost
from annotated_types import Ge, Gt, Le, Lt

from models.parts.bins import Matrices
from models.parts.pieces import seen_of


@dataclass
class XGBoost:
    n_estimators: Annotated[int, Ge(1)] = 500  # at most; early stopping finds the number
    learning_rate: Annotated[float, Gt(0), Le(1)] = 0.06  # how much of a tree's advice is taken
    max_depth: Annotated[int, Ge(1)] = 5  # questions a tree may ask in a row
    # Evidence that a leaf needs; None: a 400th of the rows and at most 25, since what calms noise
    # in a long table would leave a short one without a single split; of several classes, each of
    # which has trees of its own, divided by their number.
    min_child_weight: Annotated[float, Ge(0)] | None = None
    subsample: Annotated[float, Gt(0), Le(1)] = 0.7  # share of rows each tree sees
    colsample_bytree: Annotated[float, Gt(0), Le(1)] = 1.0  # share of columns each tree sees
    max_bin: Annotated[int, Ge(2)] = 256  # values of a number that a split can tell apart
    reg_lambda: Annotated[float, Ge(0)] = 1.0  # pull of the leaves towards zero
    # Trees without progress before it stops; None: all of them are grown, on all rows.
    early_stopping_rounds: Annotated[int, Ge(1)] | None = 50
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.2  # share of rows, the last ones, that say when
    view: str = "features"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda"] = "auto"
    random_state: int = 0
    n_jobs: int = 1

    era: ClassVar[str] = "boosting"
    year: ClassVar[int] = 2016  # Chen and Guestrin, "XGBoost"
    pieces: ClassVar[bool] = True  # rows may lie on disk
    warm_up: ClassVar[dict[str, int]] = {"n_estimators": 2}

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "XGBoost":
        """X: (n, columns), on disk or not; y: (n,) class names as str, or floats for regression."""
        self.device_ = find_device(self.device)
        self.regression_ = y.dtype.kind == "f"
        if self.regression_:
            # Gains below 1e-6 count as none, whatever the unit of y is; so it gets one of its own.
            self.offset_, self.scale_ = y.mean(), y.std() or 1.0
            objective: dict[str, Any] = {"objective": "reg:squarederror"}
            target = (y - self.offset_) / self.scale_
        else:
            target, self.classes_ = pd.factorize(y, sort=True)
            several = {"objective": "multi:softprob", "num_class": len(self.classes_)}
            objective = several if len(self.classes_) > 2 else {"objective": "binary:logistic"}
        if (evidence := self.min_child_weight) is None:
            evidence = min(25.0, len(X) / 400) / objective.get("num_class", 1)
        settings = objective | {
            "learning_rate": self.learning_rate,
            "max_depth": self.max_depth,
            "min_child_weight": evidence,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample_bytree,
            "reg_lambda": self.reg_lambda,
            "max_bin": self.max_bin,
            "tree_method": "hist",
            "device": self.device_,
            "seed": self.random_state,
            "nthread": self.n_jobs,
        }
        seen = seen_of(X)
        names = [name for name in seen.columns if seen[name].dtype == "category"]
        known = {name: seen[name].cat.categories for name in names}
        self.prepare_ = partial(prepare, known=known, origin=origin(seen.drop(columns=names)))
        table = Matrices(X, target, self.prepare_, self.max_bin)
        self.n_fits_, trees = 1, self.n_estimators
        if self.early_stopping_rounds is not None:
            # Rows come in order of time, or dealt out where there is none, so the tail is to the
            # head what the test rows are to all.
            head = max(1, min(len(X) - 1, round(len(X) * (1 - self.holdout))))
            train = table(slice(head))
            tail = table(slice(head, None), ref=train)
            search = xgboost.train(
                settings,
                train,
                self.n_estimators,
                evals=[(tail, "tail")],
                early_stopping_rounds=self.early_stopping_rounds,
                verbose_eval=False,
            )
            self.n_fits_, trees = 2, search.best_iteration + 1
            if trees == self.n_estimators:
                self.unfinished_ = f"the last of {self.n_estimators} trees still helped"
        # The newest rows are worth most, so the model that stays is trained on them as well.
        self.model_ = xgboost.train(settings, table(slice(None)), trees)
        self.n_parameters_ = sum(tree.count("\n") for tree in self.model_.get_dump())  # nodes
        self.notes_: dict[str, Any] = {
            "best_iteration": trees - 1,
            "min_child_weight": evidence,
            "device": used_device(self.model_),
        }
        return self

    def inputs(self, X: pd.DataFrame) -> pd.DataFrame:
        """Rows as the booster takes them."""
        return self.prepare_(X)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        # XGBoost answers in float32, whose rows miss one by more than scikit-learn's metrics allow.
        p = self._outputs(X)
        return p / p.sum(axis=1, keepdims=True) if p.ndim == 2 else np.column_stack([1 - p, p])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self._outputs(X) * self.scale_ + self.offset_

    def _outputs(self, X: pd.DataFrame) -> np.ndarray:
        return self.model_.inplace_predict(self.inputs(X)).astype(np.float64)


def origin(numbers: pd.DataFrame) -> pd.Series:
    """What to count each column from: 0, but its mean where that is so large that XGBoost's float32
    would not tell the values apart."""
    mean, spread = numbers.astype(float).mean(), numbers.astype(float).std()
    return mean.where(mean.abs() > 1e3 * spread, 0.0)


def prepare(X: pd.DataFrame, known: dict[Any, pd.Index], origin: pd.Series) -> pd.DataFrame:
    """X with the categories of the train rows; a new category becomes a missing value."""
    nothing = pd.Series(np.nan, X.index)  # in the place of categories without a level
    columns = [
        (X[name].cat.set_categories(known[name]) if len(known[name]) else nothing)
        if name in known
        else X[name].astype(float) - origin[name]
        for name in X.columns
    ]
    # XGBoost refuses names that hold brackets, so columns are known by their place.
    return pd.concat(columns, axis=1).set_axis([f"column {i}" for i in range(len(columns))], axis=1)


def find_device(asked: str) -> str:
    """The device asked for, CUDA or else CPU for `auto`; ValueError if it is missing."""
    if asked == "cpu":
        return asked
    found = "cpu"
    if xgboost.build_info().get("USE_CUDA"):
        # XGBoost falls back to the CPU and says so only in its own config: one tree tells.
        with xgboost.config_context(verbosity=0):
            row = xgboost.DMatrix(np.zeros((1, 1)), label=np.zeros(1))
            found = used_device(xgboost.train({"device": "cuda"}, row, 1))
    if asked == "cuda" and found == "cpu":
        raise ValueError("device=cuda is missing: XGBoost finds only the CPU here")
    return found


def used_device(booster: xgboost.Booster) -> str:
    device = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    return str(device).partition(":")[0]
