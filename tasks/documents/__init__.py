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
from tasks.documents.messages import write
from tasks.documents.wording import ROUTES
from tasks.halves import on
from tasks.metrics import STANDARD

FEWEST_TESTED = 16  # two of each route


class Raw(NamedTuple):
    """Messages, as they come in."""

    train: list[str]
    test: list[str]


def shifted_rows(n_test: int) -> np.ndarray:
    """(n_test,) bool: every other test row."""
    return np.arange(n_test) % 2 == 1


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
        """Accuracy on either half, the shifted one first: that is what tomorrow's messages are."""
        shifted, accuracy = shifted_rows(len(data.test_labels)), STANDARD["accuracy"]
        return [
            on(
                shifted,
                accuracy,
                "accuracy_shifted",
                "accuracy, shifted",
                "share of messages in wordings never met in training that go to the right place",
            ),
            on(
                ~shifted,
                accuracy,
                "accuracy_same",
                "accuracy, same",
                "share of messages in wordings met in training that go to the right place",
            ),
            "log_loss",
        ]
