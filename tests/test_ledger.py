"""The work ledger counts what is there: known answers on sources written for it."""

import sys

import pytest

from benchmarks.analysis.summary import sections
from benchmarks.plan import ledger
from benchmarks.show.ledger_table import ledger_table
from benchmarks.show.markdown import fragment

TASK = '''"""A docstring
of two lines."""

from dataclasses import dataclass
from pathlib import Path

from somewhere import far
from {package}.other import helper

QUERY = Path(__file__).with_name("q.sql")  # one line of code
UNUSED = 1


@dataclass
class Toy:
    """Not counted."""

    # nor this
    rows: int = 3

    def view(self, data, name):
        if name != "features":
            raise ValueError(name)
        return self._made(helper(far(data)))

    def _made(self, rows):
        # a comment
        return QUERY.read_text(), rows

    def score(self):
        return UNUSED


def unused(data):
    return data
'''
OTHER = """def helper(x):
    return deeper(x)

def deeper(x):
    return x

def not_used():
    pass
"""
SQL = "-- words\n\n/* more\nwords */\nselect 1, -- one\n    2\nfrom t\n"
MODEL = '''"""One sentence."""

import numpy as np
from annotated_types import Ge
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal


@dataclass
class Looped:
    steps: Annotated[int, Ge(1)] = 3
    rate: float = 0.1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    random_state: int = 0

    needs: ClassVar[int] = 1

    def fit(self, X, y):
        for _ in range(self.steps):
            # a comment
            step(X)
        return self

    def predict(self, X):
        for _ in X:
            pass


def step(X):
    while True:
        break
'''


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A package with a task and a model; its name."""
    name = f"toy_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text(TASK.format(package=name))
    (folder / "other.py").write_text(OTHER)
    (folder / "q.sql").write_text(SQL)
    (tmp_path / f"{name}_model.py").write_text(MODEL)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return name


def counted(name: str, view: str = "features", **model: object) -> dict:
    config = {"task": {"_target_": f"{name}.Toy"}, "model": {"_target_": f"{name}_model.Looped"}}
    return ledger.of_sources(config, {"model": model}, view)


def test_feature_code_is_what_stands_behind_the_view(sources):
    found = counted(sources)
    assert found["feature_lines_sql"] == 3
    # Of view four lines, of _made two, QUERY, helper and deeper.
    assert found["feature_lines_python"] == 4 + 2 + 1 + 2 + 2


def test_a_view_that_is_a_file_counts_that_file(sources, tmp_path):
    text = tmp_path / sources / "text.py"
    text.write_text('"""Words."""\n\n\ndef view(task, data):\n    return data\n')
    (tmp_path / sources / "plain.sql").write_text(SQL)
    text, plain = (counted(sources, view) for view in ("text", "plain"))
    assert (text["feature_lines_sql"], text["feature_lines_python"]) == (0, 2)
    assert (plain["feature_lines_sql"], plain["feature_lines_python"]) == (3, 0)


def test_model_code_loops_and_knobs(sources):
    found = counted(sources, rate=0.3)
    assert found["model_lines"] == len(
        [
            line
            for line in MODEL.splitlines()
            if line.strip() and not line.strip().startswith(("#", '"'))
        ]
    )
    assert found["loop_lines"] == 2 + 2  # in fit, and in what it calls; predict has one of its own
    assert (found["knobs"], found["knobs_changed"], found["knobs_tuned"]) == (2, 1, 0)
    assert found["gpu"] == "can use"


def test_packages_are_those_required_beyond_what_is_given():
    found = ledger._packages("models.network.Network")
    assert "torch" in found["packages"]
    assert not {"numpy", "pandas", "annotated-types"} & set(found["packages"])
    assert found["package_bytes"] > 50e6
    assert (
        ledger._packages("sklearn.svm.SVC")["packages"]
        == ledger._packages("models.baseline.Baseline")["packages"]
    )


@pytest.mark.parametrize(
    ("model", "classes"),
    [
        ("models.logistic.Logistic", ["OneHotEncoder", "SimpleImputer", "StandardScaler"]),
        ("models.random_forest.RandomForest", ["OrdinalEncoder"]),
        ("models.boosting.XGBoost", []),
        ("models.baseline.Baseline", []),
        (
            "sklearn.neighbors.KNeighborsClassifier",
            ["OneHotEncoder", "SimpleImputer", "StandardScaler"],
        ),
    ],
)
def test_what_a_model_does_to_the_view(model, classes):
    config = {"task": {"_target_": "tasks.shipped.Shipped"}, "model": {"_target_": model}}
    assert ledger.of_sources(config, {}, "features")["preparation"] == classes
    as_it_is = config | {"model": {"_target_": model, "prepare": "nothing"}}
    if model.startswith("sklearn"):
        assert ledger.of_sources(as_it_is, {}, "features")["preparation"] == []


def test_a_class_of_another_package_costs_no_line_here():
    config = {
        "task": {"_target_": "tasks.shipped.Shipped"},
        "model": {"_target_": "sklearn.neighbors.KNeighborsClassifier"},
    }
    found = ledger.of_sources(config, {}, "features")
    assert (found["model_lines"], found["loop_lines"], found["knobs"]) == (0, 0, None)
    assert (found["feature_lines_sql"], found["feature_lines_python"]) == (0, 0)


def test_every_record_has_a_ledger(eras, records):
    neighbours = "model._target_=sklearn.neighbors.KNeighborsClassifier"
    assert eras("task=breast_cancer", "model=mine", neighbours).returncode == 0
    done = eras("task=breast_cancer", "model=logistic", "tune=trials", "tune.trials=3")
    assert done.returncode == 0, done.stderr
    plain, tuned = sorted(
        (r for r in records() if r["model"] == "logistic"), key=lambda r: r["work"]["fits"]
    )
    assert (plain["work"]["fits"], tuned["work"]["fits"]) == (1, 4)
    assert tuned["work"]["knobs_tuned"] == 1
    assert plain["work"]["raw_columns"] == 30
    assert plain["work"]["labels"] == plain["rows"]["train"]
    assert plain["size_bytes"] > 0
    (other,) = (r for r in records() if r["model"] == "mine")
    assert other["work"]["knobs"] > 5  # the estimator's own parameters


def test_the_table_leaves_out_what_nobody_has(record):
    assert ledger_table(*sections([record() | {"work": None}])) is None
    work = {
        "model_lines": 12,
        "loop_lines": 0,
        "packages": ["a", "b"],
        "package_bytes": 3_000_000,
        "gpu": "no",
        "fits": 2,
    }
    text = fragment([ledger_table(*sections([record(work=work)]))])
    assert "| svm   |    12 |     0 |    2 |" in text
    assert "designed |" not in text
