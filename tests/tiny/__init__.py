"""Tiny tasks and models, one for each seam of the kit: see tests/test_seams.py."""

import json
import os
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from tasks.base import Data, Metric
from tasks.influences import averaged


def spread(predictions: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """How far apart the probabilities stand, whatever the labels are."""
    return averaged(np.abs(predictions[:, 1] - 0.5))


SPREAD = Metric("spread", "spread", "mean distance from a half", True, 0.001, influence=spread)
HITS = Metric(
    "hits",
    "hits",
    "number of rows that are right",
    True,
    1.0,
    value=lambda predictions, labels: float((predictions.argmax(axis=1) == labels).sum()),
)


def words(rng: np.random.Generator, rows: int) -> tuple[list[str], np.ndarray]:
    """Texts whose first word says the class, in nine of ten rows."""
    labels = rng.integers(0, 2, rows)
    said = np.where(rng.random(rows) < 0.9, labels, 1 - labels)
    return [f"{'good' if k else 'bad'} day {rng.integers(9)}" for k in said], labels


@dataclass
class Rare:
    """A number, and few positives; what counts is what its metrics say."""

    rows: int = 900
    judged_by: Literal["average_precision", "own", "hits", "unknown", "score", "odd score"] = (
        "average_precision"
    )

    def load(self, seed: int) -> Data:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(self.rows, 1))
        labels = (rng.random(self.rows) < 1 / (1 + np.exp(3 - 2 * x[:, 0]))).astype(int)
        n = self.rows // 3
        return Data(x, labels[n:], labels[:n], ("tail", "head"))

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        n = len(data.test_labels)
        return data.raw[n:], data.raw[:n]

    def notices(self, data: Data) -> list[str]:
        return [f"{len(data.test_labels)} rows are tested", f"{data.test_labels.sum()} are heads"]

    def metrics(self, data: Data) -> list[str | Metric]:
        named: dict[str, list[str | Metric]] = {
            "average_precision": ["average_precision", "brier"],
            "own": [SPREAD, "roc_auc"],
            "hits": [HITS],
            "unknown": ["smell"],
        }
        return named.get(self.judged_by, [])

    @property
    def score(self) -> Any:
        if "score" not in self.judged_by:
            return None
        name = "smell" if self.judged_by == "odd score" else "average_precision"
        from sklearn.metrics import average_precision_score

        return lambda data, p: {name: average_precision_score(data.test_labels == 1, p[:, 1])}


@dataclass
class Sentences:
    """Texts, as a list or an array, from a view of its own file; or broken in some way."""

    rows: int = 300
    form: Literal["list", "array", "object", "short", "no length", "one part"] = "list"
    expensive: ClassVar[tuple[str, ...]] = ("text",)

    def load(self, seed: int) -> Data:
        texts, labels = words(np.random.default_rng(seed), self.rows)
        n = self.rows // 3
        return Data(texts, labels[n:], labels[:n], ("bad", "good"))


@dataclass
class Slips:
    """Read the total out of a text: an answer, not a class."""

    rows: int = 90

    def load(self, seed: int) -> Data:
        rng = np.random.default_rng(seed)
        totals = rng.integers(100, 999, self.rows) / 100
        texts = [f"tea 1.00\nTotal {total:.2f}" for total in totals]
        answers = [{"total": f"{total:.2f}"} for total in totals]
        n = self.rows // 3
        return Data(texts, answers[n:], answers[:n])

    def view(self, data: Data, name: str) -> tuple[Any, Any]:
        n = len(data.test_labels)
        return data.raw[n:], data.raw[:n]


@dataclass
class Riser:
    """Says that more is more."""

    factor: float = 1.0
    whole_test: bool = True
    era: ClassVar[str] = "tests"
    year: ClassVar[int] = 2026

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Riser":
        self.classes_ = np.array(["tail", "head"])
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(2 - self.factor * X[:, 0]))
        return np.column_stack([1 - p, p])


@dataclass
class FirstWord:
    """The class that the first word stood with most often."""

    view: ClassVar[str] = "text"
    era: ClassVar[str] = "tests"
    year: ClassVar[int] = 2026
    smoothing: float = 1.0

    def fit(self, X: Any, y: np.ndarray) -> "FirstWord":
        self.classes_ = np.unique(y)
        seen = Counter((X[k].split()[0], y[k]) for k in range(len(y)))
        self.seen_ = seen
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        counts = np.array(
            [[self.seen_[X[k].split()[0], name] for name in self.classes_] for k in range(len(X))]
        )
        counts = counts + self.smoothing
        return counts / counts.sum(axis=1, keepdims=True)


@dataclass
class LastNumber:
    """The last number of a text is its total; or an answer of the wrong form."""

    answers: ClassVar[tuple[str, ...]] = ("answers",)
    era: ClassVar[str] = "tests"
    year: ClassVar[int] = 2026
    form: Literal["right", "object", "few"] = "right"
    whole_test: bool = True

    def fit(self, X: list[str], y: list[Any]) -> "LastNumber":
        self.tokens_ = {"read": sum(len(text.split()) for text in X)}
        return self

    def answer(self, X: list[str]) -> list[Any]:
        found: list[Any] = [{"total": text.split()[-1]} for text in X]
        if self.form == "object":
            found[0] = object()
        return found[:-1] if self.form == "few" and len(found) > 1 else found


@dataclass
class Steps:
    """Counts steps, keeps how far it is, and may be killed on the way."""

    steps: int = 6
    die_at: int | None = None
    artifact_bytes: int = 0
    checkpoints: str | None = None
    artifacts: str | None = None
    era: ClassVar[str] = "tests"
    year: ClassVar[int] = 2026
    warm_up: ClassVar[None] = None

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Steps":
        assert self.checkpoints
        assert self.artifacts
        kept = Path(self.checkpoints) / "state.json"
        state = json.loads(kept.read_text()) if kept.exists() else {"step": 0, "sum": 0.0}
        self.notes_ = {"began_at": state["step"]}
        losses = []
        for step in range(state["step"], self.steps):
            if step == self.die_at and not state.get("died"):
                kept.write_text(json.dumps(state | {"died": True}))
                os.kill(os.getpid(), signal.SIGKILL)
            state |= {"step": step + 1, "sum": state["sum"] + float(X[step, 0])}
            losses.append(1 / (step + 1))
            kept.write_text(json.dumps(state))
        self.sum_ = state["sum"]
        self.history_ = {"loss": losses}
        if self.artifact_bytes:
            (Path(self.artifacts) / "weights.bin").write_bytes(bytes(self.artifact_bytes))
        (Path(self.artifacts) / "note.txt").write_text("small")
        self.classes_ = np.array(["tail", "head"])
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-self.sum_ * X[:, 0]))
        return np.column_stack([1 - p, p])
