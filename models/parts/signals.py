"""Recordings as tensors: the reader of all networks that take a trace as it is."""

import numpy as np
import torch
from torch import Tensor


class Scaler:
    """Signals -> tensors; learns each channel's mean and spread from the train rows."""

    def __init__(self, X: np.ndarray) -> None:
        """X: (n, channels, samples), NaN (or infinite) where nothing was recorded."""
        self.shape = X.shape[1:]
        there = np.isfinite(X)
        count = there.sum(axis=(0, 2)).clip(1)[:, None]
        self.mean = np.where(there, X, 0).sum(axis=(0, 2), dtype=float)[:, None] / count
        away = np.where(there, X, self.mean) - self.mean
        spread = np.sqrt((away**2).sum(axis=(0, 2))[:, None] / count)
        self.spread = np.where(spread > 0, spread, 1.0)
        self.has_gaps = not there.all()
        self.channels = self.shape[0] * (2 if self.has_gaps else 1)  # of the tensors

    def __call__(self, X: np.ndarray, device: str) -> Tensor:
        """-> (n, channels, samples) float32, gaps as zeros; where train rows had gaps, as many
        channels more that mark them. Raises ValueError for signals of another shape."""
        check_shape(X, self.shape)
        scaled, missing = (X - self.mean) / self.spread, ~np.isfinite(X)
        parts = [np.where(missing, 0, scaled), *([missing] if self.has_gaps else [])]
        return torch.from_numpy(np.concatenate(parts, axis=1).astype(np.float32)).to(device)


def check_shape(X: np.ndarray, shape: tuple[int, ...]) -> None:
    if X.shape[1:] != shape:
        raise ValueError(
            f"the model learned from signals of the shape {shape} and is asked about "
            f"{X.shape[1:]}: (channels, samples) have to be the same"
        )


def altered(signals: Tensor, share: float, loudness: float) -> Tensor:
    """A part of each, of this share of its length, a little louder or softer: a row is never seen
    the same way twice. (b, channels, samples) -> (b, channels, share × samples)"""
    samples = signals.shape[2]
    length = max(1, round(share * samples))
    first = int(torch.randint(samples - length + 1, ()))
    factor = (loudness * torch.randn(len(signals), 1, 1)).exp().to(signals.device)
    return signals[:, :, first : first + length] * factor
