"""What networks learn, as numbers, and what they say, as answers again."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional


class Target:
    """Class names become codes, in the order of the alphabet; numbers lie about 0 with a spread of
    1. A network has an output for each class, or one for a number."""

    def __init__(self, y: np.ndarray) -> None:
        """y: (n,) class names as str objects, or floats for regression."""
        self.is_number = y.dtype.kind == "f"
        if self.is_number:
            self.mean, self.spread = y.mean(), y.std() or 1.0
            self.values = torch.tensor((y - self.mean) / self.spread, dtype=torch.float32)
            self.classes, self.outputs = None, 1
        else:
            codes, self.classes = pd.factorize(y, sort=True)
            self.values, self.outputs = torch.tensor(codes), len(self.classes)

    def loss(self, outputs: Tensor, values: Tensor) -> Tensor:
        """(b, outputs), (b,) -> mean squared error, or cross-entropy."""
        if self.is_number:
            return functional.mse_loss(outputs[:, 0], values)
        return functional.cross_entropy(outputs, values)

    def numbers(self, outputs: Tensor) -> np.ndarray:
        """(n, 1) -> (n,) in the unit of y."""
        return outputs[:, 0].cpu().double().numpy() * self.spread + self.mean


def probabilities(outputs: Tensor) -> np.ndarray:
    """(n, classes) log odds -> (n, classes) float64"""
    return outputs.cpu().double().softmax(-1).numpy()


def rows_to_learn(rows: int, holdout: float) -> int:
    """How many of the first rows move weights; the share `holdout`, the last ones, does not.

    Rows come in order of time, or dealt out where there is none, so the tail is to the head what
    the test rows are to all. Each has a row at least, where there are two.
    """
    return max(1, min(rows - 1, round(rows * (1 - holdout))))
