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

from models.training import find_device, train


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
        outputs = 1 if self.regression_ else len(self.classes_)
        self.model_ = CrossNetwork(self, self.prepare_, outputs).to(self.device_)
        trained = train(
            self.model_,
            lambda rows: (
                self._loss(ids[rows], target[rows]) + self.model_.surprise(self.prior) / head
            ),
            head,
            lambda: self._loss(ids[head:], target[head:]),
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
        return self._outputs(X).softmax(-1).numpy()

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self._outputs(X)[:, 0].numpy() * self.scale_ + self.offset_

    def _loss(self, ids: Tensor, target: Tensor) -> Tensor:
        outputs = self.model_(ids)
        if self.regression_:
            return functional.mse_loss(outputs[:, 0], target)
        return functional.cross_entropy(outputs, target)

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
