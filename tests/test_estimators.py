"""Estimators of other packages, by YAML or by the command line alone."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.cell.build import build
from benchmarks.cell.foreign import Foreign
from tests.conftest import ROOT

NEIGHBOURS = "sklearn.neighbors.KNeighborsClassifier"


def rows(n: int = 200) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    kind = pd.Categorical(rng.choice(["a", "b"], n), categories=["a", "b", "unseen"])
    number = rng.normal(size=n)
    X = pd.DataFrame({'odd [name] {"x"}': number, "kind": kind, "flag": number > 1})
    y = np.where((kind == "a") ^ (rng.random(n) < 0.05), "yes", "no").astype(object)
    X.loc[::7, 'odd [name] {"x"}'] = np.nan
    return X, y


@pytest.mark.parametrize(
    ("estimator", "prepare"),
    [(KNeighborsClassifier(), "numbers"), (HistGradientBoostingClassifier(), "nothing")],
)
def test_gaps_categories_and_names_are_no_obstacle(estimator, prepare):
    X, y = rows()
    model = Foreign(estimator, prepare).fit(X[:150], y[:150])
    test = X[150:].copy()
    test.loc[test.index[0], "kind"] = "unseen"
    p = model.predict_proba(test)
    assert p.shape == (50, 2)
    assert (model.classes_[p.argmax(axis=1)] == y[150:]).mean() > 0.8


def test_a_regressor_predicts_values():
    X, _ = rows()
    y = np.arange(200.0)
    assert Foreign(Ridge()).fit(X, y).predict(X).shape == (200,)


def test_seed_and_threads_reach_an_estimator_and_prepare_is_checked():
    forest = "sklearn.ensemble.RandomForestClassifier"
    made = build({"_target_": forest, "prepare": "nothing"}, {"random_state": 7, "n_jobs": 2})
    assert made.prepare == "nothing"
    assert (made.estimator.random_state, made.estimator.n_jobs) == (7, 2)
    with pytest.raises(ValueError, match="prepare=all: say numbers or nothing"):
        build({"_target_": forest, "prepare": "all"})


def test_by_the_command_line_alone(eras, records):
    path = ROOT / "tests" / "data" / "orders.csv"
    table = ("task=table", f"task.path={path}", "task.target=returned")
    done = eras(*table, "model=mine", f"model._target_={NEIGHBOURS}")
    assert done.returncode == 0, done.stderr
    (record,) = records()
    assert record["status"] == "done"
    assert record["warmed_up"]
    assert "mine KNeighborsClassifier" in done.stdout
    done = eras(*table, "model=mine")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "needs a _target_" in done.stderr


def test_by_a_yaml_alone(records, tmp_path):
    folder = tmp_path / "conf" / "model"
    folder.mkdir(parents=True)
    (folder / "near.yaml").write_text(f"_target_: {NEIGHBOURS}\nn_neighbors: 7\n")
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--config-dir",
        str(tmp_path / "conf"),
        "task=breast_cancer",
        "model=near",
        "model.n_neighbors=9",
        "seed=0",
        "run=a",
        f"results={tmp_path}",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (record,) = records()
    assert record["config"]["model"]["n_neighbors"] == 9
    assert record["scores"]["roc_auc"] > 0.95
    assert record["changed"]["model"] == {"n_neighbors": 9}


@pytest.mark.parametrize(
    "target",
    ["sklearn.neighbors.NoSuchClassifier", "no_such_package.Model", "sklearn.nothing.Model"],
)
def test_a_class_that_is_not_there(eras, records, target):
    done = eras("task=breast_cancer", "model=mine", f"model._target_={target}")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert f"{target} cannot be loaded" in done.stderr
    assert not records()
