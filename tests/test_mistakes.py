"""Where a model is wrong: known answers."""

import numpy as np
import pytest

from benchmarks.analysis.curves import THRESHOLDS
from benchmarks.analysis.mistakes import confusion, found, residuals
from benchmarks.analysis.summary import Row
from benchmarks.show.wrong_pictures import confused, off, thresholds


def row_of(record, kind: str = "binary", seeds: int = 1) -> Row:
    return Row("a", [record("a", seed, kind=kind) for seed in range(seeds)])


def test_what_is_taken_for_what(record) -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    taken = np.array([0, 0, 0, 1, 1, 1, 0, 0])
    arrays = {
        "predictions": np.eye(3)[taken],
        "labels": labels,
        "classes": np.array(["cat", "dog", "eel"]),
    }
    made = confusion(row_of(record, "multiclass", seeds=2), lambda _: arrays)
    assert made is not None
    assert made.counts.tolist() == [[6, 2, 0], [0, 4, 0], [4, 0, 0]], "both seeds"
    assert made.worst() == ("eel", "cat", 1.0)
    picture = confused(made, "a", "x")
    assert picture.title == "a takes 100 % of 'eel' for 'cat'"
    assert len(picture.data) == 9
    perfect = arrays | {"predictions": np.eye(3)[labels]}
    right = confusion(row_of(record, "multiclass"), lambda _: perfect)
    assert right is not None
    assert right.worst() is None
    assert confused(right, "a", "x").title == "a mistakes nothing"


def test_what_a_threshold_finds(record) -> None:
    p = np.array([0.1, 0.4, 0.6, 0.9])
    labels = np.array([0, 1, 0, 1])
    arrays = {
        "predictions": np.column_stack([1 - p, p]),
        "labels": labels,
        "classes": np.array(["no", "yes"]),
    }
    made = found(row_of(record), lambda _: arrays)
    assert made is not None
    at = {t: int(np.searchsorted(THRESHOLDS, t)) for t in (0.0, 0.5, 0.95)}
    assert (made.precision[at[0.0]], made.recall[at[0.0]]) == (0.5, 1.0)
    assert (made.precision[at[0.5]], made.recall[at[0.5]]) == (0.5, 0.5)
    assert np.isnan(made.precision[at[0.95]]), "nothing is chosen"
    assert made.recall[at[0.95]] == 0
    picture = thresholds({"a": made}, ["a"], "yes", "x")
    assert picture is not None
    start = "From a probability of a half on, a finds 50 %, and 50 % of what it chooses is right"
    assert picture.title == start
    assert not [d for d in picture.data if d["share"] != d["share"]], "no gap is drawn"


def test_how_far_off_values_are(record) -> None:
    predicted = np.arange(1000.0)
    arrays = {"predictions": predicted, "labels": predicted + np.linspace(-1, 1, 1000)}
    made = residuals(row_of(record, "regression"), lambda _: arrays)
    assert made is not None
    assert len(made.predicted) == 600
    assert made.spread == pytest.approx((-0.9, 0.9), abs=0.01)
    assert off(made, "a", "x").title == "Nine of ten predictions of a are off by −0.9 to 0.9"


@pytest.mark.parametrize("ask", [confusion, found, residuals])
def test_nothing_is_said_where_outcomes_are_gone_or_of_another_kind(record, ask) -> None:
    assert ask(row_of(record), lambda _: None) is None
    assert ask(row_of(record, "answers"), lambda _: {"predictions": [], "labels": []}) is None
