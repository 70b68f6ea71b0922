"""What is said before anything runs: help that explains, and what a shell offers at the tab key."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import commands
from benchmarks.plan import completion, help_page
from benchmarks.plan.settings import read_comments
from tests.conftest import ROOT, door


def test_help_says_what_everything_is(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    done = door("--help", "task=table", "model=svm", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    text = done.stdout
    for name, purpose in commands.COMMANDS.items():
        assert re.search(rf"^ +{name} +{re.escape(purpose)}", text, re.MULTILINE)
    whole = re.sub(r"\s+(# )?", " ", text)
    for said in (
        "run: null the folder under results/; null: the suite's name",
        "seconds: 600 a cell that takes longer is ended",
        "target: null the column to predict; unset: the one that OpenML",
        "C: null price of a row inside the margin",
        "scaling Where does each era begin to win? About an hour.",
        "quick All usual eras, once: does it run, and what does it look like? Less than half",
        "own Your own table, split ten times: with few rows three splits tell little",
    ):
        assert said in whole, said
    assert "model-eras look churn.csv" in text
    assert "python -m" not in text
    assert (Path(re.search(r"docs/… lie in (\S+)", text)[1]) / "checks.md").is_file()


@pytest.mark.parametrize("file", sorted(ROOT.glob("conf/suite/*.yaml")), ids=lambda f: f.stem)
def test_every_suite_has_a_purpose_and_no_time_that_is_not_in_its_comment(file):
    purpose, time = help_page.purpose_of(file)
    assert purpose.endswith((".", "?", "…", '"', ")"))
    text = re.sub(r"\n# ", " ", file.read_text())
    assert time.removesuffix(".") in text


def test_every_setting_of_a_run_has_a_comment():
    file = ROOT / "conf" / "config.yaml"
    said = help_page.of_yaml(file)
    settings = {key.rstrip("=") for key in completion.keys(completion.read(file))}
    assert {key for key in settings if not said.get(key)} == set()


def test_comments_are_those_of_the_source(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_own.py").write_text(
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Mine:\n"
        "    # above, and\n    # on two lines\n    a: int = 1\n"
        "    b: str = '#'  # beside\n    c: int = 2\n\n    # a part\n\n    d: int = 3\n"
    )
    assert read_comments("mine_own.Mine") == {
        "a": "above, and on two lines",
        "b": "beside",
        "c": "",
        "d": "",
    }
    (tmp_path / "broken_own.py").write_text("class Mine(:\n")
    assert read_comments("broken_own.Mine") == {}
    assert read_comments("there.is.None") == {}


# Completion --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("model-eras ", ["report", "model=", "seed=", "limits.seconds="], ["svm", "hydra="]),
        ("model-eras rep", ["report"], ["runs", "run="]),
        ("model-eras model=xg", ["model=xgboost", "model=xgboost_library"], ["model=svm"]),
        ("model-eras model=svm,xgb", ["model=svm,xgboost"], ["model=xgboost"]),
        ("model-eras model=svm model.", ["model.C=", "model.gamma="], ["model.n_jobs="]),
        ("model-eras task.r", ["task.rows="], []),
        ("model-eras task=table task.t", ["task.target="], ["task.rows="]),
        ("model-eras suite=sc", ["suite=scaling"], []),
        ("model-eras report ", ["wide"], ["report", "model="]),
        ("model-eras compare wide w", ["wide"], []),
        ("model-eras look ", [], ["report"]),
        ("model-eras look a.csv task.ta", ["task.target="], []),
    ],
)
def test_a_shell_is_offered_what_can_be_typed(line, some, none, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "wide" / "cells").mkdir(parents=True)
    found = completion.offers(line)
    assert set(some) <= set(found)
    assert not set(none) & set(found)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_completion_is_installed_in_bash_and_works(tmp_path):
    script = tmp_path / "bin" / "model-eras"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m model_eras "$@"\n')
    script.chmod(0o755)
    session = """
        eval "$(model-eras -sc install=bash)"
        complete -p model-eras
        COMP_LINE="model-eras model=sv"; COMP_POINT=${#COMP_LINE}; COMP_CWORD=1
        hydra_bash_completion
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", session],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
    )
    assert done.stderr == ""
    first, *offered = done.stdout.splitlines()
    assert "-F hydra_bash_completion model-eras" in first
    assert offered == ["model=svm", "model=svm_library"]


def test_completion_that_cannot_be_is_refused(capsys, monkeypatch):
    assert completion.complete(["-sc", "install=tcsh"]) == 2
    assert "install=SHELL" in capsys.readouterr().err
    monkeypatch.delenv("MODEL_ERAS_COMMAND", raising=False)
    assert completion.complete(["-sc", "install=bash"]) == 2
    assert "Shells complete model-eras, not python" in capsys.readouterr().err
