"""What drives a model, where it is wrong, what to use under conditions: known answers."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.analysis.advice import advise
from benchmarks.analysis.cost import read_prices
from benchmarks.analysis.curves import THRESHOLDS
from benchmarks.analysis.driving import Driven, driven
from benchmarks.analysis.segments import Kept, kept, most_apart, parts, segments
from benchmarks.analysis.summary import Row, sections
from benchmarks.analysis.verdicts import Verdict
from benchmarks.cell import given
from benchmarks.cell.answers import Asked
from benchmarks.cell.drivers import drivers
from benchmarks.cell.scores import stored
from benchmarks.records.given import Given, read
from benchmarks.records.records import Run
from benchmarks.show import driver_pictures, wrong_rows
from benchmarks.show.desk import desk
from benchmarks.show.placing import WAYS, placed
from tasks.base import Data
from tasks.histories import Histories
from tasks.metrics import STANDARD
from tests.examples import table

N = 600


class ByFirst:
    """Reads its first column and no other."""

    classes_ = ("no", "yes")

    def __init__(self, column=0):
        self.column = column

    def predict_proba(self, X):
        values = X.iloc[:, self.column] if hasattr(X, "iloc") else X[:, self.column]
        p = 1 / (1 + np.exp(-2 * np.asarray(values, dtype=float)))
        return np.column_stack([1 - p, p])


class ByPast:
    classes_ = ("no", "yes")

    def predict_proba(self, X):
        p = (X.stop - X.start + 1.0) / 4
        return np.column_stack([1 - p, p])


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.normal(size=N), "b": rng.normal(size=N)})
    y = (rng.random(N) < 1 / (1 + np.exp(-2 * X["a"]))).astype(np.int16)
    return X, Data(None, y[:10], y, ("no", "yes"))


def asked_for(model, X, data, seconds=60.0, each=1e-6):
    asked = Asked(model, data)
    answers = stored(asked(X, "predict"))
    return drivers(asked, X, answers, STANDARD["roc_auc"], seconds, each)


@pytest.mark.parametrize("form", [pd.DataFrame, np.asarray])
def test_a_column_that_is_read_drives_and_another_does_not(form):
    frame, data = drawn()
    X = form(frame)
    before = X.copy()
    found = asked_for(ByFirst(), X, data)
    assert found["metric"] == "roc_auc"
    assert found["rows"] == 500
    first, second = found["of"]
    assert first["column"] in ("a", "0")
    assert first["drop"] > 0.25, "from about .85 to a half"
    assert first["drop"] > 3 * np.sqrt(first["variance"])
    assert (second["drop"], second["variance"]) == (0, 0)
    assert found == asked_for(ByFirst(), X, data), "the same deals for whoever asks"
    assert np.array_equal(np.asarray(X), np.asarray(before)), "the rows are as they were"


def test_the_past_of_rows_drives_as_a_whole():
    rng = np.random.default_rng(0)
    length = rng.integers(0, 3, N)
    start = np.zeros(N, dtype=np.int64)
    X = Histories(
        pd.DataFrame({"a": rng.normal(size=N)}),
        np.full(N, 10, dtype=np.int64),
        pd.DataFrame({"e": [1.0, 2.0]}),
        np.array([1, 2]),
        start,
        length.astype(np.int64),
    )
    y = (rng.random(N) < (length + 1) / 4).astype(np.int16)
    found = asked_for(ByPast(), X, Data(None, y[:9], y, ("no", "yes")))
    assert [one["column"] for one in found["of"]] == ["a", "the past"]
    assert found["of"][0]["drop"] == 0
    assert found["of"][1]["drop"] > 0.1


def test_why_nobody_asked():
    frame, data = drawn()
    wide = pd.DataFrame(np.zeros((N, 201)))
    assert asked_for(ByFirst(), wide, data)["why"] == "201 columns are more than 200"
    slow = asked_for(ByFirst(), frame, data, seconds=2, each=1.0)
    assert slow["why"] == "it would have taken 400 s (explain.seconds=2)"
    fewer = asked_for(ByFirst(), frame, data, seconds=0.5, each=0.001)
    assert fewer["rows"] == 200, "as many as the time allows"
    texts = Asked(ByFirst(), data)
    answers = stored(texts(frame, "predict"))
    said = drivers(texts, ["a text"] * N, answers, STANDARD["roc_auc"], 9, 0)
    assert said == {"why": "its rows have no columns"}


def test_a_cell_says_what_drives_it_and_one_of_a_seed_keeps_its_rows(eras, records, tmp_path):
    path = tmp_path / "heads.csv"
    frame = pd.DataFrame({"x": np.tile([-1.5, 1.5, -0.5, 0.5], 30), "w": np.cos(range(120))})
    frame["y"] = np.where(frame["x"] > 0, "head", "tail")
    frame.to_csv(path, index=False)
    command = ["task=table", f"task.path={path}", "task.target=y", "model.factor=1,2", "seed=0,1"]
    assert eras(*command).returncode == 0
    found = records()
    assert all(r["drivers"]["of"][0]["drop"] > 0.2 for r in found)
    with_rows = [r["seed"] for r in found if ".rows.parquet" in r["files"]]
    assert sorted(with_rows) == [0, 1], "one cell of each seed"
    run = Run(tmp_path / "a")
    (first,) = [r for r in found if ".rows.parquet" in r["files"] and r["seed"] == 0]
    rows = run.rows(first)
    assert rows is not None
    assert next(iter(rows.columns)) == "x"
    assert len(rows.places) == first["rows"]["test"]
    assert eras(*command, "run=b", "explain.seconds=0", "explain.rows=0").returncode == 0
    assert not any("drivers" in r or ".rows.parquet" in r["files"] for r in records("b"))
    next((tmp_path / "a" / "cells").glob("*.parquet")).write_bytes(b"x")
    assert eras(*command).returncode == 0, "rows that were changed: their cell runs again"


def test_rows_are_kept_as_people_read_them(tmp_path):
    test, _ = table(300, 0, "binary")
    test["when"] = pd.date_range("2026-01-01", periods=300, freq="h")
    test["mixed"] = [1, "a"] * 150
    test["long"] = "x" * 1000
    given.keep(tmp_path, test, 100)
    file = tmp_path / given.FILE
    found = read(file, 300)
    assert found is not None
    assert len(found.places) == 100
    assert found.places[-1] == 299
    topic = test["topic"].iloc[found.places].tolist()
    assert found.columns["topic"].tolist() == topic
    assert found.columns["a"] == pytest.approx(test["a"].iloc[found.places])
    assert np.isnan(found.columns["noise"]).sum() == test["noise"].iloc[found.places].isna().sum()
    assert found.columns["when"].dtype.kind == "M"
    assert set(found.columns["mixed"]) == {"1", "a"}
    assert len(found.columns["long"][0]) == given.CHARACTERS
    assert found.columns["flag"].tolist() == test["flag"].iloc[found.places].tolist()
    assert read(file, 200) is None, "rows that there are not"
    file.write_bytes(file.read_bytes()[:-9])
    assert read(file, 300) is None
    assert read(tmp_path / "none", 300) is None
    pq.write_table(pa.table({"a": [1.0]}), file)
    assert read(file, 300) is None, "nothing says which rows they are"
    given.keep(tmp_path / "no", np.zeros((5, 2)), 100)
    given.keep(tmp_path / "no", test, 0)
    assert not (tmp_path / "no").exists(), "columns without names, and nothing wanted"


def test_texts_are_kept_with_their_length(tmp_path):
    given.keep(tmp_path, ["one two", "", "три слова тут"], 10)
    found = read(tmp_path / given.FILE, 3)
    assert found is not None
    assert found.columns["words"].tolist() == [2, 0, 3]
    assert found.columns["text"].tolist() == ["one two", "", "три слова тут"]


@pytest.fixture
def section_of(record):
    """A section of two models whose answers and rows are given: (section, load, rows)."""

    def made(answers, labels, columns, kind="binary", **changes):
        (found,) = sections([record(name, 0, 0.8, kind=kind, **changes) for name in answers])
        arrays = {"labels": labels}
        if kind != "regression":
            arrays["classes"] = np.array(["no", "yes"])
        by_name = {name: arrays | {"predictions": p} for name, p in answers.items()}
        rows = Given(np.arange(len(labels)), columns)
        return found, lambda r: by_name[r["model"]], lambda _: rows

    return made


def two(p):
    return np.column_stack([1 - p, p])


def test_the_part_where_a_model_is_wrong_comes_first(section_of):
    rng = np.random.default_rng(1)
    region = rng.choice(["north", "south", "west"], 900)
    age = rng.uniform(20, 70, 900)
    labels = (rng.random(900) < 0.5).astype(np.int16)
    right = np.where(labels == 1, 0.9, 0.1)
    p = np.where(region == "west", 0.5, right)
    columns = {"age": age, "region": region.astype(object)}
    section, load, rows = section_of({"a": two(p)}, labels, columns)
    found = kept(section, ["a"], load, rows)
    assert found is not None
    first, *others = segments(found, "a")
    assert (first.column, first.part) == ("region", "west")
    assert first.is_worse
    assert first.error == pytest.approx(0.5)
    assert first.beyond == pytest.approx(0.5 - found.loss("a").mean())
    assert not any(s.is_worse for s in others)
    assert len([s for s in others if s.column == "age"]) == 5
    picture, listed = wrong_rows.by_segment(section, found, "a", "x")
    assert picture.title.startswith("a is most wrong where region is west: 0.5, 0.232 on all rows")
    assert listed.choices() == ["region", "age"]


def test_no_part_stands_out_where_errors_are_chance():
    worse = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        given_rows = Given(
            np.arange(500),
            {k: rng.normal(size=500) for k in "abcd"} | {"e": rng.choice(["x", "y"], 500)},
        )
        made = Kept(
            0, given_rows, "regression", np.zeros(500), (), None, {"m": rng.normal(size=500)}
        )
        worse += any(s.is_worse for s in segments(made, "m"))
    assert worse <= 7, "5 % of 60, and chance"


def test_rows_of_one_group_count_as_one(section_of):
    rng = np.random.default_rng(2)
    owner = np.repeat(np.arange(30), 20)
    part = np.where(owner % 2, "odd", "even").astype(object)
    labels = np.zeros(600, dtype=np.int16)
    p = np.clip(0.3 + 0.15 * rng.normal(size=30)[owner], 0.01, 0.99)
    section, load, rows = section_of({"a": two(p)}, labels, {"part": part})
    alone = kept(section, ["a"], load, rows)
    assert alone is not None
    grouped = replace(alone, group=owner)
    wide, narrow = segments(grouped, "a")[0], segments(alone, "a")[0]
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(100.0), ["0 to 19.8", "19.8 to 39.6", "39.6 to 59.4", "59.4 to 79.2"]),
        (np.array([2024.0, 2025.0] * 50), ["2024", "2025"]),
        (np.array(["a", "b", None] * 30, dtype=object), ["a", "b", "missing"]),
        (np.array([f"name {k}" for k in range(90)], dtype=object), []),
        (np.array([True, False] * 20, dtype=object), ["False", "True"]),
        (np.array([np.nan, 1.0] * 20), ["1", "missing"]),
        (np.array(list("abcdefghijkl") * 9, dtype=object), ["a", "b", "c", "d"]),
    ],
)
def test_what_a_column_is_parted_into(values, expected):
    found = list(parts(values))
    assert [name for name, _ in found][: len(expected)] == expected
    assert not (found and not expected)
    if found:
        assert np.sum([inside for _, inside in found], axis=0).tolist() == [1] * len(values)


def test_moments_are_parted_by_days():
    moments = np.array("2026-01-01", dtype="datetime64[us]") + np.arange(100) * np.timedelta64(
        1, "D"
    )
    found = list(parts(moments))
    assert found[0][0] == "2026-01-01 to 2026-01-20"
    assert sum(inside.sum() for _, inside in found) == 100


def test_rows_on_which_two_models_differ(section_of):
    labels = np.array([0, 1] * 20, dtype=np.int16)
    a, b = np.full(40, 0.3), np.full(40, 0.3)
    b[[5, 17]] = 0.9, 0.6
    columns = {"n": np.arange(40.0), "t": np.array(["<b>"] * 40, dtype=object)}
    section, load, rows = section_of({"a": two(a), "b": two(b)}, labels, columns)
    found = kept(section, ["a", "b"], load, rows)
    assert found is not None
    assert most_apart(found, ["a", "b"], 8) == [5, 17]
    made = wrong_rows.apart(found, ["a", "b"], ["b", "a"], "x")
    assert made is not None
    facts = json.loads(str(made.values["data"]))
    assert facts["pairs"] == {"a\nb": [0, 1]}
    assert "<b>" not in str(made.values["data"])
    assert [entry.text for entry in made.table.rows[0]] == [
        "5",
        "yes",
        "0.900",
        "0.300",
        "5",
        "<b>",
    ]
    same = section_of({"a": two(a), "b": two(a)}, labels, columns)
    assert wrong_rows.apart(kept(same[0], ["a", "b"], *same[1:]), ["a", "b"], [], "x") is None


def test_drivers_over_seeds(record):
    of = [
        {"column": "x", "drop": 0.1, "variance": 1e-4},
        {"column": "z", "drop": 0.0, "variance": 0},
    ]
    told = {"metric": "roc_auc", "label": "ROC AUC", "rows": 200, "of": of}
    cells = [record("a", seed, drivers=told) for seed in (0, 1)]
    found = driven(Row("a", cells))
    assert isinstance(found, Driven)
    assert [d.column for d in found.drivers] == ["x", "z"]
    x = found.drivers[0]
    assert x.high - x.drop == pytest.approx(2.2414 * np.sqrt(1e-4 / 2), rel=1e-4)
    assert driven(Row("a", [record("a", drivers={"why": "too slow"})])) == "too slow"
    assert driven(Row("a", [record("a")])) is None
    of_one_group = {**told, "of": [{"column": "x", "drop": 0.1, "variance": None}]}
    assert "all of one group" in driven(Row("a", [record("a", drivers=of_one_group)]))
    same = [record("a", seed, drivers=told, same_rows=True) for seed in (0, 1)]
    wider = driven(Row("a", same)).drivers[0]
    assert wider.high - wider.drop == pytest.approx((x.high - x.drop) * np.sqrt(2))
    (section,) = sections([*cells, record("b", drivers={"why": "too slow"})])
    advice = advise(section)
    picture, whole = driver_pictures.parts(advice, "x")
    assert picture.title == "a leans most on x: ROC AUC 0.100"
    assert whole.notes[0] == "Not asked: b: too slow."


def test_the_desk_begins_without_conditions(record):
    cells = [
        record("slow", 0, 0.8, year=2016),
        record("quick", 0, 0.799, year=1958),
        record("poor", 0, 0.6, year=2001),
    ]
    for cell, seconds in zip(cells, (0.02, 0.002, 0.001), strict=True):
        cell["latency"]["1"] |= {"p50": seconds}
    (section,) = sections(cells)
    common = {"metric": "roc_auc", "band": 0.002, "design": "new rows", "seeds": 3}
    verdicts = [
        Verdict(
            "slow",
            "quick",
            difference=0.001,
            low=-0.001,
            high=0.001,
            p=1,
            word="equal in practice",
            **common,
        ),
        Verdict("slow", "poor", difference=0.2, low=0.1, high=0.3, p=0, word="better", **common),
    ]
    section = replace(section, verdicts=verdicts)
    made = desk(section, "desk", read_prices(), [], "")
    assert made is not None
    by_name = {row[0].text: row[-1].text for row in made.table.rows}
    assert by_name == {"slow": "as good", "quick": "use this", "poor": "worse"}
    facts = json.loads(str(made.values["data"]))
    assert facts["equal"] == [["slow", "quick"]]
    assert {m["label"]: m["ms"] for m in facts["models"]}["slow"] == pytest.approx(20)
    keys = [slider["key"] for slider in made.values["sliders"]]
    assert keys == ["ms", "volume", "cpu_hour"], "memory is the same for all, nothing is served"
    assert made.values["answer"].startswith("Use quick: as good as the best (slow)")
    assert desk(replace(section, rows=section.rows[:1]), "desk", read_prices(), [], "") is None
    assert len(THRESHOLDS) == 201


def test_names_beside_points_cover_nothing():
    crowd = [{"model": f"model {k}", "x": 10.0 + k % 3, "y": 0.8 + 0.001 * k} for k in range(5)]
    crowd.append({"model": "far", "x": 30.0, "y": 0.2})
    placed(crowd, "x", "y")
    assert len({point["place"] for point in crowd}) >= 3
    assert all(0 <= point["place"] < len(WAYS) for point in crowd)
    far = [{"model": "a", "x": 1.0, "y": 0.1}, {"model": "b", "x": 100.0, "y": 0.9}]
    placed(far, "x", "y", log=True)
    assert [point["place"] for point in far] == [0, 0]
