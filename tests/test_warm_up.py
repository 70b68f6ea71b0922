"""Made-up rows look like the real ones and hold nothing of them; first calls have a phase."""

import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks.cell import cold_start
from benchmarks.cell.rows import NoSynthetic, synthetic
from benchmarks.cell.warm_up import labels, warm_up
from benchmarks.runner.settings import QUICK
from tasks.base import Data
from tests.conftest import ROOT


def frame() -> pd.DataFrame:
    made = pd.DataFrame(
        {
            "number": [1.5, np.nan, 3.0],
            "count": [7, 8, 9],
            "yes": [True, False, True],
            "kind": pd.Categorical(["a", "b", "a"], categories=["a", "b", "c"]),
            "none": pd.Categorical([None, None, None], categories=[]),
            "when": pd.to_datetime(["2024-01-01"] * 3),
            "words": ["secret", "secret", "secret"],
            "text": pd.array(["secret"] * 3, dtype="string"),
            "maybe": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    made.insert(1, "number", made["number"], allow_duplicates=True)
    return made


def test_a_data_frame_keeps_its_columns_and_types_and_nothing_else():
    rows = frame()
    made = synthetic(rows, 50)
    assert len(made) == 50
    assert list(made.columns) == list(rows.columns)
    assert list(made.dtypes) == list(rows.dtypes)
    assert not made.astype(str).isin(["secret"]).any().any()
    assert set(made["kind"].unique()) <= {"a", "b", "c"}
    assert made["none"].isna().all()
    pd.testing.assert_frame_equal(synthetic(rows.iloc[:1], 50), made)


@pytest.mark.parametrize("dtype", ["float32", "int16", "bool", "O", "U5"])
def test_an_array_keeps_its_shape_and_type(dtype):
    made = synthetic(np.zeros((3, 2, 4), dtype=dtype), 10)
    assert made.shape == (10, 2, 4)
    assert made.dtype == np.dtype(dtype)


def test_texts_stay_texts_and_what_is_unknown_is_refused():
    assert all(isinstance(text, str) for text in synthetic(["secret"], 5))
    with pytest.raises(NoSynthetic):
        synthetic(object())


TWO = Data(None, [0], [0], ("a", "b"))


def test_every_class_has_its_rows():
    assert set(labels(Data(None, [0], [0], ("a", "b", "c")), 12)) == {"a", "b", "c"}
    assert labels(Data(None, [0.5], [0.5]), 5).dtype == float
    assert labels(Data(None, ["secret"], ["x"]), 2) == ["now", "now"]
    asked = [{"total": 7.5, "lines": ["secret"]}]
    assert labels(Data(None, asked, asked), 1) == [{"total": 0.0, "lines": []}]


def test_a_model_that_cannot_be_warmed_up_says_why():
    class Picky:
        def fit(self, X, y):
            raise ValueError("no\nnonsense")

    assert warm_up(Picky, np.zeros((3, 1)), TWO) == "ValueError: no nonsense"
    assert warm_up(Picky, object(), TWO) == "NoSynthetic: object"


def test_a_cold_start_has_its_steps():
    rows = np.zeros((5, 1))
    steep = {"_target_": "tests.harness.Steep"}
    given = {"random_state": 7, "n_jobs": 1, "device": "cpu"}  # of which a model takes what it has
    found = cold_start.measured(steep, given, rows, Data(None, [0], [0], ("head", "tail")))
    assert found is not None
    steps = [found[name] for name in ("interpreter", "import", "fit", "predict")]
    assert min(steps) > 0
    assert found["whole"] == pytest.approx(sum(steps))
    assert found["import"] > 10 * found["predict"]  # NumPy, against one row
    raises = {**steep, "mode": "raise"}
    assert cold_start.measured(raises, {}, rows, TWO) is None
    assert cold_start.measured(steep, {}, object(), TWO) is None


def test_an_estimator_of_another_package_has_a_cold_start_too():
    tree = {"_target_": "sklearn.tree.DecisionTreeClassifier", "prepare": "numbers"}
    rows = frame()[["count", "kind"]]
    found = cold_start.measured(tree, {"random_state": 7}, rows, TWO)
    assert found is not None
    assert found["predict"] > 0


def test_what_is_timed_by_default_is_what_its_yaml_says():
    said = yaml.safe_load((ROOT / "conf" / "timing" / "quick.yaml").read_text())
    assert said == QUICK


def test_what_is_timed_is_asked_for_and_a_cell_runs_again_for_more(eras, records):
    few = ("timing=full", "timing.seconds=0.5", "timing.batches=[1,100]", "timing.calls=1000")
    assert eras().returncode == 0
    (quick,) = records()
    assert quick["warmed_up"]
    assert set(quick["latency"]) == {"1", "20"}
    assert quick["cold_start"] is None
    assert quick["phases"]["warm_up"]["wall"] > 0
    assert quick["calibration"]["seconds"] > 0
    assert quick["pools"]

    done = eras(*few)
    assert "1 cells to run" in done.stdout
    assert "latency and cold start" in done.stdout
    (full,) = records()
    assert full["config_hash"] == quick["config_hash"]
    assert set(full["latency"]) == {"1", "20", "100"}
    assert full["latency"]["1"]["p99"] >= full["latency"]["1"]["p50"]
    assert full["cold_start"]["whole"] > 0
    assert "0 cells to run" in eras(*few).stdout
    assert "0 cells to run" in eras().stdout  # less is no reason to run


def test_no_audit_leaves_the_times(eras, records):
    assert eras("timing.audit=false").returncode == 0
    (record,) = records()
    assert set(record["phases"]["fit"]) == {"start", "wall"}
    assert "calibration" not in record


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="threads of a fork server")
def test_threads_reach_every_library(eras, records):
    model = ("model=xgboost,network", "task=notifications", "task.rows=300")
    assert eras(*model, "threads=1").returncode == 0
    for record in records():
        assert record["pools"]["torch"] == 1
        assert set(record["pools"].values()) == {1}
