"""The network era: columns become vectors, and layers learn which combinations matter.

You do: choose a width, a learning rate and when to stop; design no combination by hand.
It does: reads the rows in small batches, many times over, and follows the gradient.
Pays in: passes over the data, a tenth of its rows, which only say when to stop, and luck.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn
from torch.nn import functional

from models.parts.blocks import encoded, mean_loss
from models.parts.pieces import seen_of
from models.parts.target import Target, rows_to_learn
from models.parts.training import find_device, train


@dataclass
class Network:
    members: Annotated[int, Ge(1)] = 12  # small networks side by side, whose answers are averaged
    width: Annotated[int, Ge(1)] = 64  # hidden units of one member
    bins: Annotated[int, Ge(1)] = 5  # pieces that the range of a number is cut into
    embedding: Annotated[int, Ge(1)] = 8  # numbers that stand for a category
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1  # share of hidden units that skip a step
    learning_rate: Annotated[float, Gt(0)] = 0.009  # length of the longest steps
    weight_decay: Annotated[float, Ge(0)] = 0.03  # pull of the weights towards zero
    # Rows per step; None: a twentieth of the rows and at most 512, so that a short table too gets
    # enough steps.
    batch_size: Annotated[int, Ge(1)] | None = None
    # Passes over the rows, at most; None: 16, or as many, up to 64, as show 200,000 rows in all.
    max_epochs: Annotated[int, Ge(1)] | None = None
    # Passes without progress before it stops; None: a third of all.
    patience: Annotated[int, Ge(1)] | None = None
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.1  # share of rows, the last ones, that say when
    view: str = "features"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    random_state: int = 0
    checkpoints: str | None = None

    era: ClassVar[str] = "networks"
    year: ClassVar[int] = 2024  # Gorishniy et al., TabM, arXiv 2410.24210
    pieces: ClassVar[bool] = True  # rows may lie on disk, and are read a few blocks at a time
    warm_up: ClassVar[dict[str, int]] = {"max_epochs": 1, "batch_size": 16}

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Network":
        """X: (n, columns), on disk or not; y: (n,) class names as str, or floats for regression."""
        self.device_ = find_device(self.device)
        self.target_ = Target(y)
        self.classes_ = self.target_.classes
        target = self.target_.values.to(self.device_)
        head = rows_to_learn(len(y), self.holdout)

        torch.manual_seed(self.random_state)
        self.prepare_ = Encoder(seen_of(X), self.bins)
        self.model_ = Members(self, self.prepare_, self.target_.outputs).to(self.device_)

        max_epochs = self.max_epochs or max(16, min(64, 200_000 // len(y)))
        rows, tail = encoded(X[:head], self.inputs), encoded(X[head:], self.inputs)
        trained = train(
            self.model_,
            lambda places: self._loss(rows.take(places), target.index_select(0, places)),
            head,
            lambda: mean_loss(tail, target[head:], partial(self._loss, together=True)),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size or max(1, min(512, head // 20)),
            max_epochs=max_epochs,
            patience=self.patience or -(-max_epochs // 3),
            checkpoints=self.checkpoints,
            order=rows.order,
        )
        self.history_, self.unfinished_ = trained.history, trained.unfinished
        self.n_parameters_ = sum(w.numel() for w in self.model_.parameters())  # weights
        # No weight has learned from the rows held out.
        self.notes_: dict[str, Any] = {**trained.notes, "rows_held_out": len(y) - head}
        return self

    def inputs(self, X: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """Rows as the network takes them (see Encoder)."""
        return self.prepare_(X, self.device_)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self._answers(X).softmax(-1).mean(0).numpy()

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n,), regression only."""
        return self.target_.numbers(self._answers(X).mean(0))

    def _loss(self, rows: tuple[Tensor, ...], target: Tensor, together: bool = False) -> Tensor:
        """Every member answers for itself while it learns; their answers together say when it has
        learned enough (TabM)."""
        outputs = self.model_(*rows)  # (members, batch, outputs)
        if together and self.target_.is_number:
            outputs = outputs.mean(0, keepdim=True)
        elif together:
            outputs = outputs.softmax(-1).mean(0, keepdim=True).log()
        return self.target_.loss(outputs.flatten(0, 1), target.repeat(len(outputs)))

    @torch.inference_mode()
    def _answers(self, X: pd.DataFrame) -> Tensor:  # -> (members, n, outputs), 8,192 rows at a time
        chunks = (X[start : start + 8192] for start in range(0, len(X), 8192))
        answers = [self.model_(*self.inputs(chunk)).cpu() for chunk in chunks]
        return torch.cat(answers, dim=1).double()


class Encoder:
    """Table -> tensors; learns the categories, the scale and the quantiles of the train rows."""

    def __init__(self, X: pd.DataFrame, bins: int) -> None:
        self.categories = {c: X[c].cat.categories for c in X if X[c].dtype == "category"}
        self.numbers = [c for c in X if c not in self.categories]
        # Where the mean is so large that float32 would not tell values apart, it is the new zero.
        numbers = X[self.numbers].astype(float)
        mean = numbers.mean()
        self.origin = mean.where(mean.abs() > 1e3 * numbers.std(), 0.0)
        # Half-empty columns are cut at what they hold; empty ones become all zeros.
        filled = (numbers - self.origin).dropna(axis=1, how="all")
        facts = [filled.mean(), filled.std(), *(filled.quantile(k / bins) for k in range(bins + 1))]
        table = pd.DataFrame(facts).reindex(columns=self.numbers).fillna(0).to_numpy(np.float32)
        # (numbers, 1), (numbers, 1) and (numbers, bins + 1)
        self.mean, self.spread, self.edges = torch.tensor(table.T).split([1, 1, bins + 1], dim=1)
        self.gaps = torch.tensor(X[self.numbers].isna().any().to_numpy(bool)).nonzero()[:, 0]

    def __call__(self, X: pd.DataFrame, device: str) -> tuple[Tensor, Tensor]:
        """-> (n, numbers) float32 with NaN, and (n, categories) int64 with 0 for missing or new."""
        codes = [X[c].cat.set_categories(k).cat.codes for c, k in self.categories.items()]
        categories = np.array(codes, dtype=np.int64).reshape(len(codes), len(X)).T + 1
        numbers = (X[self.numbers].astype(float) - self.origin).to_numpy(np.float32)
        return torch.tensor(numbers, device=device), torch.tensor(categories, device=device)


class Members(nn.Module):
    """`members` networks of two hidden layers that share their weights and are run as one: TabM,
    found to work best on tables (Gorishniy et al. 2024, arXiv 2410.24210).

    A member has the shared weights, times a number of its own for each input and each output of a
    layer (Wen et al. 2020, arXiv 2002.06715). In the first layer those of the inputs begin as 1 or
    -1 by lot: whatever a unit learns has to make sense with all kinds of signs. Of what TabM does
    this gave nearly all.
    """

    def __init__(self, settings: Network, encoder: Encoder, outputs: int) -> None:
        super().__init__()
        members, width = settings.members, settings.width
        self.dropout = settings.dropout
        self.register_buffer("mean", encoder.mean)
        self.register_buffer("spread", encoder.spread.clamp_min(1e-30))
        self.register_buffer("gaps", encoder.gaps)
        self.register_buffer("low", encoder.edges[:, :-1])
        self.register_buffer("size", encoder.edges.diff().clamp_min(1e-30))
        self.embeddings = nn.ModuleList(
            nn.Embedding(len(known) + 1, settings.embedding)
            for known in encoder.categories.values()
        )
        columns = encoder.edges.numel() + len(encoder.gaps)
        columns += settings.embedding * len(self.embeddings)
        self.first = Shared(members, columns, width, by_lot=True)
        self.second = Shared(members, width, width)
        self.last = nn.Parameter(torch.randn(members, width, outputs) / width**0.5)
        self.last_bias = nn.Parameter(torch.zeros(members, 1, outputs))

    mean: Tensor  # (numbers, 1)
    spread: Tensor  # (numbers, 1): standard deviation
    gaps: Tensor  # which numbers are missing in some train rows
    low: Tensor  # (numbers, bins): where each piece begins
    size: Tensor  # (numbers, bins): and how far it reaches

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """(batch, numbers), (batch, categories) -> (members, batch, outputs)"""
        # A number is itself, scaled, and how far it has come through each bin (piecewise linear,
        # arXiv 2203.05556); a missing one is zeros, and a mark of its own.
        value, missing = numbers.unsqueeze(-1), numbers.isnan()
        scaled = ((value - self.mean) / self.spread).clamp(-4, 4)
        passed = ((value - self.low) / self.size).clamp(0, 1)
        # Centred, because a layer learns slowly from inputs that are all positive (LeCun 1998).
        pieces = torch.cat([scaled, 2 * passed - 1], dim=-1).masked_fill(missing.unsqueeze(-1), 0)
        vectors = [table(codes) for table, codes in zip(self.embeddings, categories.T, strict=True)]
        columns = torch.cat([pieces.flatten(1), missing[:, self.gaps].float(), *vectors], dim=1)
        weights, bias = self.first()
        # As one product, for all members read the same columns: (batch, members, width).
        hidden = torch.einsum("bc,mcw->mbw", columns, weights).add(bias).relu()
        # One mask for all members: drawing one for each took a third of the time.
        ones = hidden.new_ones(hidden.shape[1:])
        hidden = hidden * functional.dropout(ones, self.dropout, self.training)
        weights, bias = self.second()
        hidden = torch.baddbmm(bias, hidden, weights).relu()
        return torch.baddbmm(self.last_bias, hidden, self.last)


class Shared(nn.Module):
    """A layer whose weights members share, but for a factor of each input and each output."""

    def __init__(self, members: int, inputs: int, outputs: int, by_lot: bool = False) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weights = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))
        signs = 2.0 * torch.randint(0, 2, (members, inputs, 1)) - 1
        self.of_inputs = nn.Parameter(signs if by_lot else torch.ones(members, inputs, 1))
        self.of_outputs = nn.Parameter(torch.ones(members, 1, outputs))
        self.bias = nn.Parameter(torch.zeros(members, 1, outputs))

    def forward(self) -> tuple[Tensor, Tensor]:
        """-> (members, inputs, outputs), (members, 1, outputs)"""
        return self.of_inputs * self.weights * self.of_outputs, self.bias
