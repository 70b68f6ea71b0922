"""The factorisation machine: an id is a few numbers, and two ids agree as far as theirs do.

You do: give ids, and say how many numbers stand for one; no pair is crossed by hand.
It does: learns the numbers, so that pairs never seen are judged by what each was seen with.
Pays in: passes over the data, and what only three ids tell together, which it cannot say.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn
from torch.nn import functional

from models.training import find_device, train


@dataclass
class Factorisation:
    factors: Annotated[int, Ge(1)] = 8  # numbers that stand for an id, beside its own weight
    # How sure it is before it has seen any row that these numbers are small: a normal prior of this
    # precision. Without one, rare ids are learned by heart: .73 ROC AUC on `ads`, not .76.
    prior: Annotated[float, Ge(0)] = 12.0
    min_count: Annotated[int, Ge(1)] = 2  # rarer ids share one, as do those never seen
    learning_rate: Annotated[float, Gt(0)] = 0.01  # length of the longest steps
    # Rows per step; None: a two-hundredth of the rows, at least 8 and at most 4,096.
    batch_size: Annotated[int, Ge(1)] | None = None
    max_epochs: Annotated[int, Ge(1)] = 6  # passes over the rows, at most
    # Passes without progress before it stops; None: all are made, and the prior keeps it from harm.
    patience: Annotated[int, Ge(1)] | None = None
    # Share of rows, the last ones, that show the progress: few, as they know the newest ids.
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.05
    view: str = "ids"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    random_state: int = 0
    checkpoints: str | None = None

    era: ClassVar[str] = "factorisation"
    year: ClassVar[int] = 2010  # Rendle, "Factorization Machines", ICDM
    warm_up: ClassVar[dict[str, int]] = {"max_epochs": 1}

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Factorisation":
        """X: (n, fields) ids; y: (n,) class names as str objects, or floats for regression."""
        self.device_ = find_device(self.device)
        self.regression_ = y.dtype.kind == "f"
        if self.regression_:
            self.offset_, self.scale_ = y.mean(), y.std() or 1.0
            target = torch.tensor((y - self.offset_) / self.scale_, dtype=torch.float32)
        else:
            self.classes_, codes = np.unique(y, return_inverse=True)
            target = torch.tensor(codes)
        target = target.to(self.device_)
        head = max(1, min(len(y) - 1, round(len(y) * (1 - self.holdout))))

        torch.manual_seed(self.random_state)
        self.prepare_ = Vocabulary(X[:head], self.min_count)
        ids = self.inputs(X)
        outputs = 1 if self.regression_ else len(self.classes_) - 1  # the first class has odds of 1
        self.model_ = Machine(self.prepare_.size, outputs, self.factors).to(self.device_)
        trained = train(
            self.model_,
            lambda rows: (
                self._loss(ids[rows], target[rows]) + self.model_.surprise(self.prior) / head
            ),
            head,
            lambda: self._loss(ids[head:], target[head:]),
            learning_rate=self.learning_rate,
            weight_decay=0.0,  # it would pull on an id whenever others are seen; the prior does not
            batch_size=self.batch_size or max(8, min(4096, head // 200)),
            max_epochs=self.max_epochs,
            patience=self.patience,
            checkpoints=self.checkpoints,
        )
        self.history_ = trained.history
        if trained.unfinished:
            self.unfinished_ = trained.unfinished
        self.n_parameters_ = sum(w.numel() for w in self.model_.parameters())  # numbers of ids
        self.notes_: dict[str, Any] = {**trained.notes, "rows_held_out": len(y) - head}
        return self

    def inputs(self, X: pd.DataFrame) -> Tensor:
        """Rows as the machine takes them: (n, fields) places in its table."""
        return self.prepare_(X, self.device_)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return functional.pad(self._outputs(X), (1, 0)).softmax(-1).numpy()

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self._outputs(X)[:, 0].numpy() * self.scale_ + self.offset_

    def _loss(self, ids: Tensor, target: Tensor) -> Tensor:
        outputs = self.model_(ids)
        if self.regression_:
            return functional.mse_loss(outputs[:, 0], target)
        return functional.cross_entropy(functional.pad(outputs, (1, 0)), target)

    @torch.inference_mode()
    def _outputs(self, X: pd.DataFrame) -> Tensor:  # -> (n, outputs)
        return torch.cat([self.model_(ids) for ids in self.inputs(X).split(8192)]).cpu().double()


class Vocabulary:
    """Ids -> places in one table, in which each field has a stretch that begins with `unknown`."""

    def __init__(self, X: pd.DataFrame, min_count: int) -> None:
        self.known: dict[Any, np.ndarray] = {}
        for name in X:
            if X[name].dtype.kind not in "iu":
                raise ValueError(f"column {name!r} holds {X[name].dtype}; ids are whole numbers")
            ids, counts = np.unique(X[name].to_numpy(), return_counts=True)
            self.known[name] = ids[counts >= min_count]
        sizes = [len(ids) + 1 for ids in self.known.values()]
        self.first, self.size = np.cumsum(sizes) - sizes, sum(sizes)

    def __call__(self, X: pd.DataFrame, device: str) -> Tensor:
        """-> (n, fields) int64"""
        places = np.empty((len(X), len(self.known)), np.int64)
        for field, (name, known) in enumerate(self.known.items()):
            ids = X[name].to_numpy()
            place = np.searchsorted(known, ids)
            is_known = np.append(known, -1)[place] == ids
            places[:, field] = self.first[field] + np.where(is_known, place + 1, 0)
        return torch.tensor(places, device=device)


class Machine(nn.Module):
    """A weight for each id, and for each pair of ids the product of their factors."""

    def __init__(self, size: int, outputs: int, factors: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs))
        table = 0.05 * torch.randn(size, outputs, 1 + factors)  # small: products begin near nothing
        self.table = nn.Parameter(table.flatten(1))

    def forward(self, ids: Tensor) -> Tensor:
        """(batch, fields) -> (batch, outputs)"""
        numbers = functional.embedding(ids, self.table).unflatten(2, (len(self.bias), -1))
        weight, factor = numbers[..., 0], numbers[..., 1:]  # (batch, fields, outputs[, factors])
        # All pairs at once: half of the square of the sum less the sum of the squares (Rendle,
        # lemma 3.1), which costs as much as there are fields and not as there are pairs.
        pairs = (factor.sum(1).square() - factor.square().sum(1)).sum(-1) / 2
        return self.bias + weight.sum(1) + pairs

    def surprise(self, precision: float) -> Tensor:
        """Minus the logarithm of the prior's density, but for a constant."""
        return precision / 2 * self.table.square().sum()
