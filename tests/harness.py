"""Tasks and models for tests of the harness: tiny, and badly behaved where that is the point."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Gt, Le

from tasks.base import Data, UnknownView


@dataclass
class Coin:
    """Rows with one number, whose true probability is known."""

    rows: Annotated[int, Gt(3), Le(10_000)] = 60
    slope: Annotated[float, Gt(0)] = 2.0
    regression: bool = False

    def load(self, seed: int) -> Data:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(self.rows, 1))
        n_test = self.rows // 3
        if self.regression:
            y = self.slope * x[:, 0] + rng.normal(size=self.rows)
            return Data(x, y[n_test:], y[:n_test], truth=self.slope * x[:n_test, 0])
        p = 1 / (1 + np.exp(-self.slope * x[:, 0]))
        y = np.where(rng.random(self.rows) < p, "head", "tail").astype(object)
        truth = np.column_stack([1 - p, p])[:n_test]
        return Data(x, y[n_test:], y[:n_test], ("tail", "head"), truth)

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        if name != "features":
            raise UnknownView("coin", name, ("features",))
        n_test = len(data.test_labels)
        return data.raw[n_test:], data.raw[:n_test]


@dataclass
class Steep:
    """Says that more is more; `mode` makes it misbehave in fit."""

    era: ClassVar[str] = "tests"
    year: ClassVar[int] = 2026
    warm_up: ClassVar[dict[str, str]] = {"mode": "good"}

    factor: Annotated[float, Gt(0)] = 1.0
    mode: str = "good"
    random_state: int = 0
    n_jobs: int = 1
    checkpoints: str | None = None

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Steep":
        if self.mode == "raise":
            print("a word before the end")
            raise RuntimeError("planted [red]failure[/]")
        if self.mode == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mode == "exit":
            os._exit(3)
        if self.mode == "memory":
            raise MemoryError("planted")
        if self.mode == "memory of a child":
            import subprocess
            import sys

            held = "held = bytearray(150 * 2**20); import time; time.sleep(0.6)"
            subprocess.run([sys.executable, "-c", held], check=True)
        if self.mode == "slow":
            time.sleep(0.4)
        if self.mode == "hang":
            while True:
                time.sleep(60)
        if self.mode == "hang with a child":
            import subprocess

            assert self.checkpoints
            child = subprocess.Popen(["sleep", "3600"])
            (Path(self.checkpoints) / "child.pid").write_text(str(child.pid))
            time.sleep(3600)
        self.classes_ = np.array(["head", "tail"])
        self.notes_ = {"random_state": self.random_state, "n_jobs": self.n_jobs}
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        first = np.asarray(X, dtype=float)[:, 0]
        p = 1 / (1 + np.exp(-self.factor * first))
        if self.mode == "not a number":
            p[0] = np.nan
        return np.column_stack([p, 1 - p])

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.factor * X[:, 0]


@dataclass
class Reader:
    """Wants a view that nobody offers."""

    view: ClassVar[str] = "songs"
    factor: float = 1.0


@dataclass
class Leaky:
    """Rows in order of time: a number, the outcome before, and perhaps a row's own outcome."""

    rows: Annotated[int, Gt(9)] = 600
    leak: bool = True

    def load(self, seed: int) -> Data:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=self.rows)
        return self._data(x, (rng.random(self.rows) < 1 / (1 + np.exp(-x))).astype(int))

    def _data(self, x: np.ndarray, labels: np.ndarray) -> Data:
        split = len(x) * 2 // 3
        return Data((x, labels), labels[:split], labels[split:], ("tail", "head"))

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        if name != "features":
            raise UnknownView("leaky", name, ("features",))
        x, labels = data.raw
        heads = labels.astype(float)
        columns = {"number": x, "last": np.concatenate([[0.0], heads[:-1]])}
        if self.leak:
            columns = {"own": heads + 1e-9 * x, **columns}
        rows, split = pd.DataFrame(columns), len(data.train_labels)
        return rows.iloc[:split], rows.iloc[split:].reset_index(drop=True)

    def relabel(self, data: Data, labels: np.ndarray) -> Data:
        return self._data(data.raw[0], labels)

    def rewrite(self, data: Data, n: int, seed: int) -> Data:
        x, labels = (values.copy() for values in data.raw)
        x[n:] = -x[n:]
        labels[n - 1 :] = 1 - labels[n - 1 :]
        stays = n + (len(x) - n + 1) // 2
        return self._data(x[:stays], labels[:stays])


class Speechless(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@dataclass
class Odd(Steep):
    """Says of itself what no JSON and no terminal takes."""

    mode: str = "good"

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Odd":
        print("é\ud800")
        if self.mode == "half":
            raise ValueError("a\ud800\x1b[31mb")
        if self.mode == "speechless":
            raise Speechless
        super().fit(X, y)
        self.notes_ = {"nan": np.nan, 1: b"\xff", "steers": "\x1b[2J", "huge": 10**5000}
        self.history_ = {"loss": [np.inf, np.nan, 1.0]}
        self.n_parameters_ = np.inf
        return self


class OutOfMemoryError(RuntimeError):
    """As torch calls its own, of a device that is full."""


class AcceleratorError(RuntimeError):
    """As torch calls its own, of all else that goes wrong on a device."""


@dataclass
class Chooser(Steep):
    """Reads whatever view it is told to, and says what it was given."""

    factor: Annotated[float, Gt(0)] = 1.0
    mode: str = "good"
    view: str = "songs|features"

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Chooser":
        if self.mode == "device memory":
            raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\n Of all")
        if self.mode == "device lost":
            raise AcceleratorError("CUDA error: GPU is lost\nCUDA kernel errors might be reported")
        if self.mode == "no room for a context":
            raise AcceleratorError("CUDA error: out of memory\nSearch for `cudaErrorMemory…'")
        super().fit(X, y)
        return self
