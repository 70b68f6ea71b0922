"""What cells are expected to take, and what is said before they take it."""

import json
import math
import os

import pytest

from benchmarks.look import expected, told
from benchmarks.records import forecast, machine
from benchmarks.records.forecast import (
    MARGIN,
    OVER,
    UNDER,
    Forecast,
    Forecaster,
    Kind,
    Size,
    kind_of,
    left_of,
    memory_of,
    rows_of,
    shipped,
    terms,
)
from benchmarks.runner import watch as watching
from benchmarks.runner.outlook import Outlook, earlier, shown
from benchmarks.runner.settings import QUICK
from benchmarks.runner.watch import Limits, Watch
from tasks.base import Look

SIZE = Size(7_000, 20, 30, 1)
FORM = Kind("svm", "", 2)


@pytest.fixture
def took(record):
    """Make a record of a cell that was done, on rows of SIZE."""

    def make(seconds=3.0, megabytes=100.0, model="svm", train=7_000, seed=0, **fields):
        phases = {
            "read": {"start": 0.0, "wall": 0.1, "peak": 400e6, "memory_growth": 0.0},
            "fit": {
                "start": 1.0,
                "wall": 1.0,
                "peak": 400e6 + megabytes * 1e6,
                "memory_growth": 1.0,
            },
            "predict": {"start": 2.0, "wall": 0.1, "peak": 410e6, "memory_growth": 0.0},
        }
        given = {
            "model": model,
            "seed": seed,
            "seconds": seconds,
            "rows": {"train": train, "test": 3_000},
            "columns": 20,
            "levels": 30,
            "outputs": 1,
            "phases": phases,
            "prepared": {"origin": "found"},
        }
        return record(**{**given, **fields})

    return make


def test_the_usual_models_are_known_and_no_factor_is_below_zero():
    usual = {"baseline", "logistic", "ridge", "svm", "random_forest", "xgboost", "network"}
    assert shipped()["models"].keys() == usual
    for factors in shipped()["models"].values():
        assert factors.keys() == {"seconds", "megabytes"}
        for each in factors.values():
            assert len(each) == len(terms(SIZE))
            assert min(each) >= 0
            assert max(each) > 0


@pytest.mark.parametrize("model", shipped()["models"])
@pytest.mark.parametrize("what", ["train", "columns", "levels", "outputs"])
def test_more_of_anything_is_never_less(model, what):
    kind, forecaster = Kind(model, "", 2), Forecaster()
    before = forecaster.forecast(kind, SIZE)
    after = forecaster.forecast(kind, SIZE._replace(**{what: 100 * getattr(SIZE, what)}))
    assert before.seconds > 0
    assert before.memory > 0
    assert after.seconds >= before.seconds
    assert after.memory >= before.memory


def test_a_slower_machine_takes_longer_and_no_more_memory():
    here, slow = Forecaster(shipped()["calibration"]), Forecaster(3 * shipped()["calibration"])
    assert slow.forecast(FORM, SIZE).seconds == pytest.approx(3 * here.forecast(FORM, SIZE).seconds)
    assert slow.forecast(FORM, SIZE).memory == here.forecast(FORM, SIZE).memory


def test_what_cells_took_here_corrects_what_tables_said(took):
    forecaster = Forecaster()
    plain = forecaster.forecast(FORM, SIZE)
    likely, memory = plain.likely, plain.memory / MARGIN
    told = took(5 * likely, 3 * memory / 1e6, seed=1)
    other = rows_of(took(config={**told["config"], "task": {"_target_": "tasks.other.Other"}}))
    forecaster.learn(told)
    once = forecaster.forecast(FORM, SIZE, other)
    same = forecaster.forecast(FORM, SIZE, rows_of(told))
    far = forecaster.forecast(FORM, SIZE._replace(train=700_000), other)
    # One record of rows of the same size counts as much as all tables: the root of 5.
    assert once.likely == pytest.approx(likely * math.sqrt(5))
    assert once.memory / MARGIN == pytest.approx(memory * math.sqrt(3))
    assert 4 * likely < same.likely < 5 * likely
    alone = Forecaster().forecast(FORM, SIZE._replace(train=700_000)).likely
    assert alone < far.likely < 2 * alone
    for seed in range(2, 40):
        forecaster.learn(took(5 * likely, 3 * memory / 1e6, seed=seed))
    assert forecaster.forecast(FORM, SIZE, other).likely == pytest.approx(5 * likely, rel=0.05)


def test_the_same_record_counts_once_and_one_that_says_nothing_not_at_all(took):
    forecaster, once = Forecaster(), Forecaster()
    once.learn(took(30.0))
    for _ in range(20):
        forecaster.learn(took(30.0))
    disturbed = [{"code": "ME08", "text": "others"}]
    for nothing in (
        took(900.0, seed=3, checks=disturbed),
        took(900.0, seed=7, timing={**QUICK, "seconds": 20.0, "cold_start": True}),
        took(900.0, seed=4, stated={"by": "somebody"}),
        {**took(900.0, seed=5), "seconds": None},
        {**took(900.0, seed=6), "status": "timeout", "reason": "stopped"},
    ):
        forecaster.learn(nothing)
    assert forecaster.forecast(FORM, SIZE) == once.forecast(FORM, SIZE)


def test_a_model_that_nobody_has_run_is_not_forecast_and_one_that_ran_grows_with_its_rows(took):
    forecaster, own = Forecaster(), Kind("mine", "", 2)
    with pytest.raises(LookupError):
        forecaster.forecast(own, SIZE)
    forecaster.learn(took(10.0, model="mine"))
    assert forecaster.forecast(own, SIZE).likely == pytest.approx(10.0, rel=1e-3)
    assert forecaster.forecast(own, SIZE._replace(train=700_000)).likely > 50
    # With other settings it is another one.
    with pytest.raises(LookupError):
        forecaster.forecast(Kind("mine", "wide", 2), SIZE)


def test_the_making_of_rows_is_told_apart(took):
    phases = {
        **took()["phases"],
        "make": {"start": 0.2, "wall": 4.0, "peak": 400e6, "memory_growth": 0.0},
        "load": {"start": 0.3, "wall": 1.0, "peak": 9e9, "memory_growth": 5e9},
        "view": {"start": 1.3, "wall": 2.5, "peak": 9e9, "memory_growth": 5e9},
    }
    one = took(6.0, phases=phases, prepared={"origin": "made"})
    assert memory_of(one) == pytest.approx(100e6)
    own = {**one, "prepared": {"origin": "own"}}
    assert memory_of(own) == pytest.approx(9e9 - 400e6)
    forecaster, plain = Forecaster(), Forecaster()
    forecaster.learn(one)
    plain.learn(took(2.0))
    rows = rows_of(one)
    assert forecaster.making(rows) == 3.5
    assert forecaster.forecast(FORM, SIZE, rows).likely == plain.forecast(FORM, SIZE, rows).likely
    waiting = forecaster.forecast(FORM, SIZE, rows, before=3.5)
    assert waiting.likely == pytest.approx(plain.forecast(FORM, SIZE, rows).likely + 3.5)


@pytest.mark.parametrize(
    ("limit", "found"),
    [(4.9, [("seconds", True)]), (5.1, [("seconds", False)]), (11.0, [("seconds", False)])],
)
def test_a_limit_stands_against_what_is_likely_and_against_what_is_sure(limit, found):
    told = Forecast(10.0, 100e6)
    assert told.breaks({"seconds": limit, "memory": None}) == found
    assert told.breaks({"seconds": 10 / UNDER + 0.1, "memory": 120e6}) == []
    assert told.breaks({"seconds": None, "memory": 100e6 / OVER - 1}) == [("memory", True)]


def test_cells_without_any_of_their_model_are_forecast_from_the_rows_of_their_task(took):
    class One:
        def __init__(self, model):
            self.task, self.model, self.name = "coin", model, model

    done = [took(2.0, model="logistic", task="coin")]
    forecaster = Forecaster()
    likely = forecaster.forecast(Kind("svm", "", 2), SIZE).likely
    assert left_of([One("svm")], done) == pytest.approx(likely)
    assert left_of([One("nobody's"), One("logistic")], done) == pytest.approx(2.0 + 2.0)
    assert left_of([One("svm")], []) is None


def test_a_warning_is_said_once_for_all_seeds(took):
    outlook = Outlook({"seconds": 20.0, "memory": 50.0}, QUICK)
    cells = [cell_of(took(seed=seed)) for seed in (0, 1)]
    said = [list(outlook.warnings(cell, Forecast(30.0, 400e6))) for cell in cells]
    assert said == [
        [
            "svm on coin is expected to take 15 to 33 s: limits.seconds=20 may not be enough",
            "svm on coin is expected to take 200 to 440 MB: limits.memory=50 does not allow it",
        ],
        [],
    ]


def cell_of(one):
    from benchmarks.records.records import Cell

    names = ("task", "model", "seed", "config", "code", "changed")
    return Cell(**{name: one[name] for name in names})


def test_numbers_have_two_digits():
    assert [shown(x) for x in (0.0123, 9.96, 15.4, 1_234_567.0)] == [
        "0.012",
        "10",
        "15",
        "1,200,000",
    ]


def test_records_of_this_machine_alone_are_learned_from(took, tmp_path):
    here, cells = machine.machine(), tmp_path / "a" / "cells"
    cells.mkdir(parents=True)
    for k, where in enumerate(
        (here, here, {**here, "processor": "another"}, {**here, "cores": 99})
    ):
        (cells / f"{k}.json").write_text(json.dumps(took(seed=k, machine=where)))
    (cells / "broken.json").write_text("{")
    os.utime(cells / "broken.json", (0, 0))
    for k in range(4):  # the later one is learned from last, and counts
        os.utime(cells / f"{k}.json", (k, k))
    assert [r["seed"] for r in earlier(tmp_path)] == [0, 1]
    assert [r["seed"] for r in earlier(tmp_path, most=1)] == [1]
    other = tmp_path / "b" / "cells"
    other.mkdir(parents=True)
    (other / "7.json").write_text(json.dumps(took(seed=7, machine=here)))
    assert [r["seed"] for r in earlier(tmp_path, "a")] == [7, 0, 1]
    assert earlier(tmp_path / "nowhere") == []


def test_what_a_cell_is_expected_to_take_is_said_before_and_recorded(eras, records):
    done = eras("model=baseline", "seed=0,1", "limits.memory=30")
    lines = [line for line in done.stdout.splitlines() if line[:1] in "!✓✗"]
    assert lines[0].startswith("! baseline on coin is expected to take ")
    assert "limits.memory=30 may not be enough" in " ".join(done.stdout.split())
    assert sum(line.startswith("! baseline") for line in lines) == 1, "once for all seeds"
    for made in records():
        assert made["expected"]["seconds"] > 0
        assert made["expected"]["memory"] > 1e6


def test_a_model_that_nobody_knows_is_expected_to_take_what_it_took(took, eras, records):
    eras("model=steep", "seed=0,1")
    by_seed = {r["seed"]: r for r in records()}
    (first,), (second,) = (
        [r for r in by_seed.values() if (r["expected"] is None) is nothing]
        for nothing in (True, False)
    )
    assert second["expected"]["seconds"] > 0.5 * first["seconds"]
    assert (first["levels"], first["outputs"]) == (0, 1)


def test_a_look_says_which_model_a_limit_may_end(tmp_path):
    large = Look([], [], [], 30_000_000, 40, 0, 2)
    forecasts = expected(large, tmp_path)
    assert "logistic" in forecasts
    assert "ridge" not in forecasts
    assert "ridge" in expected(large._replace(classes=0), tmp_path)
    text, warnings = told(forecasts, {"seconds": 600.0})
    assert text.startswith("roughly ")
    assert " MB (" in text
    assert any(line.startswith("svm is expected to take ") for line in warnings)
    assert told(expected(large._replace(rows=300), tmp_path), {"seconds": 600.0})[1] == []


def test_odd_records_are_no_reason_to_stop(took):
    odd = took(1e-9, phases={"fit": {"wall": 0.0, "peak": 1e30}, "predict": {"wall": 0.0}})
    forecaster = Forecaster(0.0)
    for calibration in (-1.0, 0.0, None):
        forecaster.calibrated(calibration)
        assert forecaster.forecast(FORM, SIZE) == Forecaster().forecast(FORM, SIZE)
    forecaster.learn(odd)
    forecaster.learn({**odd, "seed": 1, "phases": {"fit": {"wall": 0.0, "peak": 1e30}}})
    found = forecaster.forecast(FORM, SIZE)
    assert math.isfinite(found.seconds)
    assert math.isfinite(found.memory)


def test_kinds_differ_by_settings_search_and_threads(took):
    plain = took()
    assert kind_of(plain) == Kind("svm", "", plain["config"]["threads"])
    wide = {**plain, "changed": {"task": {}, "model": {"C": 3.0}}}
    tuned = {
        **plain,
        "config": {**plain["config"], "tune": {"budget": {"trials": 30}, "space": {}}},
    }
    there = {**plain, "config": {**plain["config"], "device": "cuda"}}
    assert len({kind_of(one) for one in (plain, wide, tuned, there)}) == 4
    for other in (wide, tuned, there):
        with pytest.raises(LookupError):
            Forecaster().forecast(kind_of(other), SIZE)
    changed = {**plain, "code": {**plain["code"], "data": "another file"}}
    assert rows_of(changed) != rows_of(plain)
    assert forecast.size_of(plain) == SIZE


@pytest.mark.parametrize(
    "told",
    [
        *("", "[]", "7", "[" * 9_000, '{"train": 1}'),
        '{"train": "x", "columns": 1, "levels": 1, "outputs": 1, "making": 0}',
        '{"train": 1e999, "columns": 1, "levels": 1, "outputs": 1, "making": 0}',
    ],
)
def test_what_a_model_writes_in_the_place_of_a_size_is_no_size(told, tmp_path):
    (tmp_path / watching.SIZE).write_text(told)
    watch = Watch(os.getpid(), os.getpid(), tmp_path, Limits(1.0), 0.0, tells=True)
    assert watch.told() is None
    assert watch.told() is None


def test_a_size_is_told_once_and_is_bounded(tmp_path):
    watch = Watch(os.getpid(), os.getpid(), tmp_path, Limits(1.0), 0.0, tells=True)
    assert watch.told() is None
    told = {"train": 10**40, "columns": -3, "levels": 2.7, "outputs": 0, "making": 0.5, "more": 1}
    (tmp_path / watching.SIZE).write_text(json.dumps(told))
    assert watch.told() == ({"train": 2**53, "columns": 1, "levels": 2, "outputs": 1}, 0.5)
    assert watch.told() is None
