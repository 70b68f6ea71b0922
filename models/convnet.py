"""The deep era of signals: small filters, layer over layer, that are learned from the trace itself.

You do: hand over the signal; say how many filters there are and how often all rows are seen.
It does: learns short shapes, shapes made of shapes, and what it means that they are there.
Pays in: passes over long arrays, a tenth of its rows, and more rows than features would ask for.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor, nn
from torch.nn import functional

from models.parts.signals import Scaler, altered
from models.parts.target import Target, probabilities, rows_to_learn
from models.parts.training import find_device, train


@dataclass
class ConvNet:
    width: Annotated[int, Ge(1)] = 32  # filters of the first layers; the last ones have four times
    reach: Annotated[int, Ge(0)] = 3  # places to either side of its own that a filter looks at
    stride: Annotated[int, Ge(1)] = 4  # samples between two places of the first layer
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.3  # share of what was found that skips a step
    crop: Annotated[float, Gt(0), Le(1)] = 0.7  # share of a signal that a step sees, anywhere
    jitter: Annotated[float, Ge(0)] = 0.2  # how much louder or softer it is then, in logarithms
    learning_rate: Annotated[float, Gt(0)] = 0.01  # length of the longest steps
    weight_decay: Annotated[float, Ge(0)] = 0.1  # pull of the weights towards zero
    batch_size: Annotated[int, Ge(1)] = 64  # signals per step
    max_epochs: Annotated[int, Ge(1)] = 20  # passes over the signals, at most
    patience: Annotated[int, Ge(1)] = 10  # passes without progress before it stops
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.1  # share of rows, the last ones, that say when
    view: str = "signal"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    random_state: int = 0
    checkpoints: str | None = None

    era: ClassVar[str] = "convolutions"
    year: ClassVar[int] = 2017  # Wang, Yan, Oates, "Time Series Classification from Scratch"
    warm_up: ClassVar[dict[str, int]] = {"max_epochs": 1, "batch_size": 16}

    def fit(self, X: np.ndarray, y: np.ndarray) -> "ConvNet":
        """X: (n, channels, samples), NaN where nothing was recorded; y: (n,) class names as str
        objects, or floats for regression."""
        self.device_ = find_device(self.device)
        self.target_ = Target(y)
        self.classes_ = self.target_.classes
        target = self.target_.values.to(self.device_)
        head = rows_to_learn(len(y), self.holdout)

        torch.manual_seed(self.random_state)
        self.prepare_ = Scaler(X)
        signals = self.inputs(X)
        channels = self.prepare_.channels
        self.model_ = Residual(self, channels, self.target_.outputs).to(self.device_)
        trained = train(
            self.model_,
            lambda rows: self.target_.loss(
                self.model_(altered(signals.index_select(0, rows), self.crop, self.jitter)),
                target[rows],
            ),
            head,
            lambda: self.target_.loss(self._outputs(signals[head:]), target[head:]),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=min(self.batch_size, max(8, head // 20)),  # enough steps of a few rows, too
            max_epochs=self.max_epochs,
            patience=self.patience,
            checkpoints=self.checkpoints,
        )
        self.history_ = trained.history
        if trained.unfinished is not None:
            self.unfinished_ = trained.unfinished
        self.n_parameters_ = sum(w.numel() for w in self.model_.parameters())  # weights
        self.notes_: dict[str, Any] = {**trained.notes, "rows_held_out": len(y) - head}
        return self

    def inputs(self, X: np.ndarray) -> Tensor:
        """Signals as the network takes them (see Scaler)."""
        return self.prepare_(X, self.device_)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return probabilities(self._answers(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """-> (n,), regression only."""
        return self.target_.numbers(self._answers(X))

    def _outputs(self, signals: Tensor) -> Tensor:  # -> (n, outputs)
        return torch.cat([self.model_(part) for part in signals.split(256)])

    @torch.inference_mode()
    def _answers(self, X: np.ndarray) -> Tensor:  # -> (n, outputs)
        return self._outputs(self.inputs(X))


class Residual(nn.Module):
    """A short residual network: each block adds to what it was given and halves the places.

    Smaller than what is best on large collections (xresnet1d101, Strodthoff et al. 2020, arXiv
    2004.13701), as it has a minute on two cores: the first layer steps over samples.
    """

    def __init__(self, settings: ConvNet, channels: int, outputs: int) -> None:
        super().__init__()
        width, reach, stride = settings.width, settings.reach, settings.stride
        self.layers = nn.Sequential(
            nn.Conv1d(channels, width, 4 * stride + 1, stride, 2 * stride, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            Block(width, width, reach),
            Block(width, 2 * width, reach),
            Block(2 * width, 4 * width, reach),
        )
        self.shortest = 8 * stride + 1
        self.dropout = nn.Dropout(settings.dropout)
        self.last = nn.Linear(8 * width, outputs)

    def forward(self, signals: Tensor) -> Tensor:
        """(batch, channels, samples) -> (batch, outputs)"""
        longer = max(0, self.shortest - signals.shape[2])  # so that two places are left at the end
        found = self.layers(functional.pad(signals, (0, longer)))
        return self.last(self.dropout(torch.cat([found.mean(-1), found.amax(-1)], dim=1)))


class Block(nn.Module):
    """(batch, inputs, places) -> (batch, outputs, places / 2)"""

    def __init__(self, inputs: int, outputs: int, reach: int) -> None:
        super().__init__()
        kernel, last = 2 * reach + 1, nn.BatchNorm1d(outputs)
        nn.init.zeros_(last.weight)  # a block begins as its short way alone (He et al. 2019)
        self.short = nn.Sequential(
            nn.AvgPool1d(2, ceil_mode=True),
            nn.Conv1d(inputs, outputs, 1, bias=False),
            nn.BatchNorm1d(outputs),
        )
        self.long = nn.Sequential(
            nn.Conv1d(inputs, outputs, kernel, 2, reach, bias=False),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Conv1d(outputs, outputs, kernel, 1, reach, bias=False),
            last,
        )

    def forward(self, signals: Tensor) -> Tensor:
        return functional.relu(self.short(signals) + self.long(signals))
