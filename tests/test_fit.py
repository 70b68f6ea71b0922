"""Taking the winner: what a folder holds, that it answers as its cell did, and what is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import fit
from benchmarks.cell import packed
from benchmarks.cell.answers import Asked
from benchmarks.cell.build import build
from benchmarks.cell.jobs import Refused
from benchmarks.cell.new_rows import reader_of
from benchmarks.cell.restored import HARMLESS, Unfit, restored
from tasks.base import Data
from tests.conftest import ROOT
from tests.examples import EXAMPLES, KINDS
from tests.takes import answers, new_rows, outcomes, scored, taken, task_of, write_table

DAILY = ("logistic,xgboost,network", "ridge,xgboost,network")
ON_TABLES = (
    "baseline,logistic,svm,svm_library,nystroem,nystroem_library,random_forest,"
    "random_forest_library,xgboost,xgboost_library,mlp,mlp_library,network,table_prior",
    "baseline,ridge,svm,svm_library,nystroem,nystroem_library,random_forest,"
    "random_forest_library,xgboost,xgboost_library,mlp,mlp_library_values,network",
)
"""Of classes, and of numbers: every model of conf/model that reads a table and needs nothing that
is not installed."""
FORMS = {".json", ".safetensors", ".ubj", ".skops", ".md", ".py", ".txt", ""}
ALL_FORMS = {"state.json", "taken.json", "card.md", "SHA256SUMS"}


def compare(eras, worker, tmp_path, records, kind: str, models: str) -> None:
    """Run models on a table; take each as its cell was fitted, and have its test rows predicted."""
    table = write_table(tmp_path / "table.csv", kind)
    done = eras(*task_of(table), f"model={models}", "seed=3")
    assert done.returncode == 0, done.stderr
    found = records()
    assert {record["model"] for record in found} == set(models.split(","))
    for record in found:
        assert record["status"] == "done", record["reason"]
        raw = outcomes(tmp_path / "a", record)
        folder = tmp_path / record["model"]
        taken(worker, tmp_path / "a", record["model"], folder, "--train-only")
        new = new_rows(table, raw["ids"], tmp_path / f"{record['model']}.csv")
        said = answers(scored(worker, folder, new), raw.get("classes", ()))
        assert np.abs(said.astype(raw["predictions"].dtype) - raw["predictions"]).max() == 0, (
            record["model"]
        )


@pytest.mark.parametrize(
    "kind",
    ["binary", *(pytest.param(k, marks=pytest.mark.slow) for k in KINDS if k != "binary")],
)
def test_answers_are_those_of_the_cell_bit_for_bit(eras, worker, tmp_path, records, kind):
    models = DAILY[kind == "regression"]
    compare(eras, worker, tmp_path, records, kind, models)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_model_that_reads_a_table(eras, worker, tmp_path, records, kind):
    compare(eras, worker, tmp_path, records, kind, ON_TABLES[kind == "regression"])


def test_a_folder_holds_all_rows_a_card_checksums_and_no_pickle(eras, worker, tmp_path, capsys):
    table = write_table(tmp_path / "table.csv", "binary")
    assert eras(*task_of(table), "model=xgboost,baseline", "seed=0,1").returncode == 0
    assert fit.main([str(tmp_path / "a"), "xgboost"], worker) == 0
    folder = tmp_path / "a" / "taken" / "xgboost"
    assert str(folder) in capsys.readouterr().out
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert files >= ALL_FORMS | {"score.py", "restored.py", "models/boosting.py"}
    assert {Path(name).suffix for name in files} <= FORMS
    facts = json.loads((folder / "taken.json").read_text())
    assert (facts["form"], facts["rows"], facts["rows_of"], facts["seed"]) == (1, 260, "all", 0)
    assert facts["reads"] == ["price", "tenure", "plan", "since", "last paid"]
    assert facts["classes"] == ["no", "yes"]
    card = (folder / "card.md").read_text()
    for words in ("xgboost", "all 260 rows", "ROC AUC", " to ", "95 %", "score.py", "## Limits"):
        assert words in card
    checked = subprocess.run(
        ["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
    # It is there already, and nothing else is replaced.
    assert fit.main([str(tmp_path / "a"), "xgboost"], worker) == 2
    assert fit.main([str(tmp_path / "a"), "xgboost", "--replace"], worker) == 0
    other = tmp_path / "a" / "cells"
    assert fit.main([str(tmp_path / "a"), "xgboost", "--to", str(other), "--replace"], worker) == 2
    assert list(other.glob("*.json"))
    assert not list(folder.parent.glob(".*")), "what was on its way is gone"


@pytest.mark.parametrize(
    ("kind", "model"), [("binary", "xgboost"), ("regression", "ridge"), ("multiclass", "network")]
)
def test_score_does_the_same_without_the_kit(eras, worker, tmp_path, kind, model):
    table = write_table(tmp_path / "table.csv", kind)
    assert eras(*task_of(table), f"model={model}", "seed=0").returncode == 0
    folder = taken(worker, tmp_path / "a", model, tmp_path / "folder")
    new = new_rows(table, range(0, 200, 3), tmp_path / "new.csv", plan="never seen")
    with_kit = scored(worker, folder, new)
    script = (
        "import runpy, sys\n"
        "sys.argv = ['score.py', 'new.csv', 'alone.csv']\n"
        "sys.path.insert(0, 'folder')\n"
        "runpy.run_path('folder/score.py')\n"
        "ours = [m for name, m in sys.modules.items() if name.startswith(('models', 'tasks'))]\n"
        "assert all('folder' in str(m.__file__) for m in ours), ours\n"
        "assert not [name for name in sys.modules if name.startswith('benchmarks')]\n"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    alone = pd.read_csv(tmp_path / "alone.csv")
    assert list(alone.columns) == list(with_kit.columns)
    for name in alone:
        if alone[name].dtype.kind == "f":
            np.testing.assert_allclose(alone[name], with_kit[name], rtol=1e-9, atol=1e-9)
        else:
            assert list(alone[name]) == list(with_kit[name])
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("pandas==") for line in lines)
    assert not any(line.startswith(("hydra", "optuna", "pyarrow", "duckdb")) for line in lines)


def test_a_tuned_row_is_fitted_with_what_its_search_chose(eras, worker, tmp_path, records):
    table = write_table(tmp_path / "table.csv", "binary")
    settings = ("model=logistic", "seed=0", "tune=trials", "tune.trials=3")
    assert eras(*task_of(table), *settings).returncode == 0
    (tuned,) = (record for record in records() if record["tuning"])
    folder = taken(worker, tmp_path / "a", "logistic tuned ×3", tmp_path / "folder")
    facts = json.loads((folder / "taken.json").read_text())
    assert facts["config"]["model"]["C"] == tuned["tuning"]["chosen"]["C"]
    assert "searched for" in (folder / "card.md").read_text()


def test_what_there_is_is_listed(eras, worker, tmp_path, capsys):
    table = write_table(tmp_path / "table.csv", "binary")
    done = eras(*task_of(table), "model=logistic", "model.C=1,10", "seed=0")
    assert done.returncode == 0, done.stderr
    capsys.readouterr()
    run = str(tmp_path / "a")
    for asked, words in (
        ([run, "svm"], "no row 'svm'; there are: logistic; logistic C=10.0"),
        ([run, "logistic", "--seed", "5"], "done on the seeds 0"),
        ([run, "logistic", "--task", "other"], "no rows of 'other'"),
        ([str(tmp_path / "b"), "logistic"], "There is no run"),
    ):
        assert fit.main([*asked, "--to", str(tmp_path / "x")], worker) == 2
        error = capsys.readouterr().err
        assert words in error
        assert len(error.splitlines()) == 1
    assert fit.main([run, "logistic C=10.0", "--to", str(tmp_path / "x")], worker) == 0


def test_what_is_kept_in_no_form_without_a_pickle_is_refused(eras, worker, tmp_path, capsys):
    table = write_table(tmp_path / "table.csv", "binary")
    process = "model._target_=sklearn.gaussian_process.GaussianProcessClassifier"
    assert eras(*task_of(table), "model=mine", process, "seed=0").returncode == 0
    capsys.readouterr()
    assert fit.main([str(tmp_path / "a"), "mine", "--to", str(tmp_path / "x")], worker) == 2
    error = capsys.readouterr().err
    assert "which nobody vouches for" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "x").exists()


def test_changed_data_are_not_what_was_measured(eras, worker, tmp_path, capsys):
    table = write_table(tmp_path / "table.csv", "binary")
    assert eras(*task_of(table), "model=baseline", "seed=0").returncode == 0
    write_table(table, "binary", rows=200)
    capsys.readouterr()
    assert fit.main([str(tmp_path / "a"), "baseline", "--to", str(tmp_path / "x")], worker) == 2
    assert "what would be fitted is not what was measured" in capsys.readouterr().err


OTHERS = {
    "events": ("gru.GRU", "transformer.Transformer", "kalman.Kalman"),
    "signal": ("convnet.ConvNet", "rocket.Rocket", "transformer.Transformer"),
    "ids": ("hashed_logistic.HashedLogistic", "factorisation.Factorisation", "embedder.Embedder"),
}


@pytest.mark.parametrize("kind", ["multiclass", "regression"])
@pytest.mark.parametrize(
    ("view", "name"), [(view, name) for view, names in OTHERS.items() for name in names]
)
def test_models_of_other_views_are_kept_in_the_same_way(tmp_path, view, name, kind):
    target = f"models.{name}"
    short = getattr(build({"_target_": target}), "warm_up", {})
    model = build({"_target_": target, **short})
    if kind == "regression" and "values" not in getattr(model, "answers", ("values",)):
        pytest.skip("it gives no values")
    X, y = EXAMPLES[view](96, 0, kind)
    model.fit(X, y)
    packed.write(tmp_path, {"model": model}, len(y))
    (again,) = restored(tmp_path, "model")
    classes = () if kind == "regression" else tuple(map(str, model.classes_))
    data = Data(None, [0.0] if not classes else [0], [0.0] if not classes else [0], classes)
    other, _ = EXAMPLES[view](40, 1, kind)
    said, says = Asked(model, data)(other, "checks"), Asked(again, data)(other, "checks")
    np.testing.assert_array_equal(said, says)
    if view == "events":
        with pytest.raises(Refused, match="stand in no one file"):
            reader_of(X, [])


def test_only_known_classes_are_made(tmp_path):
    for name in ("subprocess.Popen", "os.system", "hydra.utils.instantiate"):
        part = {"model": {"is": "object", "class": name, "at": "model", "of": {}}}
        (tmp_path / "state.json").write_text(json.dumps(part))
        with pytest.raises(Unfit, match="neither of the model's own project"):
            restored(tmp_path, "model")
    of = [["_target_", "os.system"], ["command", "exit 1"]]
    call = {"is": "dict", "of": of}
    build = "benchmarks.cell.build.build"
    for part in (
        {
            "is": "tuple",
            "class": build,
            "of": [{"is": "dict", "of": list(map(list, call.items()))}],
        },
        {"is": "tuple", "class": "models.boosting.XGBoost", "of": []},
        {"is": "xgboost", "class": build, "of": "x.ubj"},
        {"is": "module", "class": build, "at": "model"},
        {"is": "object", "class": build, "at": "model", "of": {}},
        {"is": "state", "class": "models.boosting.XGBoost", "of": "x"},
        {"is": "function", "of": build},
        {"is": "partial", "function": build, "arguments": [], "of": {}},
        {"is": "made", "of": []},
        {"is": "_class__", "of": []},
    ):
        (tmp_path / "state.json").write_text(json.dumps({"model": part}))
        with pytest.raises(Unfit):
            restored(tmp_path, "model")
    assert all(name.startswith(("sklearn.", "numpy.dtype")) for name in HARMLESS)
    assert (ROOT / "benchmarks" / "cell" / "restored.py").read_text().count("pickle") == 0
