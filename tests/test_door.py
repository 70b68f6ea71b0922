"""The door: commands from anywhere, what was meant by them, and what depends on the place."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchmarks import (
    commands,
    compare,
    confirm,
    export,
    fit,
    look,
    predict,
    report,
    rerun,
    runs,
    split,
    status,
    verdicts,
)
from benchmarks.errors import BadInput, nearest
from benchmarks.plan.sentences import require_settings
from benchmarks.plan.sources import code_hash, is_installed
from benchmarks.records import machine
from benchmarks.records.records import Run
from model_eras import place
from tests.conftest import OWN_CONF, ROOT, door, processes_with, wait_for
from tests.examples import heads

HOSTILE = ("benchmarks", "tasks", "models", "hydra_plugins", "tests")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def hostile(tmp_path) -> Path:
    """A folder in which everything is called like a part of the kit, and nothing is one."""
    for name in HOSTILE:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("model: not this one")
    return tmp_path


# Commands ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_folder_of_namesakes_is_in_nobodys_way(hostile):
    """In the process of the command and in those that it starts."""
    arguments = ("task=coin", "model=steep", "seed=0", "run=a", "threads=1", "allow=tests")
    done = door(OWN_CONF, *arguments, cwd=hostile)
    assert done.returncode == 0, done.stderr
    assert "1 cells to run" in done.stdout
    assert (hostile / "results" / "a" / "table.md").is_file(), "results lie where one is"
    assert "model-eras report results/a" in " ".join(done.stdout.split())
    told = door("runs", cwd=hostile)
    assert re.search(r"a +1 .*coin +steep", told.stdout), told.stdout + told.stderr


def test_exit_codes_and_sentences_are_the_commands_own(tmp_path):
    done = door("model=foo", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: There is no model 'foo'")
    done = door("report", "nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert "There is no run nowhere" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
def test_signals_are_the_commands_own(tmp_path, number):
    line = [sys.executable, "-m", "model_eras", OWN_CONF, "task=coin", "model=steep", "run=a"]
    process = subprocess.Popen(
        [
            *line,
            "model.mode=good,hang",
            "seed=0",
            "threads=1",
            "allow=tests",
            f"results={tmp_path}",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in CODES],
    )
    cells = tmp_path / "a" / "cells"
    wait_for(lambda: list(cells.glob("*.json")) and list(cells.glob("*.partial/phase")), 60)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == CODES[number]
    assert "What is done is recorded" in out
    assert [json.loads(p.read_text())["status"] for p in cells.glob("*.json")] == ["done"]
    wait_for(lambda: not processes_with(tmp_path))


def test_every_command_is_listed_and_has_a_help(capsys):
    """A module that can be run and stands in no list would be found by nobody."""
    typed = {
        file.stem
        for file in ROOT.glob("benchmarks/*.py")
        if 'if __name__ == "__main__":' in file.read_text() and file.stem[:2] != "__"
    }
    assert typed - {"notebook"} == set(commands.COMMANDS) - {"run"}
    for module in (
        *(compare, confirm, export, fit, predict, report, rerun, runs, split, status, verdicts),
    ):
        with pytest.raises(SystemExit, match="0"):
            module.main(["--help"])
        name = module.__name__.rpartition(".")[2]
        assert f"usage: python -m benchmarks.{name}" in capsys.readouterr().out
    assert look.main(["--help"]) == 0
    assert "benchmarks.look churn.csv" in capsys.readouterr().out


def test_commands_are_called_as_they_were_typed(monkeypatch):
    text = "`python -m benchmarks suite=own` and `python -m benchmarks.report default`"
    assert commands.spoken(text) == text
    monkeypatch.setenv("MODEL_ERAS_COMMAND", "model-eras")
    assert commands.spoken(text) == "`model-eras suite=own` and `model-eras report default`"
    assert place.environment()["MODEL_ERAS_COMMAND"] == "model-eras"


def test_the_version_is_told(tmp_path):
    assert re.fullmatch(r"model-eras .+\n", door("--version", cwd=tmp_path).stdout)


# What is meant -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "meant"),
    {
        "seeds=0,1": "There is no setting seeds; did you mean seed? There are: allow, cache",
        "rows=500": "There is no setting rows; did you mean task.rows? There are:",
        "factor=2": "There is no setting factor; did you mean model.factor?",
        "modle=svm": "There is no setting modle; did you mean",
        "metrics=log_loss": "did you mean metric?",
        "task.row=500": "There is no setting task.row; did you mean task.rows? There are: ",
        "limits.second=3": "There is no setting limits.second; did you mean limits.seconds?",
        "model=steeep": "There is no model 'steeep'; did you mean steep? There are: ",
        "suite=contrls": "There is no suite 'contrls'; did you mean controls? There are: bits",
    }.items(),
)
def test_what_was_meant_is_asked(main, argument, meant):
    code, err = main(argument)
    assert code == 2
    assert meant in err
    assert len(err.splitlines()) == 1


def test_a_command_that_does_not_exist_and_a_table_alone(tmp_path, monkeypatch):
    with pytest.raises(BadInput, match=r"no command reprot; did you mean report\?"):
        require_settings(["reprot", "default"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.csv").write_text("x,y\n1,2\n")
    with pytest.raises(BadInput, match=r"look 'a b\.csv' shows .* task\.path='a b\.csv'"):
        require_settings(["a b.csv"])
    with pytest.raises(BadInput, match="neither KEY=VALUE nor an option"):
        require_settings(["zzz"])


def test_nothing_is_meant_by_what_is_like_nothing():
    assert nearest("foo", ["seed", "task.rows", "model.C"]) == []
    assert nearest("c", ["seed", "model.C"]) == ["model.C"]


# A first look ------------------------------------------------------------------------------------


@pytest.fixture
def churn(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    table = heads(200).assign(zip=["01234", "55555"] * 100, since=["2024-01-31"] * 200)
    table.to_csv(tmp_path / "churn.csv", index=False)
    return "churn.csv"


def test_a_look_at_a_path_lists_the_columns(churn, capsys):
    assert look.main([churn]) == 0
    out = capsys.readouterr().out
    text = " ".join(out.split())
    assert "rows 200" in text
    assert "columns 4" in text
    assert "Say it with task.target=COLUMN" in text
    assert "the default suite roughly" in text
    kinds = dict(re.findall(r"^ +(\w+) +(number|category|date|left out) ", out, re.MULTILINE))
    assert kinds == {"x": "number", "y": "category", "zip": "category", "since": "left out"}
    assert "! 'zip'" in text, "doubts are told before there is a target as well"
    assert look.main(["task=table", f"task.path={churn}"]) == 0
    seconds = re.compile(r"roughly [\d.,]+ \w+")
    assert seconds.sub("", capsys.readouterr().out) == seconds.sub("", out)


def test_a_look_at_a_path_with_a_target_is_the_usual_one(churn, capsys):
    assert look.main([churn, "task.target=y"]) == 0
    out = capsys.readouterr().out
    assert look.main(["task=table", f"task.path={churn}", "task.target=y"]) == 0
    seconds = re.compile(r"roughly [\d.,]+ \w+")  # of a machine that is never quite as fast again
    assert seconds.sub("", capsys.readouterr().out) == seconds.sub("", out)
    assert "y is binary" in out


def test_a_look_asks_what_is_meant(churn, capsys):
    for argument, meant in {
        "target=y": "not target=y; did you mean task.target=y?",
        "type=y": "did you mean task.types=y?",
        "model=svm": "not model=svm",
    }.items():
        assert look.main([churn, argument]) == 2
        assert meant in capsys.readouterr().err
    assert look.main(["nowhere.csv"]) == 2
    assert capsys.readouterr().err == "error: there is no file nowhere.csv\n"
    Path("empty.csv").write_text("x,y\n")
    assert look.main(["empty.csv"]) == 2


@pytest.mark.parametrize("name", ["a=b.csv", "task.csv", "a,b.csv", "it's.csv", "${x}.csv"])
def test_a_look_takes_a_path_of_any_name(churn, name, capsys):
    Path(churn).rename(name)
    assert look.main([name]) == 0, capsys.readouterr().err


# Runs --------------------------------------------------------------------------------------------


def test_runs_are_listed_with_what_became_of_them(tmp_path, record, capsys):
    for name, statuses, day in (("old", ["done"] * 3, 1), ("new", ["done", "failed"], 5)):
        cells = tmp_path / name / "cells"
        cells.mkdir(parents=True)
        for k, ended in enumerate(statuses):
            reason = None if ended == "done" else "it fell"
            started = f"2026-01-0{day}T12:04:05+00:00"
            made = record(seed=k, status=ended, reason=reason, started=started)
            (cells / f"{k}.json").write_text(json.dumps(made))
    (tmp_path / "new" / "cells" / "broken.json").write_text("{")
    (tmp_path / "nothing" / "cells").mkdir(parents=True)
    assert runs.main(["--results", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines() if re.match(r" *(old|new|nothing) ", line)]
    assert [line[:-2] for line in lines] == [
        ["new", "1", "1", "coin", "svm"],
        ["old", "3", "coin", "svm"],
    ]
    assert lines[0][-2] == "2026-01-05"
    assert "! new: 1 record cannot be read" in " ".join(out.split())
    assert runs.main(["ol", "--results", str(tmp_path)]) == 0
    assert "new" not in capsys.readouterr().out
    assert runs.main(["--results", str(tmp_path / "none")]) == 0
    assert "holds no run yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("model.factor=abc",),
        ("seeds=1",),
        ("threads=0",),
        ("task=notifications", "model=baseline", "task.rows=1000", "task.users=5000"),
    ],
)
def test_a_command_that_fails_leaves_no_empty_run(main, tmp_path, arguments):
    assert main(*arguments)[0] == 2
    assert not (tmp_path / "a").exists()


def test_what_a_run_holds_stays_when_a_command_fails(eras, main, tmp_path):
    assert eras().returncode == 0
    before = sorted(tmp_path.rglob("*"))
    usual = ("task=notifications", "model=baseline", "task.rows=1000", "task.users=5000")
    assert main(*usual)[0] == 2, "refused by the task, when the folder was opened already"
    assert sorted(tmp_path.rglob("*")) == before


LEFT = """
import os, signal, sys
from pathlib import Path
from benchmarks import interruption
from benchmarks.records.records import Run
interruption.leave_when_interrupted()
run = Run(Path(sys.argv[1]) / "results" / "a")
run.create()
with interruption.tidied(run.leave_if_empty):
    if len(sys.argv) > 2:
        (run.cells / "x.json").touch()
    os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_signal_before_the_first_cell_leaves_no_empty_run(tmp_path):
    def code(*arguments: str) -> int:
        line = [sys.executable, "-c", LEFT, str(tmp_path), *arguments]
        return subprocess.run(line, cwd=ROOT, capture_output=True).returncode

    assert code() == 143
    assert not list(tmp_path.iterdir()), "nor the folder of results that was made for it"
    assert code("holds a record") == 143
    assert (tmp_path / "results" / "a" / "cells" / "x.json").is_file()


def test_a_folder_that_somebody_else_made_is_not_taken_away(tmp_path):
    (tmp_path / "results").mkdir()
    run = Run(tmp_path / "results" / "a")
    run.create()
    run.leave_if_empty()
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


# What depends on the place -----------------------------------------------------------------------


def test_own_code_is_own_code_where_the_kit_is_installed(monkeypatch, tmp_path):
    kit = tmp_path / "site-packages" / "model_eras" / "kit"
    monkeypatch.setattr("benchmarks.plan.sources.ROOT", kit)
    assert not is_installed(kit / "models" / "svm.py")
    assert is_installed(kit / ".venv" / "site-packages" / "x.py")
    assert is_installed(tmp_path / "site-packages" / "sklearn" / "svm.py")


def test_code_has_one_hash_wherever_it_lies(monkeypatch, tmp_path):
    """So that a run that was begun in a clone goes on with the wheel."""
    here = {name: code_hash(f"models.{name}.X") for name in ("svm", "network", "encoder")}
    kit = tmp_path / "site-packages" / "kit"
    shutil.copytree(ROOT / "models", kit / "models", ignore=shutil.ignore_patterns("weights"))
    monkeypatch.setattr("benchmarks.plan.sources.ROOT", kit)
    monkeypatch.setattr(sys, "path", [str(kit), *sys.path])
    assert {name: code_hash(f"models.{name}.X") for name in here} == here
    monkeypatch.setattr("benchmarks.plan.sources.ROOT", tmp_path / "elsewhere")
    assert code_hash("models.network.X") != here["network"], "the test could not fail"


def test_an_installed_kit_has_no_commit_of_somebody_else(tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".venv" / "kit").mkdir(parents=True)
    assert machine.git_commit(tmp_path / ".venv" / "kit") is None


# Packages ----------------------------------------------------------------------------------------


def groups() -> tuple[dict, dict[str, set[str]]]:
    """(pyproject.toml, requirements by dependency group, those that it includes as well)"""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    given = project["dependency-groups"]

    def lines(name: str) -> set[str]:
        found = set()
        for line in given[name]:
            found |= lines(line["include-group"]) if isinstance(line, dict) else {line}
        return found

    return project, {name: lines(name) for name in given}


def test_the_extra_for_developers_is_what_the_groups_say():
    project, found = groups()
    extra = set(project["project"]["optional-dependencies"]["dev"])
    nox = found["dev"] - set().union(*(found[name] for name in found if name != "dev"))
    assert extra == found["lint"] | found["types"] | found["test"] | nox


def test_what_developers_install_is_pinned():
    pinned = {
        Requirement(line).name.lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    _, found = groups()
    for line in found["dev"]:
        name = Requirement(line).name.lower()
        assert name in pinned, f"{name} has no exact pin in constraints.txt"
