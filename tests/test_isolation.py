"""What a module of a model or a task does when it is loaded reaches no other cell."""

import sys

import pytest

from benchmarks.cell.clock import Clock
from benchmarks.cell.prepared import Prepared, prepare
from benchmarks.plan.libraries import HARMLESS, libraries_of
from benchmarks.records.records import Cell
from tasks.base import UnknownView
from tests.conftest import ROOT
from tests.harness import Coin

DYING = {
    "exits": "exited with code 3 in import",
    "crashes": "killed by signal 11 (SIGSEGV) in import",
    "leaves": "SystemExit: no licence for this machine",
    "interrupts": "KeyboardInterrupt",
    "hangs": "stopped after 3 s in import",
}


@pytest.fixture
def planted(tmp_path) -> str:
    """A folder of configs for what lies in tests/planted, as an argument."""
    for part, target in (("model", "Model"), ("task", "Task")):
        folder = tmp_path / "conf" / part
        folder.mkdir(parents=True)
        for name in (*DYING, "patches", "checks", "tells", "kills_its_parent"):
            (folder / f"{name}.yaml").write_text(f"_target_: tests.planted.{name}.{target}\n")
    return f"--config-dir={tmp_path / 'conf'}"


@pytest.mark.slow
def test_a_module_that_dies_on_import_fails_its_own_cells_alone(eras, records, planted):
    done = eras(planted, f"model={','.join(DYING)},steep", "limits.seconds=3", "seed=0")
    assert done.returncode == 1
    found = {r["model"]: (r["status"], r["reason"]) for r in records()}
    assert found.pop("steep") == ("done", None)
    assert found.pop("hangs")[0] == "timeout"
    assert {model: reason for model, (_, reason) in found.items()} == {
        model: reason for model, reason in DYING.items() if model != "hangs"
    }


def test_a_file_that_is_no_python_fails_its_own_cells_alone(
    apart, records, planted, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "broken.py").write_text("def x(:\n")
    (tmp_path / "conf" / "model" / "broken.yaml").write_text("_target_: broken.Model\n")
    assert apart(planted, "model=broken,steep", "allow=[tests,broken]").returncode == 1
    found = {r["model"]: r["reason"] for r in records()}
    assert found == {"broken": "SyntaxError: invalid syntax (broken.py, line 1)", "steep": None}


def test_what_a_module_changes_in_a_library_stays_in_its_cells(eras, records, planted):
    eras(planted, "model=steep,baseline", "seed=0,1", "run=without")
    eras(planted, "model=patches,steep,baseline", "seed=0,1", "run=with")

    def scores(run: str) -> dict:
        return {
            (r["model"], r["seed"]): (
                r["scores"],
                r["floor"],
                r["ceiling"],
                r["prepared"]["origin"],
            )
            for r in records(run)
            if r["model"] != "patches"
        }

    alone, beside = scores("without"), scores("with")
    assert {key: value[:3] for key, value in alone.items()} == {
        key: value[:3] for key, value in beside.items()
    }
    assert "found" in {value[3] for value in beside.values()}, "rows that another cell had made"


def test_a_check_that_hangs_or_dies_is_its_own_cells_ending(eras, records, planted):
    ways = "task.way=good,hangs,exits"
    eras(planted, "task=checks", ways, "model=steep", "limits.seconds=1", "run=tasks")
    assert {r["config"]["task"]["way"]: r["reason"] for r in records("tasks")} == {
        "good": None,
        "hangs": "stopped after 1 s in import",
        "exits": "exited with code 5 in import",
    }
    eras(planted, "model=checks", "model.way=good,leaves", "run=models")
    assert {r["config"]["model"]["way"]: r["reason"] for r in records("models")} == {
        "good": None,
        "leaves": "SystemExit: 4",
    }
    refused = eras(planted, "model=checks", "model.way=good,refuses", "run=none")
    assert refused.returncode == 2
    assert "way=refuses is refused" in refused.stderr
    assert records("none") == []


def test_rows_of_another_view_than_the_models_own_are_not_taken():
    """Rows are shared by what a model's source says; its class may have inherited something else,
    and a task may have both."""
    job = {"seed": 0, "view": "features", "task": {}}
    kept = Prepared(Coin().load(0), "of the features", "of the features", {}, "found")
    assert prepare(job, Coin(), Clock(), "features", kept) is kept
    with pytest.raises(UnknownView):
        prepare(job, Coin(), Clock(), "text", kept)


def test_only_harmless_libraries_are_loaded_ahead(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "own"
    package.mkdir()
    (package / "__init__.py").write_text("from . import deep\nimport own.other as other\n")
    (package / "deep.py").write_text(
        "import json\nimport torch\nimport lightgbm\n"
        "from sklearn import svm\n"
        "if True:\n    from scipy.stats import norm\n"
        "def late():\n    import pyarrow.orc\n"
    )
    (package / "other.py").write_text("this is no Python\n")
    config = {"task": {"_target_": "own.Task"}, "model": {"_target_": "sklearn.dummy.X"}}
    cell = Cell("t", "m", 0, config, {}, {})
    assert libraries_of([cell]) == {
        *("torch", "torch._dynamo", "sklearn", "sklearn.svm", "sklearn.dummy"),
        *("scipy.stats", "scipy.stats.norm", "benchmarks.cell.foreign"),
    }
    assert not HARMLESS & {"models", "tasks", "tests", "own"}


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_cell_finds_nothing_of_others(eras, records, planted):
    """No code of another cell, no descriptor of its parents, and nothing to read."""
    done = eras(planted, "model=baseline,tells,steep")
    assert done.returncode == 0, done.stdout
    notes = next(r["notes"] for r in records() if r["model"] == "tells")
    assert notes == {
        "loaded": [
            *("tasks.base", "tasks.histories", "tasks.influences", "tasks.metrics", "tasks.pieces"),
        ],
        "open": {"0": "null", "1": "cell.log", "2": "cell.log"},
        "read": "",
        "cwd": str(ROOT),
        "alone": True,
        "term": True,
    }


@pytest.mark.slow
def test_a_cell_that_ends_its_worker_is_the_only_one_that_fails(apart, records, planted):
    done = apart(planted, "model=kills_its_parent,steep", "limits.seconds=20")
    assert done.returncode == 1, done.stderr
    assert {r["model"]: r["reason"] for r in records()} == {
        "kills_its_parent": "the worker ended in import: killed by signal 9 (SIGKILL)",
        "steep": None,
    }
