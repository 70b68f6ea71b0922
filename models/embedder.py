"""Embeddings and a cross network: ids become vectors, and layers multiply what goes together.

You do: give ids, and choose sizes; no combination is named by hand, neither of two nor of three.
It does: learns the vectors, what their products say, and a small network beside that.
Pays in: passes over the data, more arithmetic for a row, and more settings to find.
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
class Embedder:
    embedding: Annotated[int, Ge(1)] = 8  # numbers that stand for an id
    crosses: Annotated[int, Ge(0)] = 2  # layers that multiply: n of them reach n + 1 ids together
    rank: Annotated[int, Ge(1)] = 32  # of a cross layer's matrix, at most
    width: Annotated[int, Ge(1)] = 64  # units of each of the two hidden layers beside them
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1  # share of hidden units that skip a step
    # How sure it is before it has seen any row that these numbers are small: a normal prior of this
    # precision. Without one, rare ids are learned by heart in the second epoch (Zhang et al. 2022,
    # "Towards Understanding the Overfitting Phenomenon of Deep CTR Models").
    prior: Annotated[float, Ge(0)] = 60.0
    min_count: Annotated[int, Ge(1)] = 2  # rarer ids share one, as do those never seen
    learning_rate: Annotated[float, Gt(0)] = 0.01  # length of the longest steps
    weight_decay: Annotated[float, Ge(0)] = 0.1  # pull of all weights towards zero
    # Rows per step; None: a two-hundredth of the rows, at least 8 and at most 4,096.
    batch_size: Annotated[int, Ge(1)] | None = None
    max_epochs: Annotated[int, Ge(1)] = 8  # passes over the rows, at most
    patience: Annotated[int, Ge(1)] | None = 2  # passes without progress before it stops
    # Share of rows, the last ones, that say when: few, as they know the newest ids.
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.05
    view: str = "ids"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    random_state: int = 0
    checkpoints: str | None = None

    era: ClassVar[str] = "embeddings"
    year: ClassVar[int] = 2021  # Wang et al., "DCN V2", WWW, arXiv 2008.13535
    warm_up: ClassVar[dict[str, int]] = {"max_epochs": 1}

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Embedder":
        """X: (n, fields) ids; y: (n,) class names as str objects, or floats for regression."""
        self.device_ = find_device(self.device)
        self.target_ = Target(y)
        self.classes_ = self.target_.classes
        target = self.target_.values.to(self.device_)
        head = rows_to_learn(len(y), self.holdout)

        torch.manual_seed(self.random_state)
        self.prepare_ = Vocabulary(X[:head], self.min_count)
        ids = self.inputs(X)
        self.model_ = CrossNetwork(self, self.prepare_, self.target_.outputs).to(self.device_)
        trained = train(
            self.model_,
            lambda rows: (
                self.target_.loss(self.model_(ids.index_select(0, rows)), target[rows])
                + self.model_.surprise(self.prior) / head
            ),
            head,
            lambda: self.target_.loss(self.model_(ids[head:]), target[head:]),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size or max(8, min(4096, head // 200)),
            max_epochs=self.max_epochs,
            patience=self.patience,
            checkpoints=self.checkpoints,
        )
        self.history_ = trained.history
        if trained.unfinished:
            self.unfinished_ = trained.unfinished
        self.n_parameters_ = sum(w.numel() for w in self.model_.parameters())  # weights
        self.notes_: dict[str, Any] = {**trained.notes, "rows_held_out": len(y) - head}
        return self

    def inputs(self, X: pd.DataFrame) -> Tensor:
        """Rows as the network takes them: (n, fields) places in its table."""
        return self.prepare_(X, self.device_)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return probabilities(self._outputs(X))

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self.target_.numbers(self._outputs(X))

    @torch.inference_mode()
    def _outputs(self, X: pd.DataFrame) -> Tensor:  # -> (n, outputs)
        return torch.cat([self.model_(ids) for ids in self.inputs(X).split(8192)])


class CrossNetwork(nn.Module):
    """Cross layers and a small perceptron, side by side over the same embeddings."""

    def __init__(self, settings: Embedder, vocabulary: Vocabulary, outputs: int) -> None:
        super().__init__()
        columns, width = settings.embedding * len(vocabulary.known), settings.width
        rank, layers = min(settings.rank, columns), range(settings.crosses)
        self.table = nn.Parameter(0.1 * torch.randn(vocabulary.size, settings.embedding))
        self.down = nn.ModuleList(nn.Linear(columns, rank, bias=False) for _ in layers)
        self.up = nn.ModuleList(nn.Linear(rank, columns) for _ in layers)
        hidden = [nn.Linear(columns, width), nn.Linear(width, width)]
        dropped = [(layer, nn.ReLU(), nn.Dropout(settings.dropout)) for layer in hidden]
        self.deep = nn.Sequential(*(part for parts in dropped for part in parts))
        self.last = nn.Linear(columns + width, outputs)

    def forward(self, ids: Tensor) -> Tensor:
        """(batch, fields) -> (batch, outputs)"""
        first = functional.embedding(ids, self.table).flatten(1)  # (batch, columns)
        crossed = first
        for down, up in zip(self.down, self.up, strict=True):
            crossed = first * up(down(crossed)) + crossed  # times one more id (Wang et al., eq. 2)
        return self.last(torch.cat([crossed, self.deep(first)], dim=1))

    def surprise(self, precision: float) -> Tensor:
        """Of the ids' numbers: minus the logarithm of the prior's density, but for a constant."""
        return precision / 2 * self.table.square().sum()
