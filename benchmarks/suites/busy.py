"""A model that is busy for a while and learns nothing: what watching it costs shows in its time."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge


@dataclass
class Busy:
    """Multiplies matrices on all cores, then counts in Python, and again: fixed work."""

    rounds: Annotated[int, Ge(1)] = 140  # about 5 s on two cores

    warm_up: ClassVar[dict[str, int]] = {"rounds": 1}

    def fit(self, X: Any, y: np.ndarray) -> "Busy":
        self.classes_ = np.unique(y)
        square = np.random.default_rng(0).normal(size=(700, 700))
        for _ in range(self.rounds):
            square @ square
            sum(i * i for i in range(400_000))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))
