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

from models.parts.ids import Vocabulary
from models.parts.target import Target, probabilities, rows_to_learn
from models.parts.training import find_device, train


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
        self.target_ = Target(y)
        self.classes_ = self.target_.classes
        target = self.target_.values.to(self.device_)
        head = rows_to_learn(len(y), self.holdout)

        torch.manual_seed(self.random_state)
        self.prepare_ = Vocabulary(X[:head], self.min_count)
        ids = self.inputs(X)
        # The log odds of the first class are 0.
        outputs = self.target_.outputs - (not self.target_.is_number)
        self.model_ = Machine(self.prepare_.size, outputs, self.factors).to(self.device_)
        trained = train(
            self.model_,
            lambda rows: (
                self.target_.loss(self._answers(ids.index_select(0, rows)), target[rows])
                + self.model_.surprise(self.prior) / head
            ),
            head,
            lambda: self.target_.loss(self._answers(ids[head:]), target[head:]),
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
        return probabilities(self._outputs(X))

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self.target_.numbers(self._outputs(X))

    def _answers(self, ids: Tensor) -> Tensor:  # -> (n, classes), or (n, 1)
        return functional.pad(self.model_(ids), (int(not self.target_.is_number), 0))

    @torch.inference_mode()
    def _outputs(self, X: pd.DataFrame) -> Tensor:  # -> (n, outputs)
        return torch.cat([self._answers(ids) for ids in self.inputs(X).split(8192)])


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
