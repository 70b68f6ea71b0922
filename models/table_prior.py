"""The in-context era: a network that was trained on made-up tables reads yours, and answers.

You do: nothing; there is no setting that has to be found for a table.
It does: keeps the rows, and compares new ones with them as it learned to; no weight is changed.
Pays in: hours of training, once for all tables, and a look at the kept rows for every answer.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from annotated_types import Ge, Gt
from torch import Tensor

from models.parts.in_context import CLASSES, MARK, Memory, restored
from models.parts.training import find_device

WEIGHTS = Path(__file__).parent / "weights" / "table_prior.safetensors"
AT_ONCE = 512  # new rows


@dataclass
class TablePrior:
    ensemble: Annotated[int, Ge(1)] = 8  # looks at the table, each with classes renumbered
    context: Annotated[int, Ge(2)] = 2_000  # rows of a look, drawn by chance if there are more
    columns: Annotated[int, Ge(1)] = 100  # of a look, drawn by chance if there are more
    temperature: Annotated[float, Gt(0)] = 1.0  # above 1: less sure
    weights: str | None = None  # a file of safetensors; None: the one that is shipped
    max_rows: Annotated[int, Ge(1)] = 16_000  # more are skipped: they would never be looked at
    view: str = "features"  # which view of the task it reads
    # Supplied by the runner.
    device: Literal["auto", "cpu", "cuda", "xpu", "mps"] = "auto"
    random_state: int = 0

    era: ClassVar[str] = "in-context tables"
    year: ClassVar[int] = 2022  # Hollmann et al., "TabPFN", arXiv 2207.01848
    answers: ClassVar[tuple[str, ...]] = ("probabilities",)
    warm_up: ClassVar[dict[str, int]] = {"ensemble": 1}

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "TablePrior":
        """X: (n, columns); y: (n,) class names as str objects. Raises ValueError for numbers, for
        more than CLASSES classes, and for weights that are missing or damaged."""
        self.device_ = find_device(self.device)
        if y.dtype.kind == "f":
            raise ValueError("table_prior tells classes apart, and has no answer for numbers")
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) > CLASSES:
            raise ValueError(
                f"table_prior knows tables of at most {CLASSES} classes, and this has "
                f"{len(self.classes_)}"
            )
        self.model_ = restored(Path(self.weights or WEIGHTS)).to(self.device_)
        self.prepare_ = Encoder(X)
        rows = self.inputs(X)
        rng = np.random.default_rng(self.random_state)
        count = len(self.classes_)
        self.looks_ = [Look(rng, self.prepare_, count, self) for _ in range(self.ensemble)]
        self.memories_ = [self._remember(rng, look, rows, codes) for look in self.looks_]
        self.n_parameters_ = sum(w.numel() for w in self.model_.parameters())  # and the rows
        kept = min(len(X), self.context)
        self.notes_: dict[str, Any] = {"device": self.device_, "rows_of_a_look": kept}
        return self

    def inputs(self, X: pd.DataFrame) -> np.ndarray:
        """Rows as a look takes them (see Encoder)."""
        return self.prepare_(X)

    @torch.inference_mode()
    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        rows = self.inputs(X)
        total = np.zeros((len(rows), len(self.classes_)))
        for look, memory in zip(self.looks_, self.memories_, strict=True):
            for start in range(0, len(rows), AT_ONCE):
                part = self._tensor(look(rows[start : start + AT_ONCE]))
                logits = self.model_.answer(memory, part) / self.temperature
                # A class that the look has no row of is none of its answers.
                logits = logits.masked_fill(~memory.labels.any(1, keepdim=True), -torch.inf)
                shares = logits.double().softmax(-1)[0, :, look.classes]
                total[start : start + AT_ONCE] += shares.cpu().numpy()
        return total / len(self.looks_)

    @torch.inference_mode()
    def _remember(
        self, rng: np.random.Generator, look: "Look", rows: np.ndarray, codes: np.ndarray
    ) -> Memory:
        chosen = np.sort(rng.permutation(len(rows))[: self.context])
        labels = torch.from_numpy(look.classes[codes[chosen]])[None].to(self.device_)
        marks = torch.from_numpy(look.marks).to(self.device_)
        return self.model_.remember(self._tensor(look(rows[chosen])), labels, marks)

    def _tensor(self, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(rows)[None].to(self.device_)


class Encoder:
    """Table -> numbers; learns the categories and the scale of the train rows."""

    def __init__(self, X: pd.DataFrame) -> None:
        self.categories = {c: X[c].cat.categories for c in X if X[c].dtype == "category"}
        self.numbers = [c for c in X if c not in self.categories]
        numbers = X[self.numbers].astype(float)
        self.mean = numbers.mean().fillna(0.0)
        self.spread = numbers.std().fillna(0.0).replace(0.0, 1.0)

    def __call__(self, X: pd.DataFrame) -> np.ndarray:
        """-> (n, numbers, then categories) float32; NaN for what is missing or new"""
        numbers = (X[self.numbers].astype(float) - self.mean) / self.spread
        codes = [X[c].cat.set_categories(k).cat.codes for c, k in self.categories.items()]
        levels = np.array(codes, dtype=np.float32).reshape(len(codes), len(X)).T
        return np.column_stack([numbers.to_numpy(np.float32), np.where(levels < 0, np.nan, levels)])


class Look:
    """One way to look at a table: some of its columns, levels and classes in an order by chance."""

    def __init__(
        self, rng: np.random.Generator, encoder: Encoder, classes: int, settings: TablePrior
    ) -> None:
        first = len(encoder.numbers)
        count = first + len(encoder.categories)
        self.columns = np.sort(rng.permutation(count)[: settings.columns])
        sizes = [len(levels) for levels in encoder.categories.values()]
        self.levels = {first + k: rng.permutation(size) for k, size in enumerate(sizes)}
        self.classes = rng.permutation(classes)
        self.marks = rng.standard_normal((1, 1, len(self.columns), MARK), dtype=np.float32)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """(n, all columns) -> (n, columns of this look) float32"""
        seen = rows[:, self.columns].astype(np.float32)
        for at, column in enumerate(self.columns):
            if column in self.levels:
                known = ~np.isnan(seen[:, at])
                seen[known, at] = self.levels[column][seen[known, at].astype(int)]
        return seen
