"""A Kalman filter: everyone has a hidden state, and every outcome corrects what is known of it.

You do: say how many numbers a state has; hand over what happened, as it is.
It does: guesses each outcome from those before, corrects the state, learns from its errors how.
Pays in: a pass through every past for each step of the gradient, event after event.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn
from torch.nn import functional

from models.parts.sequences import Embedding, Reader, Sequences, answers
from models.parts.target import Target, probabilities, rows_to_learn
from models.parts.training import find_device, train


@dataclass
class Kalman:
    states: Annotated[int, Ge(1)] = 16  # numbers in the hidden state of an entity
    hidden: Annotated[int, Ge(1)] = 16  # units that read what has happened lately
    # How sure it is before it has seen any row, in rows, that an effect is small (a normal prior of
    # this precision): one that is the same for all entities, and one that they differ in.
    prior: Annotated[float, Ge(0)] = 4.0
    prior_of_states: Annotated[float, Ge(0)] = 160.0
    learning_rate: Annotated[float, Gt(0)] = 0.02  # length of the longest steps
    batch_size: Annotated[int, Ge(1)] = 64  # entities per step
    # Passes, all of which are made; None: so many that 600,000 rows are read, but 3 to 20.
    max_epochs: Annotated[int, Ge(1)] | None = None
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.1  # share of rows, the last ones, only watched
    most_events: Annotated[int, Ge(2)] = 256  # of a past, the latest ones
    view: str = "events"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    random_state: int = 0
    checkpoints: str | None = None

    era: ClassVar[str] = "sequences"
    year: ClassVar[int] = 2019  # Becker et al., "Recurrent Kalman Networks", arXiv 1905.07357
    warm_up: ClassVar[dict[str, int]] = {"max_epochs": 1}

    def fit(self, X: Any, y: np.ndarray) -> "Kalman":
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
        # Of two classes the first one's log odds are 0.
        outputs = 1 if self.target_.outputs == 2 else self.target_.outputs
        self.model_ = Filter(self, self.prepare_, outputs).to(self.device_)

        def loss(stretches: Tensor) -> Tensor:
            rows, found = self.model_(seen, stretches)
            return self._loss(found, target[rows]) + self.model_.surprise_of_weights() / head

        trained = train(
            self.model_,
            loss,
            len(seen.first),
            lambda: self._loss(answers(self.model_, unseen), target[head:]),
            learning_rate=self.learning_rate,
            weight_decay=0.0,  # the prior is part of the loss
            batch_size=self.batch_size,
            max_epochs=self.max_epochs or min(20, max(3, 600_000 // head)),
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
        """Rows as the filter takes them (see Reader)."""
        return self.prepare_(X, self.device_)

    def predict_proba(self, X: Any) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        found = probabilities(log_odds(answers(self.model_, self.inputs(X))))
        found = found[:, : self.target_.outputs]
        return found / found.sum(axis=1, keepdims=True)  # 1 where all rows were of one class

    def predict(self, X: Any) -> np.ndarray:
        """-> (n,), regression only."""
        return self.target_.numbers(answers(self.model_, self.inputs(X)))

    def _loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.target_.loss(outputs if self.target_.is_number else log_odds(outputs), target)


def log_odds(outputs: Tensor) -> Tensor:
    """Of two classes the first one's are 0."""
    return outputs if outputs.shape[1] > 1 else functional.pad(outputs, (1, 0))


class Filter(nn.Module):
    """log odds = effects of the row + loadings of the row × state of its entity

    The state is normal, with a mean that the attributes say and a covariance, before the first
    event. An event's outcome moves both, as in an extended Kalman filter of a logistic (or normal)
    outcome; in time they go back to what they were. Sums that fade, of what happened, of outcomes,
    and of either as far as it was like the row, add effects and loadings: fatigue, mood, habit.
    """

    MEANING = 8  # numbers that say what rows and events are about, so that like ones are found
    LATELY = 4  # loadings from fading sums
    HOURS = 6.0, 24.0, 48.0, 168.0  # in which sums fade to 37 %, at first; learned

    def __init__(self, settings: Kalman, reader: Reader, outputs: int) -> None:
        super().__init__()
        self.settings, self.outputs = settings, outputs
        self.is_number = settings.target_.is_number
        size = settings.states + self.LATELY
        self.content = Embedding(reader.event, outputs + settings.states + self.MEANING)
        self.context = Embedding(reader.context, outputs)
        self.attributes = Embedding(reader.attributes, outputs * size)
        self.outcome = Embedding(reader.outcome, outputs)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.pairs = nn.Parameter(torch.zeros(self.MEANING, outputs))
        self.mean = nn.Parameter(torch.zeros(outputs, size))
        self.log_spread = nn.Parameter(torch.zeros(outputs, size))
        self.forgetting = nn.Parameter(torch.zeros(size))
        self.pace = nn.Parameter(torch.zeros(len(self.HOURS)))
        sums = len(self.HOURS) + 1
        self.lately = nn.Sequential(
            nn.Linear(sums * (3 + outputs), settings.hidden),
            nn.GELU(),
            nn.Linear(settings.hidden, outputs + self.LATELY),
        )
        self.register_buffer("hours", torch.tensor(self.HOURS), persistent=False)

    hours: Tensor

    def surprise_of_weights(self) -> Tensor:
        """Minus the logarithm of the prior, up to a constant."""
        personal = (self.content.table[:, self.outputs :] ** 2).sum()
        every = sum((w**2).sum() for w in self.parameters())
        common, states = self.settings.prior, self.settings.prior_of_states
        return (common * (every - personal) + states * personal) / 2

    def forward(self, made: Sequences, stretches: Tensor) -> tuple[Tensor, Tensor]:
        """(b,) stretches -> (r,) their rows, and (r, outputs)"""
        rows, owner, events, real = made.batch(stretches)
        place, since = made.place[rows], made.since[rows, None]
        gap = made.gap[events] * (torch.arange(events.shape[1], device=events.device) > 0)
        event, row = self.content(made.event.take(events)), self.content(made.row.take(rows))
        outcome = self.probability(self.outcome(made.outcome.take(events)))

        # What happened, what came of it, what it was about, and both: (b, t, .)
        about = event[..., -self.MEANING :]
        told = torch.cat([torch.ones_like(gap)[..., None], outcome, about], dim=-1)
        told = torch.cat([told, about * (outcome[..., :1] - 0.5)], dim=-1)
        before, after = self.fading(told, gap)
        effect, loading = self.read(event, before)
        pace = self.hours * self.pace.exp()
        faded = torch.cat([torch.exp(-since / pace), torch.ones_like(since)], dim=1)
        row_effect, row_loading = self.read(row, after[owner, place] * faded[..., None])
        row_effect = row_effect + self.context(made.context.take(rows))

        size = loading.shape[-1]
        mean = self.mean + self.attributes(made.attributes.take(stretches)).view(
            len(stretches), self.outputs, size
        )
        spread = torch.diag_embed(0.1 * (2 * self.log_spread).exp())
        known = real & (made.outcome.weights[events] > 0).any(-1)
        means, spreads = self.filter(mean, spread, effect, loading, outcome, gap, known)
        kept = torch.exp(-since * functional.softplus(self.forgetting - 8))[:, None]
        mean = mean.index_select(0, owner)
        mean = mean + kept * (means[owner, place] - mean)
        both = kept[..., None] * kept[..., None, :]
        spread = spread + both * (spreads[owner, place] - spread)
        found = row_effect + (mean * row_loading[:, None]).sum(-1)
        if self.is_number:
            return rows, found
        doubt = torch.einsum("rd,rode,re->ro", row_loading, spread, row_loading)
        # The mean of a logistic of a normal number, nearly (MacKay 1992).
        return rows, found / (1 + torch.pi / 8 * doubt).sqrt()

    def probability(self, log_odds: Tensor) -> Tensor:
        """(..., outputs) -> the same shape; of a number, the number itself."""
        if self.is_number:
            return log_odds
        return log_odds.sigmoid() if self.outputs == 1 else log_odds.softmax(-1)

    def fading(self, told: Tensor, gap: Tensor) -> tuple[Tensor, Tensor]:
        """(b, t, n) -> (b, t, sums, n) fading sums before each event, and (b, t + 1, sums, n) after
        so many of them. The last sum holds the last event alone, and does not fade."""
        keeps = torch.exp(-gap[..., None] / (self.hours * self.pace.exp()))
        total = told.new_zeros(len(told), len(self.hours), told.shape[-1])
        last = told.new_zeros(len(told), 1, told.shape[-1])
        before, after = [], [torch.cat([total, last], dim=1)]
        # Taken apart at once: the gradient of one slice after the other would fill a whole tensor
        # for each.
        for kept, one in zip(keeps.unbind(1), told.unbind(1), strict=True):
            total = total * kept[..., None]
            before.append(torch.cat([total, last], dim=1))
            last = one[:, None]
            total = total + last
            after.append(torch.cat([total, last], dim=1))
        return torch.stack(before or after, dim=1)[:, : len(before)], torch.stack(after, dim=1)

    def read(self, content: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
        """-> effects (..., outputs) and loadings (..., size)"""
        about = content[..., -self.MEANING :]
        alike = (
            sums[..., 1 + self.outputs :].unflatten(-1, (2, self.MEANING))
            @ about[..., None, :, None]
        )
        plain = sums[..., : 1 + self.outputs]
        lately = self.lately(torch.cat([plain, alike[..., 0]], dim=-1).flatten(-2))
        effect = self.bias + content[..., : self.outputs] + about**2 @ self.pairs
        loading = content[..., self.outputs : -self.MEANING]
        effect = effect + lately[..., : self.outputs]
        return effect, torch.cat([loading, lately[..., self.outputs :]], dim=-1)

    def filter(
        self,
        first_mean: Tensor,
        first_spread: Tensor,
        effect: Tensor,
        loading: Tensor,
        outcome: Tensor,
        gap: Tensor,
        known: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """-> (b, t + 1, outputs, size) means and (b, t + 1, outputs, size, size) covariances of the
        state, right after so many events."""
        mean, spread = first_mean, first_spread.expand(len(gap), *first_spread.shape)
        means, spreads = [mean], [spread]
        keeps = torch.exp(-gap[..., None] * functional.softplus(self.forgetting - 8))
        steps = (part.unbind(1) for part in (keeps, effect, loading, outcome, known))
        for kept, by_itself, loads, came, is_known in zip(*steps, strict=True):
            kept, loads = kept[:, None], loads[:, None]
            mean = first_mean + kept * (mean - first_mean)
            spread = first_spread + kept[..., None] * kept[..., None, :] * (spread - first_spread)
            toward = (spread @ loads[..., None])[..., 0]  # (b, outputs, size)
            guess = self.probability(by_itself + (mean * loads).sum(-1))
            sure = torch.ones_like(guess) if self.is_number else guess * (1 - guess)
            doubt = (toward * loads).sum(-1)
            gain = is_known[:, None] / (1 + sure * doubt)
            mean = mean + (gain * (came - guess))[..., None] * toward
            told = (gain * sure)[..., None, None]
            spread = spread - told * toward[..., None] * toward[..., None, :]
            means.append(mean)
            spreads.append(spread)
        return torch.stack(means, dim=1), torch.stack(spreads, dim=1)
