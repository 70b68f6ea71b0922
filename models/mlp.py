"""The plain network: layers of weighted sums, bent in between, and nothing else.

You do: scale the columns, choose a width and a learning rate, and say how long to go on.
It does: reads the rows in small batches, many times over, and follows the gradient.
Pays in: passes over the data, and results that move with the seed.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from annotated_types import Ge, Gt
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW


@dataclass
class MLP:
    # Best of 48 on the newest fifth of the train rows of `notifications`, among those that serve
    # the small tables (`breast_cancer`, `digits`, `diabetes`) as well.
    width: Annotated[int, Ge(1)] = 32  # units of each of the two hidden layers
    learning_rate: Annotated[float, Gt(0)] = 0.001  # length of a step
    weight_decay: Annotated[float, Ge(0)] = 1.0  # pull of the weights towards zero
    # Passes over the rows; None: 20, or as many as make 1,000 steps.
    epochs: Annotated[int, Ge(1)] | None = None
    # Rows per step; None: a twentieth of the rows and at most 256, so that a short table too gets
    # enough steps.
    batch_size: Annotated[int, Ge(1)] | None = None
    max_values: Annotated[int, Ge(1)] = 300_000_000  # more are skipped: 8 bytes each, and copies
    view: str = "features"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    random_state: int = 0

    era: ClassVar[str] = "perceptrons"
    year: ClassVar[int] = 1986  # Rumelhart, Hinton and Williams, "Back-Propagating Errors"
    warm_up: ClassVar[dict[str, int]] = {"epochs": 1, "batch_size": 16}

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "MLP":
        """X: (n, columns); y: (n,) class names as str objects, or floats for regression."""
        self.device_ = find_device(self.device)
        self.regression_ = y.dtype.kind == "f"
        if self.regression_:
            self.offset_, self.scale_ = y.mean(), y.std() or 1.0
            target = torch.tensor((y - self.offset_) / self.scale_, dtype=torch.float32)[:, None]
        else:
            self.classes_, codes = np.unique(y, return_inverse=True)
            target = torch.tensor(codes)
        target = target.to(self.device_)

        torch.manual_seed(self.random_state)
        self.prepare_ = prepare().fit(floats(X))
        inputs = self.inputs(X)  # (n, columns)
        outputs = 1 if self.regression_ else len(self.classes_)
        self.model_ = nn.Sequential(
            nn.Linear(inputs.shape[1], self.width),
            nn.ReLU(),
            nn.Linear(self.width, self.width),
            nn.ReLU(),
            nn.Linear(self.width, outputs),
        ).to(self.device_)
        error = functional.mse_loss if self.regression_ else functional.cross_entropy
        optimizer = AdamW(
            self.model_.parameters(),
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            fused=True,
        )
        batch_size = self.batch_size or max(1, min(256, len(y) // 20))
        epochs = self.epochs or max(20, -(-1000 // -(-len(y) // batch_size)))
        for _ in range(epochs):
            for batch in torch.randperm(len(y)).to(self.device_).split(batch_size):
                loss = error(self.model_(inputs[batch]), target[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        self.n_parameters_ = sum(w.numel() for w in self.model_.parameters())  # weights
        self.notes_: dict[str, Any] = {"device": self.device_}
        return self

    def inputs(self, X: pd.DataFrame) -> Tensor:
        """Rows as the network takes them: (n, numbers)."""
        columns = self.prepare_.transform(floats(X))
        return torch.tensor(columns, dtype=torch.float32, device=self.device_)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self._outputs(X).softmax(-1).numpy()

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self._outputs(X)[:, 0].numpy() * self.scale_ + self.offset_

    @torch.inference_mode()
    def _outputs(self, X: pd.DataFrame) -> Tensor:
        return self.model_(self.inputs(X)).cpu().double()


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


def find_device(asked: str) -> str:
    """The device asked for, or the best one present for `auto`; ValueError if it is missing."""
    kinds = {"cuda": torch.cuda, "xpu": torch.xpu, "mps": torch.backends.mps}
    found = [*(name for name, kind in kinds.items() if kind.is_available()), "cpu"]
    if asked not in ("auto", *found):
        raise ValueError(f"device={asked} is missing: torch finds {', '.join(found)} here")
    return found[0] if asked == "auto" else asked
