"""Networks of other packages, as their authors or handbooks have them, beside the kit's own.

    python -m benchmarks.suites.peers [task.rows=2000 …]

Every one is a cell like any other (conf/model/), so it has the same rows, clock and verdicts. On
`notifications` and two of the real tables (real_tables.py), the two largest with two classes.
"""

import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from annotated_types import Ge
from sklearn.impute import SimpleImputer
from torch import nn

from benchmarks.suites.real_tables import TABLES
from models.mlp import floats, prepare

HERE = Path(__file__).parent
MODELS = "network,mlp,xgboost,tabm,realmlp,skorch,sklearn_mlp"


@dataclass
class Pytabkit:
    """A classifier of pytabkit with its defaults, which are those of the papers' authors."""

    kind: Literal["TabM_D", "RealMLP_TD"] = "TabM_D"
    view: str = "features"
    random_state: int = 0
    n_jobs: int = 1

    era: ClassVar[str] = "peers"
    year: ClassVar[int] = 2024  # arXiv 2410.24210, arXiv 2407.04491
    answers: ClassVar[tuple[str, ...]] = ("probabilities",)
    warm_up: ClassVar[None] = None

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Pytabkit":
        make = getattr(import_module("pytabkit"), f"{self.kind}_Classifier")
        self.model_ = make(device="cpu", random_state=self.random_state, n_threads=self.n_jobs)
        numbers = X.columns[X.dtypes != "category"]
        self.fill_ = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        self.fill_.set_output(transform="pandas").fit(X[numbers].astype(float))
        self.model_.fit(self.inputs(X), y)
        self.classes_ = self.model_.classes_
        return self

    def inputs(self, X: pd.DataFrame) -> pd.DataFrame:
        """It knows categories and no gaps: numbers get the median and a mark, a category a name."""
        levels = X.select_dtypes("category").astype(object).fillna("(missing)").astype(str)
        numbers = self.fill_.transform(X[self.fill_.feature_names_in_].astype(float))
        return pd.concat([numbers, levels.astype("category")], axis=1)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self.model_.predict_proba(self.inputs(X))


@dataclass
class Skorch:
    """The perceptron of skorch's handbook: two hidden layers, Adam, an early stop on a tenth."""

    width: Annotated[int, Ge(1)] = 128
    max_epochs: Annotated[int, Ge(1)] = 100
    view: str = "features"
    random_state: int = 0

    era: ClassVar[str] = "peers"
    year: ClassVar[int] = 2017
    answers: ClassVar[tuple[str, ...]] = ("probabilities",)
    warm_up: ClassVar[dict[str, int]] = {"max_epochs": 1}

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Skorch":
        skorch = import_module("skorch")
        self.prepare_ = prepare().fit(floats(X))
        rows = self.inputs(X)
        torch.manual_seed(self.random_state)
        self.classes_, codes = np.unique(y, return_inverse=True)
        layers = nn.Sequential(
            nn.Linear(rows.shape[1], self.width),
            nn.ReLU(),
            nn.Linear(self.width, self.width),
            nn.ReLU(),
            nn.Linear(self.width, len(self.classes_)),
        )
        stop = import_module("skorch.callbacks").EarlyStopping(patience=5, load_best=True)
        self.model_ = skorch.NeuralNetClassifier(
            layers,
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=0.001,
            batch_size=128,
            max_epochs=self.max_epochs,
            train_split=import_module("skorch.dataset").ValidSplit(10, stratified=True),
            callbacks=[stop],
            iterator_train__shuffle=True,
            verbose=0,
        ).fit(rows, codes)
        return self

    def inputs(self, X: pd.DataFrame) -> np.ndarray:
        """Numbers filled in and scaled, categories one-hot: (n, numbers)."""
        return np.asarray(self.prepare_.transform(floats(X)), dtype=np.float32)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self.model_.predict_proba(self.inputs(X))


def main(*more: str) -> None:
    tasks: list[Any] = [["task=notifications"]]
    for table in TABLES:
        if table.name in ("credit_data", "lending_club"):
            said = f"task.path={table.path}", f"task.target={table.target}", "task.split=random"
            tasks.append(["task=table", *said])
    usual = [f"--config-dir={HERE / 'conf'}", "run=peers", f"model={MODELS}", "seed=0"]
    for task in tasks:
        run = [sys.executable, "-m", "benchmarks", *usual, *task, *more]
        subprocess.run(run, check=False)  # one whose cells failed shows them, and the next goes on


if __name__ == "__main__":
    main(*sys.argv[1:])
