"""A recurrent network: it reads a past event by event and keeps what it needs in one state.

You do: say how wide the state is; hand over what happened, as it is.
It does: learns what to keep of each event, and what a surprise is, by how the rows came out.
Pays in: passes over all pasts, one event after the other; and more rows than features need.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn

from models.parts.sequences import Embedding, Reader, Sequences, answers, clock, surprise_of_weights
from models.parts.target import Target, probabilities, rows_to_learn
from models.parts.training import find_device, train


@dataclass
class GRU:
    width: Annotated[int, Ge(1)] = 32  # numbers in the state
    embedding: Annotated[int, Ge(1)] = 16  # numbers that stand for what a row or an event is
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.2  # share of the state that skips a step
    # How sure it is before it has seen any row, in rows, that a weight is small (a normal prior of
    # this precision): of an effect by itself, of embeddings, and of all others.
    prior: Annotated[float, Ge(0)] = 10.0
    prior_of_embeddings: Annotated[float, Ge(0)] = 60.0
    prior_of_layers: Annotated[float, Ge(0)] = 60.0
    learning_rate: Annotated[float, Gt(0)] = 0.01  # length of the longest steps
    batch_size: Annotated[int, Ge(1)] = 32  # entities per step
    # Passes, all of which are made; None: so many that 1,000,000 rows are read, but 3 to 20.
    max_epochs: Annotated[int, Ge(1)] | None = None
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.1  # share of rows, the last ones, only watched
    most_events: Annotated[int, Ge(2)] = 256  # of a past, the latest ones
    view: str = "events"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    random_state: int = 0
    checkpoints: str | None = None

    era: ClassVar[str] = "sequences"
    year: ClassVar[int] = 2014  # Cho et al., arXiv 1406.1078; best of nine in EBES (KDD 2025)
    warm_up: ClassVar[dict[str, int]] = {"max_epochs": 1}

    def fit(self, X: Any, y: np.ndarray) -> "GRU":
        """X: n histories; y: (n,) class names as str objects, or floats for regression."""
        self.device_ = find_device(self.device)
        self.target_ = Target(y)
        self.classes_ = self.target_.classes
        target = self.target_.values.to(self.device_)
        # The rows held out are the latest: no weight learns from them, nor from events after the
        # last row before them.
        head = rows_to_learn(len(y), self.holdout)
        self.prepare_ = Reader(X, self.most_events)
        seen, unseen = self.inputs(X[:head]), self.inputs(X[head:])
        torch.manual_seed(self.random_state)
        self.model_ = Recurrent(self, self.prepare_, self.target_).to(self.device_)

        def loss(stretches: Tensor) -> Tensor:
            rows, found = self.model_(seen, stretches)
            return self.target_.loss(found, target[rows]) + self._surprise() / head

        trained = train(
            self.model_,
            loss,
            len(seen.first),
            lambda: self.target_.loss(answers(self.model_, unseen), target[head:]),
            learning_rate=self.learning_rate,
            weight_decay=0.0,  # the prior is part of the loss
            batch_size=self.batch_size,
            max_epochs=self.max_epochs or min(20, max(3, 1_000_000 // head)),
            patience=None,  # the last steps, the shortest ones, are worth most
            clip=1.0,
            checkpoints=self.checkpoints,
            precision="float32",  # sums over long pasts, and too narrow to gain from less
        )
        self.history_ = trained.history
        self.n_parameters_ = sum(w.numel() for w in self.model_.parameters())  # weights
        self.notes_: dict[str, Any] = {**trained.notes, "rows_held_out": len(y) - head}
        return self

    def inputs(self, X: Any) -> Sequences:
        """Rows as the network takes them (see Reader)."""
        return self.prepare_(X, self.device_)

    def predict_proba(self, X: Any) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return probabilities(answers(self.model_, self.inputs(X)))

    def predict(self, X: Any) -> np.ndarray:
        """-> (n,), regression only."""
        return self.target_.numbers(answers(self.model_, self.inputs(X)))

    def _surprise(self) -> Tensor:
        priors = self.prior, self.prior_of_embeddings, self.prior_of_layers
        return surprise_of_weights(self.model_, self.target_.outputs, *priors)


class Recurrent(nn.Module):
    """What is expected of a row by itself, and what its past adds.

    An event goes in with its surprise: what came of it, less what was expected of it by itself.
    """

    def __init__(self, settings: GRU, reader: Reader, target: Target) -> None:
        super().__init__()
        outputs = target.outputs
        width, size = settings.width, settings.embedding
        self.content = Embedding(reader.event, size + outputs)
        self.attributes = Embedding(reader.attributes, size + outputs)
        self.context = Embedding(reader.context, outputs)
        self.outcome = Embedding(reader.outcome, outputs)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.pairs = nn.Linear(2 * size, outputs, bias=False)
        self.begin = nn.Linear(size, width)
        self.cell = nn.GRU(size + outputs * (1 + size) + 2, width, batch_first=True)
        self.dropout = nn.Dropout(settings.dropout)
        self.taste = nn.Linear(width, outputs * size)
        self.hidden = nn.Linear(width + size + 2, width)
        self.last = nn.Linear(width, outputs)
        self.outputs, self.is_number = outputs, target.is_number

    def forward(self, made: Sequences, stretches: Tensor) -> tuple[Tensor, Tensor]:
        """(b,) stretches -> (r,) their rows, and (r, outputs)"""
        rows, owner, events, real = made.batch(stretches)
        attributes = self.attributes(made.attributes.take(stretches))
        event, row = self.content(made.event.take(events)), self.content(made.row.take(rows))
        outcome = self.outcome(made.outcome.take(events))
        expected = self.expected(event, attributes[:, None])
        if not self.is_number:
            outcome, expected = outcome.softmax(-1), expected.softmax(-1)
        event = event[..., self.outputs :]
        known = real & (made.outcome.weights[events] > 0).any(-1)
        surprise = (outcome - expected) * known[..., None]
        products = (surprise[..., None] * event[..., None, :]).flatten(-2)
        gap = clock(made.gap[events] * (torch.arange(events.shape[1], device=events.device) > 0))
        begin = self.begin(attributes[:, self.outputs :]).tanh()
        states = begin[:, None]
        if events.shape[1]:
            put_in = torch.cat([event, surprise, products, gap], dim=-1)
            states = torch.cat([states, self.cell(put_in, begin[None])[0]], dim=1)
        state = self.dropout(states[owner, made.place[rows]])
        by_itself = self.expected(row, attributes.index_select(0, owner)) + self.context(
            made.context.take(rows)
        )
        row = row[..., self.outputs :]
        taste = (self.taste(state).unflatten(-1, (self.outputs, -1)) * row[:, None]).sum(-1)
        put_in = torch.cat([state, row, clock(made.since[rows])], dim=-1)
        return rows, by_itself + taste + self.last(self.hidden(put_in).relu())

    def expected(self, content: Tensor, attributes: Tensor) -> Tensor:
        """What is expected of a row, or of an event, by itself."""
        both = content + attributes
        x, a = content[..., self.outputs :], attributes[..., self.outputs :]
        return self.bias + both[..., : self.outputs] + self.pairs(torch.cat([x * a, x * x], -1))
