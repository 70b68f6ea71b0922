"""What the documents tell people to write works as written."""

import json
import re
import sys

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks.cell.build import build
from benchmarks.records import frame
from benchmarks.records.records import Run
from tests.conftest import ROOT


def blocks(document: str, language: str) -> list[str]:
    text = (ROOT / document).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def written(monkeypatch, tmp_path):
    """Write the only Python block of a document to models/mine.py of another folder."""

    def write(document: str) -> dict:
        (source,) = blocks(document, "python")
        config, *_ = blocks(document, "yaml")
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "__init__.py").touch()
        (tmp_path / "models" / "mine.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        for name in [n for n in sys.modules if n.split(".")[0] == "models"]:
            monkeypatch.delitem(sys.modules, name)
        return yaml.safe_load(config)

    return write


def test_the_model_of_adding_a_model_fits_and_predicts(written):
    config = written("docs/adding-a-model.md")
    (setting,) = config.pop("space")
    model = build({**config, setting: 5})
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=300), "gap": np.nan})
    X["topic"] = pd.Categorical(["a", "b", "c"] * 100)
    y = np.where(X["x"] > 0, "yes", "no").astype(object)
    assert model.fit(X, y) is model
    probabilities = model.predict_proba(X)
    assert (np.array(model.classes_)[probabilities.argmax(axis=1)] == y).mean() > 0.9


@pytest.mark.slow
def test_commands_of_the_documents_use_settings_that_exist(main):
    """Every `python -m benchmarks` line of docs/commands.md composes: none is refused."""
    from benchmarks import run

    (lines,) = [b for b in blocks("docs/commands.md", "sh") if "everyday" in b or "run=small" in b]
    commands = [line.split("#")[0].split() for line in lines.splitlines()]
    commands = [c[3:] for c in commands if c[:3] == ["python", "-m", "benchmarks"]]
    assert len(commands) >= 4
    launched = []
    for arguments in commands:
        if "--help" in arguments:
            continue
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run, "run_cells", lambda plans, *_: launched.append(plans))
            # These suites set what the usual task or model of tests does not know.
            own = {
                "suite=order": ["model=gru"],
                "suite=views": ["model=logistic"],
                "suite=labels": ["task=documents"],
                "suite=planted": ["task=documents"],
                "suite=bits": ["task=documents", "model=prompted"],
            }
            more = [setting for a in arguments for setting in own.get(a, ())]
            if not any(a.startswith("task=") for a in (*arguments, *more)):
                more.append("task=notifications")
            code, err = main(*arguments, *more)
        assert code == 0, err
    assert all(launched)


def test_the_query_of_the_documents(record, tmp_path, monkeypatch):
    run = Run(tmp_path / "results" / "default")
    run.create()
    for seed, auc in ((0, 0.8), (1, 0.7)):
        (run.cells / f"{seed}.json").write_text(json.dumps(record("svm", seed, auc)))
    frame.write(run)
    monkeypatch.chdir(tmp_path)
    (query,) = blocks("docs/page.md", "sql")
    (line,) = duckdb.sql(query).to_arrow_table().to_pylist()
    assert (line["model"], line["roc_auc"]) == ("svm", pytest.approx(0.75))
    assert (line["fit"], line["one_row_ms"]) == (1.0, 2.0)
