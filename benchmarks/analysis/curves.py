"""What raw outcomes tell beyond a score: calibration, gain, and what a decision is worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.analysis.summary import Row
from benchmarks.analysis.tenths import TENTHS, tenths
from benchmarks.records.records import Record

SHARES = np.linspace(0, 1, 51)
THRESHOLDS = np.linspace(0, 1, 201)
TRUTH = "true probabilities"
Load = Callable[[Record], Mapping[str, np.ndarray] | None]


@dataclass(frozen=True)
class Curve:
    """One model's curves on two classes, the means over its seeds."""

    label: str
    calibration: Sequence[tuple[float, float, float]]
    """(mean prediction, share that was positive, share of rows) of tenths of the rows, from the
    least to the most sure; rows with the same prediction are in the same one"""
    gain: np.ndarray
    """(51,) share of all positives among the first 0 %, 2 %, … of rows, best first"""
    sent: np.ndarray
    """(201,) share of rows with a prediction of at least 0, 0.005, …"""
    positives: np.ndarray
    """(201,) rows among these that were positive, as a share of all rows"""


def curve(row: Row, load: Load) -> Curve | None:
    """None where there are not two classes, or the outcomes are gone."""
    return _curve(row.label, row, load, lambda arrays: arrays["predictions"][:, 1])


def truth(row: Row, load: Load) -> Curve | None:
    """The same for the true probabilities, on the rows that `row` was tested on; None where nobody
    knows them."""

    def known(arrays: Mapping[str, np.ndarray]) -> np.ndarray | None:
        return arrays["truth"][:, 1] if "truth" in arrays else None

    return _curve(TRUTH, row, load, known)


def _curve(label: str, row: Row, load: Load, scores_of: Callable[[Any], Any]) -> Curve | None:
    seeds = []
    for record in row.done:
        arrays = load(record) if record["kind"] == "binary" else None
        scores = None if arrays is None else scores_of(arrays)
        if arrays is None or scores is None or not np.isfinite(scores).all():
            continue
        seeds.append(_of_seed(scores.astype(np.float64), arrays["labels"] == 1))
    if not seeds:
        return None
    bins, *others = zip(*seeds, strict=True)
    gains, sent, positives = (np.mean(part, axis=0) for part in others)
    return Curve(label, _over_seeds(bins), gains, sent, positives)


def _of_seed(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, ...]:
    n = len(scores)
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], positive[order]
    # Rows with the same score have no order: each counts as their mean.
    _, start, count = np.unique(-ranked, return_index=True, return_counts=True)
    reached = np.concatenate([[0], np.cumsum(np.add.reduceat(hits, start, dtype=np.float64))])
    rows = np.concatenate([[0], np.cumsum(count)])
    gain = np.interp(SHARES * n, rows, reached) / max(1, hits.sum())
    at_least = np.searchsorted(-ranked, -THRESHOLDS, side="right")
    cumulated = np.concatenate([[0], np.cumsum(hits)])
    tenth = tenths(ranked)
    parts = [tenth == k for k in range(TENTHS)]
    bins = [
        (ranked[part].mean(), hits[part].mean(), part.mean()) if part.any() else (0.0, 0.0, 0.0)
        for part in parts
    ]
    return np.array(bins), gain, at_least / n, cumulated[at_least] / n


def confidence(row: Row, load: Load) -> Sequence[tuple[float, float, float]]:
    """For several classes: (mean probability of the class that was predicted, share that was right,
    share of rows) of tenths of the rows; empty where the outcomes are gone."""
    seeds = []
    for record in row.done:
        arrays = load(record) if record["kind"] == "multiclass" else None
        if arrays is None or not np.isfinite(arrays["predictions"]).all():
            continue
        sure = arrays["predictions"].max(axis=1).astype(np.float64)
        right = arrays["predictions"].argmax(axis=1) == arrays["labels"]
        seeds.append(_of_seed(sure, right)[0])
    return _over_seeds(seeds) if seeds else []


def _over_seeds(bins: Sequence[np.ndarray]) -> list[tuple[float, float, float]]:
    """The tenths of all seeds' rows, without those that no seed has rows in."""
    by_seed = np.array(bins)  # (seeds, 10, 3)
    rows = by_seed[:, :, 2]
    there = rows.sum(axis=0) > 0
    sums = (by_seed[:, :, :2] * rows[:, :, None]).sum(axis=0)[there]
    means = sums / rows.sum(axis=0)[there, None]
    return [(p, o, n) for (p, o), n in zip(means, rows.mean(axis=0)[there], strict=True)]
