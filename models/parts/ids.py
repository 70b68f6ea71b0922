"""Ids as places in one table: the reader of all models that keep numbers for each id."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor


class Vocabulary:
    """Ids -> places in one table, in which each field has a stretch that begins with `unknown`.

    Rare ids share that place with those never seen, so that it learns something.
    """

    def __init__(self, X: pd.DataFrame, min_count: int) -> None:
        """Raises ValueError where a column holds no whole numbers."""
        self.known: dict[Any, np.ndarray] = {}
        for name in X:
            if X[name].dtype.kind not in "iu":
                raise ValueError(f"column {name!r} holds {X[name].dtype}; ids are whole numbers")
            ids, counts = np.unique(X[name].to_numpy(), return_counts=True)
            self.known[name] = ids[counts >= min_count]
        sizes = [len(ids) + 1 for ids in self.known.values()]
        self.first, self.size = np.cumsum(sizes) - sizes, sum(sizes)

    def __call__(self, X: pd.DataFrame, device: str) -> Tensor:
        """-> (n, fields) int64"""
        places = np.empty((len(X), len(self.known)), np.int64)
        for field, (name, known) in enumerate(self.known.items()):
            ids = X[name].to_numpy()
            place = np.searchsorted(known, ids)
            is_known = np.append(known, -1)[place] == ids
            places[:, field] = self.first[field] + np.where(is_known, place + 1, 0)
        return torch.tensor(places, device=device)
