"""The ideal observer: the best prediction that anyone could make from what can be seen.

It knows how people react on the whole (the generator's own prior and strengths) and, of each
user, what a company knows: attributes, what was sent before, and what was opened. What it does
not know, the user's traits, it draws many times from the prior; each draw counts for as much as
it explains the user's past (importance sampling). So it is a bound for every model: what is left
between it and the ceiling cannot be known from the log. docs/notifications.md says how its own
error was checked.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from annotated_types import Ge

from tasks.notifications import people
from tasks.notifications.people import Sent, State, Strength, Users


@dataclass(frozen=True)
class Mechanism:
    """How people react on the whole. Only the ideal observer may use it."""

    strength: Strength
    intercept: float
    base_rate: float
    label_noise: float


@dataclass(frozen=True)
class Watched:
    """A log as the ideal observer reads it: codes, in time order."""

    users: Users
    sent: Sent
    opened: np.ndarray  # (rows,) bool
    user: np.ndarray  # (rows,) int32
    mechanism: Mechanism
    train_rows: int  # the log holds the test rows as well: a prediction uses what came before it

    def __len__(self) -> int:
        return self.train_rows

    @classmethod
    def read(
        cls,
        users: pa.Table,
        notifications: pa.Table,
        mechanism: Mechanism,
        train_rows: int = 0,
    ) -> "Watched":
        def codes(table: pa.Table, name: str) -> np.ndarray:
            return table[name].combine_chunks().indices.to_numpy()

        sent_at = notifications["sent_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
        second = sent_at - people.FIRST_DAY.astype(np.int64)
        topic, phrase, discount, opener, urgency, closer = np.unravel_index(
            codes(notifications, "title"), [len(levels) for levels in people.TITLE_PARTS]
        )
        return cls(
            Users(*(codes(users, name) for name in ("age_band", "plan", "platform", "country"))),
            Sent(second.astype(np.int32), topic, discount, urgency, opener, phrase, closer),
            notifications["opened"].to_numpy(),
            notifications["user_id"].to_numpy(),
            mechanism,
            train_rows,
        )


@dataclass
class IdealObserver:
    draws: Annotated[int, Ge(2)] = 10_000  # people drawn from the prior, for each user
    # Supplied by the runner.
    random_state: int = 0
    n_jobs: int = 1

    era: ClassVar[str] = "bound"
    year: ClassVar[int] = 1763  # Bayes, "An Essay towards solving a Problem"
    view: ClassVar[str] = "watched"
    bound: ClassVar[bool] = True  # not a model to compare: what a model could reach

    def fit(self, X: Watched, y: np.ndarray) -> "IdealObserver":
        """X: the whole log, of which each prediction uses what came before it."""
        self.log_ = X
        self.classes_ = np.unique(y)  # "ignored" comes before "opened"
        # The rows of each user, in time order.
        order = np.argsort(X.user, kind="stable")
        self.rows_ = np.split(order, np.cumsum(np.bincount(X.user))[:-1])
        self.n_parameters_ = 0
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """X: (n,) positions in the log -> (n, 2)."""
        found = np.full((2, len(self.log_.user)), np.nan)
        wanted = np.zeros(len(self.log_.user), bool)
        wanted[X] = True

        def watch(user: int) -> None:
            rows = self.rows_[user]
            last = np.flatnonzero(wanted[rows])[-1]
            found[:, rows[: last + 1]] = self._watch(user, rows[: last + 1])

        with ThreadPoolExecutor(self.n_jobs) as pool:
            list(pool.map(watch, np.unique(self.log_.user[X]).tolist()))
        halves = found[:, X]
        # Two halves of the draws that agree leave little to chance in their mean.
        error = float(np.sqrt(np.mean((halves[0] - halves[1]) ** 2)) / 2)
        self.notes_: dict[str, Any] = {"draws": self.draws, "monte_carlo_error": error}
        opened = halves.mean(axis=0)
        return np.column_stack([1 - opened, opened])

    def _watch(self, user: int, rows: np.ndarray) -> np.ndarray:
        """Probabilities of one user's notifications by either half of the draws: (2, rows)."""
        log, mechanism = self.log_, self.log_.mechanism
        strength, noise = mechanism.strength, mechanism.label_noise
        rng = np.random.default_rng([self.random_state, user])
        half = -(-self.draws // 2)
        everyone = np.full(2 * half, user)
        traits = people.draw_traits(rng, log.users.take(everyone))
        state = State.fresh(1)
        explained = np.zeros((2, half))  # log likelihood of the past
        found = np.empty((2, len(rows)))
        for k, row in enumerate(rows.tolist()):
            sent = log.sent.take(np.array(row))
            state = state.until(sent.second)
            log_odds = people.still_log_odds(traits, sent, strength)
            if strength.moves:
                log_odds += people.moving_log_odds(traits, state, sent.topic, strength)
            chance = people.sigmoid(log_odds + np.float32(mechanism.intercept)).reshape(2, half)
            chance += np.float32(noise) * (np.float32(mechanism.base_rate) - chance)
            weight = np.exp(explained - explained.max(axis=1, keepdims=True))
            found[:, k] = (weight * chance).sum(axis=1) / weight.sum(axis=1)
            opened = bool(log.opened[row])
            explained += np.log(chance if opened else 1 - chance)
            state = state.after(sent, log.opened[row : row + 1], mechanism.base_rate)
        return found
