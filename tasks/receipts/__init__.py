"""Total, date and number: what does this receipt, or this invoice, say?

Documents come from a generator with two worlds of vendors, wordings and layouts. Train rows are of
the first; of the test rows every other one is, and the rest are of the second, which no model has
seen. `docs/receipts.md` tells how documents come about.
"""

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
from annotated_types import Ge, Le

from tasks.base import Data, Metric
from tasks.halves import on
from tasks.influences import Influence, averaged
from tasks.receipts.generator import Document, draw
from tasks.receipts.normal import FIELDS, normal
from tasks.receipts.wording import KNOWN, OTHER


class Raw(NamedTuple):
    """Documents of the train and of the test rows."""

    train: list[Document]
    test: list[Document]


@dataclass
class Receipts:
    """Answers: `{"total": "1234.50", "date": "2024-03-17", "number": "RE-20391"}`."""

    # documents, train and test together
    rows: Annotated[int, Ge(30)] = 3_000
    # share of documents that models are tested on, half of them of the other world
    test_share: Annotated[float, Ge(0.05), Le(0.9)] = 0.33
    # share of the letters of words that a scanner misread; an answer is never touched by it
    noise: Annotated[float, Ge(0), Le(0.2)] = 0.0
    # share of documents whose blocks are rotated: they begin in the middle and end with their head
    rotated: Annotated[float, Ge(0), Le(1)] = 0.0
    # share of train rows in whose label a field is that of the next one: a tired annotator
    label_noise: Annotated[float, Ge(0), Le(1)] = 0.0

    def load(self, seed: int) -> Data:
        """Draw documents; test rows are of the known and of the other world in turn."""
        random = np.random.default_rng([seed, 14])
        n_test = max(2, round(self.rows * self.test_share))
        dials = self.rotated, self.noise
        train = draw(KNOWN, random, self.rows - n_test, *dials)
        known, other = (iter(draw(world, random, n_test, *dials)) for world in (KNOWN, OTHER))
        test = [next(other if moved else known) for moved in shifted(n_test)]
        labels = [document.answer for document in test]
        return Data(
            raw=Raw(train, test),
            train_labels=slipped(random, [d.answer for d in train], self.label_noise),
            test_labels=labels,
            truth=labels,
            ordered=True,  # drawn one after another by chance, so the last are like the first
        )

    def metrics(self, data: Data) -> list[str | Metric]:
        """Exact match of the whole answer on the shifted half comes first: there the eras part."""
        is_shifted = shifted(len(data.test_labels))
        found: list[str | Metric] = []
        for field in (None, *FIELDS):
            for half, rows in (("shifted", is_shifted), ("same", ~is_shifted)):
                name, what = (field, f"the {field}") if field else ("answer", "all three fields")
                words = f"share of the rows {HALVES[half]} of which {what} is right"
                whole = Metric(name, name, words, True, 0.01, influence=right(field))
                found.append(on(rows, whole, f"{name}_{half}", f"{name}, {half}", words))
        return found


HALVES = {"shifted": "whose wordings and layouts no train row has", "same": "that are like train"}


def shifted(rows: int) -> np.ndarray:
    """(rows,) bool: which of so many test rows are of the other world; every second one is."""
    return np.arange(rows) % 2 == 1


def right(field: str | None) -> Influence:
    """Share of answers whose field, or all of whose fields, say the same as the label's."""
    fields = [field] if field else list(FIELDS)

    def influence(answers: Any, labels: Any) -> tuple[float, np.ndarray]:
        hits = []
        for answer, label in zip(answers, labels, strict=True):
            said = normal(answer)
            hits.append(all(said[name] == label[name] for name in fields))
        return averaged(np.array(hits, dtype=np.float64))

    return influence


def slipped(
    random: np.random.Generator, answers: list[dict[str, str]], share: float
) -> list[dict[str, str]]:
    """Answers in so many of which one field has slipped: it is that of the row below."""
    found = [dict(answer) for answer in answers]
    for place in np.flatnonzero(random.random(len(answers)) < share).tolist():
        field = list(FIELDS)[random.integers(len(FIELDS))]
        found[place][field] = answers[(place + 1) % len(answers)][field]
    return found
