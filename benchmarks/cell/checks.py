"""What is suspicious about a cell, each kind with a code. docs/checks.md has a section on each.

Checks look at what the cell did anyway, and at predictions for a few hundred rows. They never
change a result: what fires stands in the record and as a mark in the table.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from benchmarks.analysis.tenths import TENTHS, tenths
from benchmarks.cell.scores import linear
from tasks.base import Data, floor_answers
from tasks.metrics import OF_KIND, STANDARD, Metric

ROWS = 1500  # that are predicted once more: a third test rows, to see whether their order matters
TRAIN_AHEAD = 0.1  # of ROC AUC or R2, or of the share of answers that match
CALIBRATION = 0.05  # mean distance of predicted and true shares, above what chance makes of it
# Change of a prediction in other company, in units of the outcome's standard deviation; float32
# alone made 1e-3 (SVM, C=100).
ORDER = 5e-3
OTHERS = 0.1  # CPU seconds of other processes, per second of a phase, and at least so many
SLOWDOWN = 1.5  # times the seconds of the fastest calibration
MEMORY = 0.9  # of all memory
EDGE = 0.02  # of the range of a space


@dataclass(frozen=True)
class Evidence:
    """What checks look at once a cell has its answers."""

    data: Data
    predictions: Any
    """The answers to all test rows, as stored."""
    metric: Metric
    """The main one."""
    again: Callable[[np.ndarray], Any]
    """Predict the test rows at these positions, in this order."""
    on_train: Callable[[np.ndarray], tuple[Any, Any]]
    """(predictions, labels) of the train rows at these positions."""
    warnings: Iterable[str]
    """Kinds of the warnings that came while fitting."""
    unfinished: str | None
    """What a model says of a search for the right moment to stop that reached its limit."""
    phases: Mapping[str, Mapping[str, float]]
    slowdown: float
    """How many times as long as usual a fixed piece of work took before and after the cell."""
    tuning: Mapping[str, Any] | None
    space: Mapping[str, Mapping[str, Any]]
    suspicions: Iterable[str]
    """What the task says of its own data."""
    budget: int = ROWS
    """Rows that checks may ask the model for, in all."""

    @property
    def codes(self) -> Any:
        """Labels of the test rows."""
        return self.data.test_labels


def fired(cell: Evidence, off: Iterable[str] = ()) -> list[dict[str, str]]:
    """`code` and `text` of each check that fires; `off`: codes that are not looked at."""
    left_out = set(off)
    return [
        {"code": code, "text": text}
        for code, check in CHECKS.items()
        if code not in left_out and (text := check(cell)) is not None
    ]


def converged(cell: Evidence) -> str | None:
    names = sorted({name for name in cell.warnings if "Convergence" in name})
    return f"{', '.join(names)} while fitting" if names else None


def better_than_floor(cell: Evidence) -> str | None:
    metric, floor = cell.metric, floor_answers(cell.data)
    if metric.influence is None or is_floor(cell.predictions, floor, unit(cell.data)):
        return None  # nothing tells how the metric varies; or it is the floor itself
    floor = floor if isinstance(floor, list) else floor.astype(cell.predictions.dtype)
    mine, of_floor = (linear(metric, p, cell.data) for p in (cell.predictions, floor))
    gain = mine.minus(of_floor)
    half = 1.96 * math.sqrt(gain.variance())
    if metric.sign * gain.value > half:
        return None
    return f"{metric.label} {mine.value:.3f}, the floor {of_floor.value:.3f} ±{half:.3f}"


def unit(data: Data) -> float:
    """What a difference of predictions is measured by: 1 for probabilities; for values the standard
    deviation of the outcome, as its unit and its zero are anybody's choice."""
    return float(np.std(data.train_labels)) or 1.0 if data.answer == "values" else 1.0


def is_floor(predictions: Any, floor: Any, unit: float) -> bool:
    """Is nothing told of any row, but for what numbers of this type cannot hold?"""
    if isinstance(floor, list):
        return bool(predictions == floor)
    rounding = 2 * float(np.finfo(predictions.dtype).eps)
    return np.allclose(predictions, floor, rtol=rounding, atol=1e-6 * unit)


def alike_on_train(cell: Evidence) -> str | None:
    metric = STANDARD[OF_KIND[cell.data.kind][0]]
    n = len(cell.data.train_labels)
    most = min(n, cell.budget - cell.budget // 3)
    rows = np.unique(np.linspace(0, n - 1, most).astype(int))
    if not len(rows):
        return None
    predictions, codes = cell.on_train(rows)
    if cell.data.classes and len(np.unique(codes)) < len(cell.data.classes):
        return None
    on_train, on_test = metric.of(predictions, codes), metric.of(cell.predictions, cell.codes)
    if on_train - on_test <= TRAIN_AHEAD:
        return None
    return f"{metric.label} {on_train:.3f} on train rows, {on_test:.3f} on test rows"


def calibrated(cell: Evidence) -> str | None:
    """Ten groups of about equally many rows by predicted probability: how far is it from the share?
    Rows with the same one stand in the same group, whatever their order."""
    if not cell.data.classes:
        return None
    p, codes = cell.predictions.astype(np.float64), cell.codes
    if cell.data.kind == "binary":
        said, came = p[:, 1], codes == 1
    else:  # of the class that is predicted
        said, came = p.max(axis=1), p.argmax(axis=1) == codes
    tenth = tenths(said)
    n = np.bincount(tenth, minlength=TENTHS)
    there, weight = n > 0, n / n.sum()

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(tenth, values, minlength=TENTHS)[there] / n[there]

    apart = np.abs(mean(said) - mean(came))
    # A share of n rows is off by about sqrt(p (1 - p) / n) even if the probability is right.
    chance = np.sqrt(mean(said * (1 - said)) / n[there])
    error = float(weight[there] @ apart)
    if error - float(weight[there] @ chance) <= CALIBRATION:
        return None
    return f"predicted and true shares are {error:.3f} apart on average"


def possible(predictions: np.ndarray, classes: tuple[str, ...]) -> str | None:
    """What no metric should be computed from; such a cell fails."""
    if not np.isfinite(predictions).all():
        return f"{(~np.isfinite(predictions)).sum()} predictions are NaN or infinite"
    if classes and (predictions.min() < 0 or abs(predictions.sum(axis=1) - 1).max() > 1e-3):
        return "predicted probabilities are negative or do not sum to 1"
    return None


def ordered(cell: Evidence) -> str | None:
    rows = np.random.default_rng(0).permutation(len(cell.codes))[: cell.budget // 3]
    if not len(rows):
        return None
    again = cell.again(rows)
    if isinstance(again, list):
        moved = sum(a != cell.predictions[k] for a, k in zip(again, rows.tolist(), strict=True))
        return f"{moved} of {len(rows)} answers change when rows are shuffled" if moved else None
    change = np.abs(again.astype(np.float64) - cell.predictions[rows])
    if change.max() <= ORDER * unit(cell.data):
        return None
    return f"a prediction moves by {change.max():.2g} when rows are shuffled"


def finished(cell: Evidence) -> str | None:
    return cell.unfinished


def undisturbed(cell: Evidence) -> str | None:
    for name in ("fit", "predict"):
        phase = cell.phases.get(name, {})
        others, wall = phase.get("others", 0.0), phase.get("wall", 0.0)
        if others > max(OTHERS, OTHERS * wall):
            return f"other processes used {others:.2f} CPU seconds in the {wall:.2f} s of {name}"
    if cell.slowdown > SLOWDOWN:
        return f"the machine was {cell.slowdown:.1f} times slower than usual"
    return None


def within_memory(cell: Evidence) -> str | None:
    most = max((phase.get("peak", 0.0) for phase in cell.phases.values()), default=0.0)
    total = psutil.virtual_memory().total
    if most <= MEMORY * total:
        return None
    return f"{most / 2**30:.1f} of {total / 2**30:.1f} GB"


def inside_its_space(cell: Evidence) -> str | None:
    at_edge = []
    for name, value in (cell.tuning or {}).get("chosen", {}).items():
        entry = cell.space.get(name, {})
        if "low" not in entry:
            continue
        scale = math.log if entry.get("log") else float
        low, high, place = scale(entry["low"]), scale(entry["high"]), scale(value)
        if min(place - low, high - place) < EDGE * (high - low):
            at_edge.append(f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}")
    return ", ".join(at_edge) or None


def unsuspected(cell: Evidence) -> str | None:
    return "; ".join(cell.suspicions) or None


CHECKS: Mapping[str, Callable[[Evidence], str | None]] = {
    "ME01": converged,
    "ME02": better_than_floor,
    "ME03": alike_on_train,
    "ME04": calibrated,
    "ME06": ordered,
    "ME07": finished,
    "ME08": undisturbed,
    "ME09": within_memory,
    "ME10": inside_its_space,
    "ME11": unsuspected,
}
