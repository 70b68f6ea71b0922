"""Thousands of convolutions by chance and one line on top: the deep era's honest baseline.

You do: hand over the signal; say how many features it may make, and design none.
It does: asks of many small patterns, stretched by many lengths, how often each occurs.
Pays in: memory for thousands of columns; it learns none of its patterns, so it is soon done.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Lt
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from models.parts.signals import check_shape

LENGTH = 9  # of a pattern, as in MiniRocket (Dempster, Schmidt, Webb 2021, arXiv 2012.08791)
ROWS = 32  # signals that are looked at together, so that they stay in the cache
PRICES = (1e-5, 1e-4, 1e-3, 1e-2)  # C of the line; the best on the held-out rows is taken


@dataclass
class Rocket:
    stretches: Annotated[int, Ge(1)] = 24  # lengths that a pattern is stretched to, at most
    thresholds: Annotated[int, Ge(1)] = 3  # heights above which a pattern counts as there
    holdout: Annotated[float, Gt(0), Lt(1)] = 0.2  # share of rows, the last ones, that choose C
    view: str = "signal"  # which view of the task it reads
    # Supplied by the runner.
    random_state: int = 0
    n_jobs: int = 1

    era: ClassVar[str] = "convolutions"
    year: ClassVar[int] = 2019  # Dempster, Petitjean, Webb, ROCKET, arXiv 1910.13051

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Rocket":
        """X: (n, channels, samples), NaN where nothing was recorded; y: (n,) class names as str
        objects, or floats for regression."""
        self.patterns_ = Patterns(self, X)
        self.prepare_ = StandardScaler().fit(made := self.patterns_(X, self.n_jobs))
        Z = self.prepare_.transform(made)
        if y.dtype.kind == "f":
            self.offset_, self.scale_ = y.mean(), y.std() or 1.0
            # Its price is the best where each row is left out once.
            self.model_ = RidgeCV(np.logspace(0, 5, 11)).fit(Z, (y - self.offset_) / self.scale_)
            self.notes_: dict[str, Any] = {"alpha": float(self.model_.alpha_)}
        else:
            C = best_price(Z, y, max(1, min(len(y) - 1, round(len(y) * (1 - self.holdout)))))
            self.model_ = line(C).fit(Z, y)
            self.classes_ = self.model_.classes_
            self.notes_ = {"C": C}
        self.n_parameters_ = int(np.size(self.model_.coef_) + np.size(self.model_.intercept_))
        return self

    def inputs(self, X: np.ndarray) -> np.ndarray:
        """Rows as the line takes them: (n, features)."""
        return self.prepare_.transform(self.patterns_(X, self.n_jobs))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """-> (n, n_classes), columns as in `classes_`."""
        return self.model_.predict_proba(self.inputs(X).astype(np.float64))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """-> (n,), regression only."""
        return self.model_.predict(self.inputs(X)) * self.scale_ + self.offset_


class Patterns:
    """Signals -> features; learns from train rows which heights of a pattern are usual.

    All 84 patterns of nine weights, six of -1 and three of 2, at several dilations; for each the
    shares of places at which it exceeds quantiles of what one train row gives. (Their largest
    values beside that, as in ROCKET, cost .01 ROC AUC on `heartbeat`.) A pattern looks at one
    channel, or a sum of some, by chance.
    """

    def __init__(self, settings: Rocket, X: np.ndarray) -> None:
        random = np.random.default_rng(settings.random_state)
        self.shape = X.shape[1:]
        channels, samples = self.shape
        longest = max(1.0, (samples - 1) / (LENGTH - 1))
        steps = np.geomspace(1, longest, settings.stretches).astype(int)
        patterns = np.full((84, LENGTH), -1, np.float32)
        patterns[np.arange(84)[:, None], list(combinations(range(LENGTH), 3))] = 2
        sample, _ = scaled(X[random.choice(len(X), min(len(X), 84), replace=False)])
        every = np.arange(84)
        self.known: list[tuple[int, np.ndarray, np.ndarray]] = []  # dilation, weights, heights
        # Short ones come several times, and get as many heights more.
        for dilation, times in zip(*np.unique(steps, return_counts=True), strict=True):
            heard = random.random((84, channels)) < 2 / (channels + 1)
            heard[every, random.integers(channels, size=84)] = True
            weights = (heard[:, :, None] * patterns[:, None]).reshape(84, -1)
            values = convolved(sample, weights, int(dilation))  # (rows, patterns, samples)
            of_one = values[random.integers(len(sample), size=84), every]
            levels = (random.random((times * settings.thresholds, 84)) * samples).astype(int)
            heights = np.sort(of_one, axis=1)[every, levels]  # (thresholds, patterns)
            self.known.append((int(dilation), weights, heights[:, :, None]))

    def __call__(self, X: np.ndarray, threads: int) -> np.ndarray:
        """-> (n, features) float32"""
        check_shape(X, self.shape)
        with ThreadPoolExecutor(threads) as pool:
            parts = (X[first : first + ROWS] for first in range(0, len(X), ROWS))
            return np.concatenate(list(pool.map(self.features, parts)))

    def features(self, X: np.ndarray) -> np.ndarray:  # -> (n, features) float32
        signals, found = scaled(X)
        for dilation, weights, heights in self.known:
            values = convolved(signals, weights, dilation)
            found += [(values > height).mean(axis=2, dtype=np.float32) for height in heights]
        return np.concatenate(found, axis=1, dtype=np.float32)


def scaled(X: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Each channel of each signal about 0 with a spread of 1, gaps as zeros, (n, channels,
    samples) float32; and what that took away, (n, channels) each: mean, spread, share of gaps."""
    there = np.isfinite(X)
    count = there.sum(axis=2, keepdims=True).clip(1)
    mean = np.where(there, X, 0).sum(axis=2, keepdims=True, dtype=float) / count
    away = np.where(there, X, mean) - mean
    spread = np.sqrt((away**2).sum(axis=2, keepdims=True) / count)
    signals = (away / np.where(spread > 0, spread, 1)).astype(np.float32)
    return signals, [mean[:, :, 0], spread[:, :, 0], 1 - there.mean(axis=2)]


def convolved(signals: np.ndarray, weights: np.ndarray, dilation: int) -> np.ndarray:
    """(n, channels, samples) -> (n, patterns, samples); beyond the ends there are zeros."""
    n, channels, samples = signals.shape
    reach = dilation * (LENGTH // 2)
    wide = np.pad(signals, ((0, 0), (0, 0), (reach, reach)))
    places = [wide[:, :, k * dilation : k * dilation + samples] for k in range(LENGTH)]
    return weights @ np.stack(places, axis=2).reshape(n, channels * LENGTH, samples)


def best_price(Z: np.ndarray, y: np.ndarray, head: int) -> float:
    """The C whose line, learned from the head, says most of the tail; the middle one where either
    lacks what it would take."""
    known = np.unique(y[:head])
    seen = np.isin(y[head:], known)
    if len(known) < 2 or not seen.any():
        return PRICES[len(PRICES) // 2]

    def loss(C: float) -> float:
        learned = line(C).fit(Z[:head], y[:head])
        return log_loss(y[head:][seen], learned.predict_proba(Z[head:][seen]), labels=known)

    return min(PRICES, key=loss)


def line(C: float) -> LogisticRegression:
    return LogisticRegression(C=C, max_iter=300, tol=0.01)  # closer changes no answer
