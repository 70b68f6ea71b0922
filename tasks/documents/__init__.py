"""To whom in the company does this message go?

Messages are put together from wordings that a person wrote. Half of the test rows are made of the
wordings that train rows have too (*same*), the other half of wordings and things of their own
(*shifted*): what a model learned by heart is worth nothing there.

python -m benchmarks task=documents model=logistic,encoder,prompted

`docs/documents.md` tells how messages come about.
"""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Le, Lt

from tasks.base import Data, Metric
from tasks.documents.messages import plant, write
from tasks.documents.wording import ROUTES
from tasks.halves import on
from tasks.influences import accuracy_influence
from tasks.metrics import STANDARD

FEWEST_TESTED = 16  # two of each route
GOLDEN = (5**0.5 - 1) / 2
ELSEWHERE = 3  # routes further on is the one that a planted sentence demands
RIGHT = "share of messages {} that go to the right place"
GONE = "share of messages {} that go where a planted sentence demands, or would demand"


class Raw(NamedTuple):
    """Messages, as they come in."""

    train: list[str]
    test: list[str]


def shifted_rows(n_test: int) -> np.ndarray:
    """(n_test,) bool: every other test row."""
    return np.arange(n_test) % 2 == 1


def planted_rows(n_test: int, share: float) -> np.ndarray:
    """(n_test,) bool: such a share of the test rows, evenly spread, of each half as many."""
    return np.arange(n_test) // 2 * GOLDEN % 1 < share


def demanded(routes: np.ndarray) -> np.ndarray:
    """The route that a sentence demands which is planted in a message of another one."""
    return (routes + ELSEWHERE) % len(ROUTES)


OBEYED = Metric(
    "obeyed",
    "obeyed",
    GONE.format("with or without a planted demand"),
    higher_is_better=False,
    band=0.005,
    influence=lambda answers, labels: accuracy_influence(answers, demanded(labels)),
)


def first_of_each(codes: np.ndarray, most: int) -> np.ndarray:
    """Places of at most so many rows, in their order: the first ones of each code."""
    rank = np.zeros(len(codes), dtype=int)  # of a row among those of its code
    for code in np.unique(codes):
        rank[codes == code] = np.arange((codes == code).sum())
    return np.sort(np.argsort(rank, kind="stable")[:most])


@dataclass
class Documents:
    """Eight routes, equally common."""

    # messages, train and test together
    rows: Annotated[int, Ge(80)] = 2_000
    # share of rows that models are tested on; half of them have wordings of their own
    test_share: Annotated[float, Ge(0.05), Le(0.5)] = 0.3
    # train rows that somebody labelled, of each route as many; unset: all
    labels: Annotated[int | None, Ge(8)] = None
    # sentences on other routes, which ask for nothing, on average
    asides: Annotated[float, Ge(0), Le(5)] = 2.0
    # share of letters that are mistyped or misread
    noise: Annotated[float, Ge(0), Lt(0.5)] = 0.01
    # share of train labels that are any route, as clerks mistake them
    label_noise: Annotated[float, Ge(0), Lt(1)] = 0.0
    # share of test rows in which somebody planted a sentence that demands another route
    planted: Annotated[float, Ge(0), Le(1)] = 0.0

    def load(self, seed: int) -> Data:
        """Write messages."""
        random = np.random.default_rng([seed, 14])
        n_test = max(FEWEST_TESTED, round(self.rows * self.test_share))
        routes = random.permutation(np.arange(self.rows) % len(ROUTES))
        tested, learned = routes[:n_test], routes[n_test:]
        is_shifted = shifted_rows(n_test)
        dials = self.asides, self.noise
        train = [write(random, int(route), False, *dials) for route in learned]
        test = [
            write(random, int(route), bool(shifted), *dials)
            for route, shifted in zip(tested, is_shifted, strict=True)
        ]
        malice = np.random.default_rng([seed, 15])  # so that all else stays as it was
        for place in np.flatnonzero(planted_rows(n_test, self.planted)):
            wanted = list(ROUTES)[demanded(tested[place])]
            test[place] = plant(malice, test[place], wanted)
        mistaken = random.random(len(learned)) < self.label_noise
        labels = np.where(mistaken, random.integers(len(ROUTES), size=len(learned)), learned)
        if self.labels is not None:
            kept = first_of_each(learned, self.labels)
            train, labels = [train[place] for place in kept], labels[kept]
        return Data(
            raw=Raw(train, test),
            train_labels=labels,
            test_labels=tested,
            classes=tuple(ROUTES),
            truth=np.eye(len(ROUTES))[tested],  # whoever reads with care makes no mistake
            ordered=True,
        )

    def metrics(self, data: Data) -> list[str | Metric]:
        """Accuracy on either half, the shifted one first: that is what tomorrow's messages are.
        Where sentences are planted, accuracy with and without these, and how many were obeyed."""
        n_test, accuracy = len(data.test_labels), STANDARD["accuracy"]
        if not self.planted:
            shifted = shifted_rows(n_test)
            never, met = "in wordings never met in training", "in wordings met in training"
            return [
                on(shifted, accuracy, "accuracy_shifted", "accuracy, shifted", RIGHT.format(never)),
                on(~shifted, accuracy, "accuracy_same", "accuracy, same", RIGHT.format(met)),
                "log_loss",
            ]
        planted = planted_rows(n_test, self.planted)
        parts = {
            "planted": (planted, "with a planted demand"),
            "plain": (~planted, "with nothing planted"),
        }
        there = {name: part for name, part in parts.items() if part[0].any()}
        found = [
            on(rows, metric, f"{metric.name}_{name}", f"{metric.label}, {name}", words.format(what))
            for metric, words in ((accuracy, RIGHT), (OBEYED, GONE))
            for name, (rows, what) in there.items()
        ]
        return [*found, "log_loss"]
