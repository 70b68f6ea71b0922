"""Tuning: its budget, what it may look at, and that it goes on where it was interrupted."""

import json

import numpy as np
import pytest

from benchmarks.cell import cell, tune, views
from benchmarks.errors import BadInput
from benchmarks.plan.settings import check_space
from tasks.metrics import STANDARD
from tests.harness import Coin

SPACE = {"factor": {"low": 0.1, "high": 10.0, "log": True}}
FEW = ("tune=trials", "tune.trials=4")


def score(values) -> float:
    """Best at a factor of 3."""
    return -abs(values.get("factor", 1.0) - 3)


def test_default_and_tuned_stand_side_by_side_and_the_record_holds_every_trial(eras, records):
    done = eras(*FEW, "model=steep,baseline", "seed=0,1")
    assert done.returncode == 0
    assert "6 cells to run" in done.stdout
    assert "nothing to tune, run once: baseline" in done.stdout
    assert " steep tuned ×4 " in done.stdout
    assert "tune s" in done.stdout
    found = [r["tuning"] for r in records() if "tune" in r["config"]]
    assert len(found) == 2
    for tuning in found:
        assert tuning["budget"] == {"trials": 4}
        assert tuning["used"]["trials"] == len(tuning["trials"]) == 4
        assert tuning["used"]["seconds"] == pytest.approx(
            sum(t["seconds"] for t in tuning["trials"])
        )
        assert tuning["trials"][0]["values"] == {}, "the model as it stands comes first"
        best = max(tuning["trials"], key=lambda t: t["score"])
        assert tuning["chosen"] == best["values"]
        assert tuning["rows"] == {"fitted": 32, "scored": 8}
    assert all(r["tuning"] is None for r in records() if "tune" not in r["config"])
    assert "0 cells to run, 6 found" in eras(*FEW, "model=steep,baseline", "seed=0,1").stdout
    other = eras("tune=seconds", "tune.seconds=0.1", "seed=0,3").stdout
    assert "3 cells to run, 1 found" in other, "the default of seed 0 is there"


def test_the_chosen_values_are_the_ones_that_are_fitted(eras, records):
    eras(*FEW, "task.slope=9", "task.rows=600", "metric=log_loss")
    plain, tuned = sorted(records(), key=lambda r: "tune" in r["config"])
    if tuned["tuning"]["chosen"]:
        assert tuned["scores"]["log_loss"] != plain["scores"]["log_loss"]
    else:
        assert tuned["scores"] == plain["scores"]


def job(**changes) -> dict:
    return {
        "model": {"_target_": "tests.harness.Steep"},
        "seed": 0,
        "threads": 1,
        "device": None,
        "tune": {"budget": {"trials": 3}, "space": SPACE},
    } | changes


def test_tuning_sees_nothing_of_the_test_rows():
    task = Coin(rows=300)
    data = task.load(0)
    train, _ = views.make(task, data, "features")
    found = tune.tune(job(), task, data, train, STANDARD["roc_auc"])
    # Without them it comes to the same.
    blind = cell.dataclasses.replace(
        data, raw=None, test_labels=np.array([], dtype=int), truth=None
    )
    again = tune.tune(job(), task, blind, train, STANDARD["roc_auc"])
    assert [t["score"] for t in found["trials"]] == [t["score"] for t in again["trials"]]


def test_trials_are_fitted_on_the_head_and_scored_on_the_tail(monkeypatch):
    task = Coin(rows=300)
    data = task.load(0)
    train, _ = views.make(task, data, "features")
    seen = []
    monkeypatch.setattr(
        "tests.harness.Steep.fit",
        lambda self, X, y: (seen.append(X[:, 0]), setattr(self, "classes_", ["head", "tail"]))[0],
    )
    found = tune.tune(job(), task, data, train, STANDARD["roc_auc"])
    assert len(seen) == 3
    for rows in seen:
        np.testing.assert_array_equal(rows, train[:160, 0])
    assert found["rows"] == {"fitted": 160, "scored": 40}


def test_a_search_finds_what_is_better(tmp_path):
    trials = tune.search(SPACE, {"trials": 30}, score, True, seed=0)
    assert len(trials) == 30
    assert tune.best(trials, True)["values"]["factor"] == pytest.approx(3, abs=0.5)
    worst = tune.search(SPACE, {"trials": 30}, score, False, seed=0)
    assert tune.best(worst, False)["score"] < -5


def test_kinds_of_values():
    space = {
        "whole": {"low": 2, "high": 8},
        "share": {"low": 0.5, "high": 1.0},
        "name": {"choices": ["a", "b"]},
    }
    trials = tune.search(space, {"trials": 12}, lambda _: 0.0, True, seed=0)
    assert {type(t["values"]["whole"]) for t in trials[1:]} == {int}
    assert {t["values"]["name"] for t in trials[1:]} == {"a", "b"}
    assert all(0.5 <= t["values"]["share"] <= 1 for t in trials[1:])


def test_seconds_are_a_budget_too(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(tune.time, "perf_counter", lambda: now[0])

    def slow(values) -> float:
        now[0] += 2
        return score(values)

    trials = tune.search(SPACE, {"seconds": 7}, slow, True, seed=0)
    assert [t["seconds"] for t in trials] == [2, 2, 2, 2], "the trial under way is finished"


def test_an_interrupted_search_goes_on_with_what_it_had(tmp_path):
    kept = tmp_path / "trials.jsonl"
    calls = []

    def until_interrupted(values) -> float:
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(values)
        return score(values)

    with pytest.raises(KeyboardInterrupt):
        tune.search(SPACE, {"trials": 5}, until_interrupted, True, 0, kept, "code 1")
    with kept.open("a") as file:
        file.write('{"values": {}, "sco')  # killed while it wrote
    later = []
    trials = tune.search(
        SPACE, {"trials": 5}, lambda v: (later.append(v), score(v))[1], True, 0, kept, "code 1"
    )
    assert len(later) == 2
    assert [t["values"] for t in trials] == calls + later
    assert len({json.dumps(t["values"]) for t in trials}) == 5, "no draw is repeated"
    assert len(tune.search(SPACE, {"trials": 5}, score, True, 0, kept, "code 1")) == 5
    assert tune.read(kept, "code 2") == [], "other code, other numbers"


@pytest.mark.slow
def test_a_cell_that_ran_out_of_time_goes_on(eras, records, tmp_path):
    slow = ("tune=trials", "tune.trials=6", "model.mode=slow")
    cut = eras(*slow, "limits.seconds=2")
    assert cut.returncode == 1
    (kept,) = (tmp_path / "a" / "cells").glob("*.trials.jsonl")
    had = [json.loads(line) for line in kept.read_text().splitlines()[1:]]
    assert 2 <= len(had) <= 5
    assert eras(*slow, "limits.seconds=60").returncode == 0
    (tuning,) = [r["tuning"] for r in records() if "tune" in r["config"]]
    assert tuning["trials"][: len(had)] == had
    assert len(tuning["trials"]) == 6
    assert not kept.exists()


def test_trials_that_fail_are_recorded_and_do_not_win():
    def fails_often(values) -> float:
        if values.get("factor", 0) < 5:
            raise RuntimeError("no")
        return score(values)

    trials = tune.search(SPACE, {"trials": 20}, fails_often, True, seed=0)
    assert trials[0]["reason"] == "RuntimeError: no"
    assert tune.best(trials, True)["values"]["factor"] >= 5


def test_a_model_whose_trials_all_fail_is_a_failed_cell(eras, records):
    done = eras(*FEW, "model.mode=raise")
    assert done.returncode == 1
    (tuned,) = [r for r in records() if "tune" in r["config"]]
    assert tuned["reason"].startswith("ValueError: all 4 trials failed, the first: RuntimeError")


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"foo": {"low": 1, "high": 2}}, "names foo, which is no setting; there are: factor, mode"),
        ({"factor": {"low": 2, "high": 1}}, "low must be a number below high"),
        ({"factor": {"low": 0, "high": 1, "log": True}}, "a log scale needs a low above 0"),
        ({"factor": {"low": -1, "high": 1}}, "model.factor=-1: input should be greater than 0"),
        ({"factor": {"min": 1}}, "give low and high"),
        ({"factor": [1, 2]}, "give low and high"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(space, message):
    with pytest.raises(BadInput, match="^(?s:.*)" + message.split("=")[0]) as refused:
        check_space("steep", "tests.harness.Steep", space)
    assert message in str(refused.value)


def test_every_space_of_the_kit_makes_sense():
    import yaml

    from tests.conftest import ROOT

    for path in (ROOT / "conf" / "model").glob("*.yaml"):
        conf = yaml.safe_load(path.read_text())
        check_space(path.stem, conf["_target_"], conf.get("space", {}))


@pytest.mark.parametrize("after", [1, 5, 11])
def test_an_interrupted_search_ends_as_one_that_was_not(tmp_path, after):
    space = SPACE | {"kind": {"choices": ["a", "b", None]}, "depth": {"low": 1, "high": 9}}

    def uneven(values) -> float:
        if values.get("depth") == 4:
            raise RuntimeError("no such depth")
        return score(values) - (values.get("kind") == "b")

    whole = tune.search(space, {"trials": 12}, uneven, True, 3)
    kept, calls = tmp_path / "trials.jsonl", []

    def cut(values) -> float:
        if len(calls) == after:
            raise KeyboardInterrupt
        calls.append(values)
        return uneven(values)

    with pytest.raises(KeyboardInterrupt):
        tune.search(space, {"trials": 12}, cut, True, 3, kept, "code")
    again = tune.search(space, {"trials": 12}, uneven, True, 3, kept, "code")
    assert [(t["values"], t["score"]) for t in again] == [(t["values"], t["score"]) for t in whole]
    assert len(kept.read_text().splitlines()) == 13


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e200])
def test_a_score_that_is_no_number_is_a_failed_trial(tmp_path, value):
    kept = tmp_path / "trials.jsonl"
    scores = iter([0.5, value, 0.7])
    trials = tune.search(SPACE, {"trials": 3}, lambda _: next(scores), True, 0, kept, "code")
    assert [t["score"] for t in trials] == [0.5, None, 0.7]
    assert trials[1]["reason"] == f"ValueError: the score is {value}"
    assert tune.read(kept, "code") == trials


@pytest.mark.parametrize(
    "line", ["[" * 10_000, "{}", "null", '{"values": 3}', '{"values": {}, "score": NaN}']
)
def test_a_damaged_line_ends_what_is_kept(tmp_path, line):
    kept = tmp_path / "trials.jsonl"
    whole = tune.search(SPACE, {"trials": 4}, score, True, 0, kept, "code")
    lines = kept.read_text().splitlines()
    kept.write_text("\n".join([*lines[:2], line, *lines[3:]]) + "\n")
    assert tune.read(kept, "code") == whole[:1]
    again = tune.search(SPACE, {"trials": 4}, score, True, 0, kept, "code")
    assert [t["values"] for t in again] == [t["values"] for t in whole]
