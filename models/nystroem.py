"""Kernels for many rows: every row is compared with a few hundred, and a straight line is drawn.

You do: scale the columns and choose how many rows the others are compared with.
It does: draws these landmarks by chance, and weighs the likeness of a row to each of them.
Pays in: what an exact kernel machine would have seen between the landmarks.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
import sklearn.kernel_approximation
from annotated_types import Ge, Gt
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import check_cv
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC, LinearSVR
from sklearn.utils.extmath import softmax


@dataclass
class Nystroem:
    # None: as in that one of KERNELS that predicts held-out rows best.
    gamma: Annotated[float, Gt(0)] | None = None  # narrowness, times 1 / (columns x variance)
    C: Annotated[float, Gt(0)] | None = None  # price of a row inside the margin
    n_components: Annotated[int, Ge(1)] = 500  # landmarks; of fewer rows than these, all
    max_rows: Annotated[int, Ge(1)] = 500_000  # more are skipped: rows x n_components numbers
    view: str = "features"  # which view of the task it reads
    # Supplied by the runner.
    random_state: int = 0

    era: ClassVar[str] = "kernels"
    year: ClassVar[int] = 2001  # Williams and Seeger, "Using the Nyström Method"

    # (gamma, C): many weak signals ask for a wide kernel, and a wide one for a high price (Keerthi
    # and Lin 2003, "Asymptotic Behaviors of SVMs with Gaussian Kernel"); hardly any signal, or few
    # rows of one class, for a low one.
    KERNELS: ClassVar[tuple[tuple[float, float], ...]] = ((0.05, 100.0), (1.0, 2.0), (0.05, 1.0))

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Nystroem":
        """X: (n, columns); y: (n,) class names as str objects, or floats for regression."""
        self.regression_ = y.dtype.kind == "f"
        if self.regression_:
            self.offset_, self.scale_ = y.mean(), y.std() or 1.0
            y = (y - self.offset_) / self.scale_
        self.prepare_ = prepare().fit(floats(X))
        Z = self.inputs(X)
        self.unit_ = 1 / (Z.shape[1] * float(Z.var()) or 1.0)

        # Decision values of rows that were trained on are too sure of themselves, so the first
        # half (of each class) is fitted and the second half says which kernel is best and what a
        # decision value is worth as a probability.
        kernels = dict.fromkeys((self.gamma or gamma, self.C or C) for gamma, C in self.KERNELS)
        rows = np.arange(len(y))
        if not self.regression_:  # a row that is alone in its class is in both
            _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
            rows = rows.repeat(1 + (counts[codes] == 1))
        _, halves = check_cv(2, y[rows], classifier=not self.regression_).split(rows, y[rows])
        head, tail = (rows[half] for half in halves)
        trials: list[tuple[float, tuple[float, float], Any]] = []
        for kernel in kernels:
            machine = self._machine(*kernel, len(head)).fit(Z[head], y[head])
            if self.regression_:
                trials.append((np.mean((machine.predict(Z[tail]) - y[tail]) ** 2), kernel, None))
                continue
            decision = machine.decision_function(Z[tail])
            worth = calibrate(decision, y[tail], machine.classes_)
            p = probabilities(worth, decision)
            trials.append((log_loss(y[tail], p, labels=machine.classes_), kernel, worth))
        _, kernel, self.worth_ = min(trials, key=lambda trial: trial[0])
        self.model_ = self._machine(*kernel, len(Z)).fit(Z, y)
        if not self.regression_:
            self.classes_ = self.model_.classes_
        self.n_fits_ = len(trials) + 1
        landmarks, line = self.model_[0], self.model_[1]
        self.n_parameters_ = landmarks.components_.size + line.coef_.size  # landmarks and weights
        self.notes_: dict[str, Any] = {"gamma": kernel[0], "C": kernel[1]}
        return self

    def inputs(self, X: pd.DataFrame) -> np.ndarray:
        """Rows as the machine takes them: (n, numbers)."""
        return self.prepare_.transform(floats(X))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return probabilities(self.worth_, self.model_.decision_function(self.inputs(X)))

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self.model_.predict(self.inputs(X)) * self.scale_ + self.offset_

    def _machine(self, gamma: float, C: float, rows: int) -> Any:
        landmarks = sklearn.kernel_approximation.Nystroem(
            gamma=gamma * self.unit_,
            n_components=min(self.n_components, rows),
            random_state=self.random_state,
        )
        if self.regression_:
            line = LinearSVR(C=C, dual=False, loss="squared_epsilon_insensitive")
        else:
            line = LinearSVC(C=C, dual=False, tol=0.01)
        return make_pipeline(landmarks, line)


def calibrate(decision: np.ndarray, y: np.ndarray, classes: np.ndarray) -> Any:
    """What a decision value is worth: for two classes Platt's curve (1999); for several one slope,
    which cannot change which class comes first (Guo et al. 2017, arXiv 1706.04599)."""
    if decision.ndim == 1:
        return LogisticRegression().fit(decision[:, None], y)
    decision, (n, k) = decision.astype(np.float64), decision.shape
    # Rows that are all right ask for an endless slope, so there is one wrong row more than there
    # are (Platt's targets); and logarithms of rounded probabilities would be flat beyond slope 36.
    targets = np.where(y[:, None] == classes, (n + 1) / (n + 2), 1 / (n + 2) / (k - 1))
    right = (targets * decision).sum(axis=1)
    slope = minimize_scalar(
        lambda log: np.sum(logsumexp(np.exp(log) * decision, axis=1) - np.exp(log) * right),
        bounds=(-7, 7),
    )
    return np.exp(slope.x)


def probabilities(worth: Any, decision: np.ndarray) -> np.ndarray:
    if decision.ndim == 1:
        return worth.predict_proba(decision[:, None].astype(np.float64))
    return softmax(worth * decision.astype(np.float64))


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
