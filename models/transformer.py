"""A transformer: every event looks at those before it, and the row looks back at all of them.

You do: say how wide and deep it is; hand over what happened, or a recording, as it is.
It does: learns where to look, by how the rows came out.
Pays in: passes over all pasts, each event against each; and more rows than features need.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor, nn
from torch.nn import functional

from models.parts.sequences import Embedding, Reader, Sequences, answers, clock, surprise_of_weights
from models.parts.signals import Scaler, altered
from models.parts.target import Target, probabilities, rows_to_learn
from models.parts.training import find_device, train


@dataclass
class Transformer:
    width: Annotated[int, Ge(1)] = 32  # numbers that stand for an event, a patch, or a row
    heads: Annotated[int, Ge(1)] = 4  # places that each looks at at once; they share the width
    layers: Annotated[int, Ge(1)] = 2  # the last of them is where the row looks back
    embedding: Annotated[int, Ge(1)] = 16  # numbers that stand for what an event is
    patch: Annotated[int, Ge(4)] = 16  # samples from one token of a recording to the next, in fours
    crop: Annotated[float, Gt(0), Le(1)] = 0.85  # share of a recording that a step sees, anywhere
    jitter: Annotated[float, Ge(0)] = 0.2  # how much louder or softer it is then, in logarithms
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1  # share of what a layer adds that is left out
    # How sure it is before it has seen any row, in rows, that a weight is small (a normal prior of
    # this precision): of an effect by itself, of embeddings, and of all others.
    prior: Annotated[float, Ge(0)] = 10.0
    prior_of_embeddings: Annotated[float, Ge(0)] = 100.0
    prior_of_layers: Annotated[float, Ge(0)] | None = None  # None: 10, of recordings 1
    learning_rate: Annotated[float, Gt(0)] | None = None  # of the longest steps; None: .01, .002
    batch_size: Annotated[int, Ge(1)] | None = None  # entities or recordings; None: 32, 64
    # Passes, all of which are made; None: so many that 600,000 rows are read, but 3 to 20, or 24.
    max_epochs: Annotated[int, Ge(1)] | None = None
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.1  # share of rows, the last ones, only watched
    most_events: Annotated[int, Ge(2)] = 256  # of a past, the latest ones
    view: str = "events|signal"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    random_state: int = 0
    checkpoints: str | None = None

    era: ClassVar[str] = "attention"
    year: ClassVar[int] = 2017  # Vaswani et al., arXiv 1706.03762; the last layer: arXiv 1706.06978
    warm_up: ClassVar[dict[str, int]] = {"max_epochs": 1}

    def fit(self, X: Any, y: np.ndarray) -> "Transformer":
        """X: n histories, or (n, channels, samples) float32; y: (n,) class names as str objects, or
        floats for regression."""
        self.device_ = find_device(self.device)
        self.target_ = Target(y)
        self.classes_ = self.target_.classes
        target = self.target_.values.to(self.device_)
        # The rows held out are the latest: no weight learns from them, nor from events after the
        # last row before them.
        head = rows_to_learn(len(y), self.holdout)
        is_signal = isinstance(X, np.ndarray)
        self.prepare_: Any = Scaler(X) if is_signal else Reader(X, self.most_events)
        seen, unseen = self.inputs(X[:head]), self.inputs(X[head:])
        torch.manual_seed(self.random_state)
        self.model_ = Attentive(self, self.prepare_, self.target_).to(self.device_)

        usual = OF_SIGNALS if is_signal else OF_EVENTS
        of_layers = usual.prior_of_layers if self.prior_of_layers is None else self.prior_of_layers
        priors = self.prior, self.prior_of_embeddings, of_layers

        def loss(stretches: Tensor) -> Tensor:
            rows, found = self.model_(seen, stretches)
            prior = surprise_of_weights(self.model_, self.target_.outputs, *priors)
            return self.target_.loss(found, target[rows]) + prior / head

        trained = train(
            self.model_,
            loss,
            len(seen.length),
            lambda: self.target_.loss(answers(self.model_, unseen), target[head:]),
            learning_rate=self.learning_rate or usual.learning_rate,
            weight_decay=0.0,  # the prior is part of the loss
            batch_size=self.batch_size or usual.batch_size,
            max_epochs=self.max_epochs or min(usual.most_epochs, max(3, 600_000 // head)),
            patience=None,  # the last steps, the shortest ones, are worth most
            clip=1.0,
            checkpoints=self.checkpoints,
            precision="float32",  # sums over long pasts, and too narrow to gain from less
        )
        self.history_ = trained.history
        self.n_parameters_ = sum(w.numel() for w in self.model_.parameters())  # weights
        self.notes_: dict[str, Any] = {**trained.notes, "rows_held_out": len(y) - head}
        return self

    def inputs(self, X: Any) -> "Sequences | Signals":
        """Rows as the network takes them (see Reader and Scaler)."""
        made = self.prepare_(X, self.device_)
        if isinstance(X, np.ndarray):
            return Signals(made, torch.full((len(X),), X.shape[2], device=self.device_))
        return made

    def predict_proba(self, X: Any) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return probabilities(answers(self.model_, self.inputs(X)))

    def predict(self, X: Any) -> np.ndarray:
        """-> (n,), regression only."""
        return self.target_.numbers(answers(self.model_, self.inputs(X)))


class Usual(NamedTuple):
    """What a setting is where nobody sets it; pasts and recordings want different things."""

    prior_of_layers: float
    learning_rate: float
    batch_size: int
    most_epochs: int


OF_EVENTS = Usual(prior_of_layers=10.0, learning_rate=0.01, batch_size=32, most_epochs=20)
OF_SIGNALS = Usual(prior_of_layers=1.0, learning_rate=0.002, batch_size=64, most_epochs=24)


class Attentive(nn.Module):
    """Layers in which tokens look at each other, and a last one in which rows look at them."""

    def __init__(self, settings: Transformer, prepare: Any, target: Target) -> None:
        super().__init__()
        front = FromSignal if isinstance(prepare, Scaler) else FromEvents
        self.front = front(settings, prepare, target)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        self.last = nn.Sequential(
            nn.LayerNorm(settings.width), nn.Linear(settings.width, target.outputs)
        )

    def forward(self, made: Any, stretches: Tensor) -> tuple[Tensor, Tensor]:
        """(b,) stretches -> (r,) their rows, and (r, outputs)"""
        tokens, among, queries, back, rows, at, alone = self.front(made, stretches)
        for layer in self.layers[:-1]:
            tokens = layer(tokens, tokens, among)
        return rows, alone + self.last(self.layers[-1](queries, tokens, back)[at])


class Layer(nn.Module):
    """Attention, then two layers for each by itself; what they take in is scaled (pre-norm)."""

    def __init__(self, settings: Transformer) -> None:
        super().__init__()
        width = settings.width
        if width % settings.heads:
            raise ValueError(f"width={width} cannot be shared by heads={settings.heads}")
        self.heads = settings.heads
        self.norm, self.norm_of_past = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.mix = nn.Linear(width, width)
        self.alone = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor, past: Tensor, bias: Tensor | None) -> Tensor:
        """x: (b, q, width); past: (b, k, width); bias: (b, heads, q, k), where not all are free to
        look at all -> (b, q, width)"""
        past = self.norm_of_past(past)
        key, value = self.key_value(past).chunk(2, dim=-1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(self.norm(x)), key, value)
        )
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        x = x + self.dropout(self.mix(found.transpose(1, 2).flatten(-2)))
        return x + self.dropout(self.alone(x))


class FromEvents(nn.Module):
    """An event goes in with its surprise: what came of it, less what was expected of it by itself.
    How far back an event lies is known by its time, whatever lies between, and by its rank."""

    RANKS = 16  # back from the last; all that are farther are alike (T5, arXiv 1910.10683)

    def __init__(self, settings: Transformer, reader: Reader, target: Target) -> None:
        super().__init__()
        outputs = self.outputs = target.outputs
        self.is_number = target.is_number
        size, width = settings.embedding, settings.width
        self.content = Embedding(reader.event, outputs + size)
        self.attributes = Embedding(reader.attributes, outputs + size)
        self.context = Embedding(reader.context, outputs)
        self.outcome = Embedding(reader.outcome, outputs)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.pairs = nn.Linear(2 * size, outputs, bias=False)
        self.put_in = nn.Linear(size + outputs * (1 + size) + 2, width)
        self.ask = nn.Linear(2 * size + 2, width)
        self.begin = nn.Linear(size, width)  # what everyone can look at, even without a past
        self.slope = nn.Parameter(torch.linspace(-2, 1, settings.heads))
        self.rank = nn.Parameter(torch.zeros(self.RANKS, settings.heads))

    def forward(self, made: Sequences, stretches: Tensor) -> tuple[Any, ...]:
        rows, owner, events, real = made.batch(stretches)
        attributes = self.attributes(made.attributes.take(stretches))
        event, row = self.content(made.event.take(events)), self.content(made.row.take(rows))
        outcome = self.outcome(made.outcome.take(events))
        expected = self.expected(event, attributes[:, None])
        alone = self.expected(row, attributes.index_select(0, owner)) + self.context(
            made.context.take(rows)
        )
        if not self.is_number:
            outcome, expected = outcome.softmax(-1), expected.softmax(-1)
        attributes, event, row = (x[..., self.outputs :] for x in (attributes, event, row))
        known = real & (made.outcome.weights[events] > 0).any(-1)
        surprise = (outcome - expected) * known[..., None]
        products = (surprise[..., None] * event[..., None, :]).flatten(-2)
        gap = made.gap[events] * (torch.arange(events.shape[1], device=events.device) > 0)
        tokens = self.put_in(torch.cat([event, surprise, products, clock(gap)], dim=-1))
        tokens = torch.cat([self.begin(attributes)[:, None], tokens], dim=1)
        hour = functional.pad(gap.cumsum(1), (1, 0))  # (b, 1 + t), since the stretch began

        # Rows of a stretch stand side by side: (b, q).
        place, since = made.place[rows], made.since[rows]
        counts = owner.bincount(minlength=len(stretches))
        column = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[owner]
        shape = len(stretches), int(counts.max())
        queries = tokens.new_zeros(*shape, tokens.shape[-1])
        asked = self.ask(torch.cat([row, attributes.index_select(0, owner), clock(since)], dim=-1))
        queries = queries.index_put((owner, column), asked)
        seen, now = place.new_zeros(shape), hour.new_zeros(shape)
        seen = seen.index_put((owner, column), place)
        now = now.index_put((owner, column), hour[owner, place] + since)

        steps = torch.arange(tokens.shape[1], device=rows.device)
        among = self.back(hour, hour, steps.expand(hour.shape))
        back = self.back(now, hour, seen)
        return tokens, among, queries, back, rows, (owner, column), alone

    def expected(self, content: Tensor, attributes: Tensor) -> Tensor:
        """What is expected of a row, or of an event, by itself."""
        both = content + attributes
        x, a = content[..., self.outputs :], attributes[..., self.outputs :]
        return self.bias + both[..., : self.outputs] + self.pairs(torch.cat([x * a, x * x], -1))

    def back(self, now: Tensor, then: Tensor, seen: Tensor) -> Tensor:
        """now: (b, q) hours; then: (b, k); seen: (b, q) the last one that each may look at -> (b,
        heads, q, k): the longer ago, the less, each head in its own measure."""
        step = torch.arange(then.shape[1], device=then.device)
        ago = (now[..., None] - then[:, None]).clamp(min=0).log1p()[:, None]
        ranks = seen[..., None] - step
        # Indexed in brackets, its gradient would be added up in the order in which threads come.
        bias = functional.embedding(ranks.clamp(0, self.RANKS - 1), self.rank).permute(0, 3, 1, 2)
        bias = bias - functional.softplus(self.slope)[:, None, None] * ago
        bias = (bias * (step > 0)).masked_fill((ranks < 0)[:, None], -torch.inf)
        return bias.contiguous()  # kernels on CUDA take no other


class Signals(NamedTuple):
    """Recordings, each of which is one row."""

    trace: Tensor  # (n, channels, samples)
    length: Tensor  # (n,)


class FromSignal(nn.Module):
    """Patches of a recording, each of which looks at all others, and one query that looks at them
    all. Convolutions make them: cut as they are and put in through one matrix, a wave is another
    one wherever in a patch it begins (Xiao et al. 2021, arXiv 2106.14881)."""

    def __init__(self, settings: Transformer, scaler: Scaler, target: Target) -> None:
        super().__init__()
        width, step = settings.width, settings.patch // 4
        self.crop, self.jitter, self.shortest = settings.crop, settings.jitter, 4 * step + 1
        self.patches = nn.Sequential(
            nn.Conv1d(scaler.channels, width, 9, 2, 4, bias=False),
            nn.BatchNorm1d(width),
            nn.GELU(),
            nn.Conv1d(width, width, 9, 2, 4, bias=False),
            nn.BatchNorm1d(width),
            nn.GELU(),
            nn.Conv1d(width, width, 9, step, 4, bias=False),
            nn.BatchNorm1d(width),
        )
        count = -(-max(self.shortest, scaler.shape[1]) // (4 * step))
        self.position = nn.Parameter(0.02 * torch.randn(count, width))
        self.ask = nn.Parameter(torch.zeros(1, 1, width))
        self.bias = nn.Parameter(torch.zeros(target.outputs))

    def forward(self, made: Signals, rows: Tensor) -> tuple[Any, ...]:
        trace = made.trace.index_select(0, rows)
        if self.training:
            trace = altered(trace, self.crop, self.jitter)
        longer = max(0, self.shortest - trace.shape[2])  # so that there are two patches at least
        tokens = self.patches(functional.pad(trace, (0, longer))).transpose(1, 2)
        tokens = tokens + self.position[: tokens.shape[1]]
        queries = self.ask.expand(len(rows), 1, -1)
        alone = self.bias.expand(len(rows), -1)
        return tokens, None, queries, None, rows, (slice(None), 0), alone
