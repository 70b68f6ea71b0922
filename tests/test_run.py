"""The main job from the command line: what it runs, finds, refuses and survives."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, SEARCH, is_alive, processes_with, wait_for

BAD = {
    "model=foo": "There is no model 'foo'; there are: baseline, chooser, convnet",
    "task=foo": "There is no task 'foo'; there are: ads, breast_cancer",
    "suite=foo": "There is no suite 'foo'; there are: bits, controls, default, full",
    "foo=1": "There is no setting foo; there are: allow, cache, checks, cluster",
    "model.foo=1": "There is no setting model.foo; there are: factor, mode",
    "+model.foo=1": "There is no setting model.foo; there are: factor, mode",
    "+model.random_state=1": "filled in by the cell, such as from seed=",
    "model.factor=abc": "model.factor=abc: input should be a valid number",
    "model.factor=-1": "model.factor=-1: input should be greater than 0",
    "task.rows=-5": "task.rows=-5: input should be greater than 3",
    "task.rows=20000": "task.rows=20000: input should be less than or equal to 10000",
    "task.rows=1.5": "task.rows=1.5: input should be a valid integer",
    "threads=0": "threads=0: input should be greater than or equal to 1",
    "threads=100000": "this machine offers",
    "device=foo": "device=foo: input should be 'auto', 'cpu'",
    "seed=-1": "seed=-1: input should be greater than or equal to 0",
    "limits.seconds=0": "limits.seconds=0: input should be greater than 0",
    "limits.seconds=.inf": "limits.seconds=",
    "limits.foo=1": "There is no setting limits.foo; there are: artifact_mb, ask, memory",
    "run=../x": "run=../x: string should match",
    "run=a,b": "one run",
    "tune=some": "There is no tune 'some'; there are: none, seconds, trials.",
    "tune.trials=3": "There is no setting tune.trials; there are: none.",
    "verdicts.band=-1": "verdicts.band=-1: input should be greater than or equal to 0",
    "metric=ROC": "metric=ROC: string should match",
    "rerun=maybe": "rerun=maybe: input should be 'nothing', 'failed' or 'disturbed'",
    "seed=0,,1": "seed=0,,1: input should be a valid integer",
    "foo": "foo is neither KEY=VALUE nor an option",
    "results=/proc/none": "cannot be written",
}


@pytest.mark.parametrize(("argument", "message"), BAD.items())
def test_bad_input_is_one_sentence_and_code_2(main, tmp_path, argument, message):
    code, err = main(argument)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
    assert err.startswith("error: ")
    assert not list(tmp_path.rglob("*.json")), "a cell ran"


@pytest.mark.skipif(sys.platform == "darwin", reason="may have mps")
def test_a_device_that_is_not_there_is_refused(main):
    code, err = main("device=mps")
    assert code == 2
    assert "device=mps is not there; this machine has: cpu" in err


def test_bad_input_touches_nothing_that_is_recorded(eras, main, tmp_path):
    eras()
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert main("model.factor=abc")[0] == 2
    assert main("run=a", "seed=1", "threads=0")[0] == 2
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_finished_suite_runs_nothing_again_and_shows_the_same_table(apart, tmp_path):
    first = apart("seed=0,1")
    files = sorted((tmp_path / "a" / "cells").iterdir())
    times = [file.stat().st_mtime_ns for file in files]
    second = apart("seed=0,1")
    assert "2 cells to run, 0 found" in first.stdout
    assert "0 cells to run, 2 found" in second.stdout
    assert [file.stat().st_mtime_ns for file in files] == times
    table = second.stdout[second.stdout.index("coin: ") :]
    assert table == first.stdout[first.stdout.index("coin: ") :]
    assert "0.832 ±.086" in table


def test_a_changed_config_is_a_new_cell_and_fresh_runs_all_again(eras, records):
    eras()
    assert "1 cells to run, 0 found" in eras("model.factor=3").stdout
    assert "1 cells to run, 1 found" in eras("model.factor=3,4").stdout
    assert "2 cells to run, 0 found" in eras("model.factor=3,4", "fresh=true").stdout
    assert sorted(r["config"]["model"]["factor"] for r in records()) == [1.0, 3.0, 4.0]
    assert [r["changed"]["model"] for r in records() if r["config"]["model"]["factor"] == 3.0] == [
        {"factor": 3.0}
    ]


def test_every_cell_has_an_ending_and_the_others_go_on(eras, records, tmp_path):
    modes = ["good", "raise", "kill", "exit", "memory", "hang", "not a number"]
    quoted = ",".join(f"'{mode}'" for mode in modes)
    result = eras(f"model.mode={quoted}", "limits.seconds=2")
    endings = {r["config"]["model"]["mode"]: (r["status"], r["reason"]) for r in records()}
    assert endings == {
        "good": ("done", None),
        "raise": ("failed", "RuntimeError: planted [red]failure[/]"),
        "kill": ("failed", "killed by signal 9 (SIGKILL) in fit"),
        "exit": ("failed", "exited with code 3 in fit"),
        "memory": ("out_of_memory", "MemoryError: planted"),
        "hang": ("timeout", "stopped after 2 s in fit"),
        "not a number": ("failed", "ImpossiblePredictions: 2 predictions are NaN or infinite"),
    }
    assert result.returncode == 1
    assert "6 failed" in result.stdout
    assert "timeout (1 of 1): stopped after 2 s in fit" in result.stdout
    assert "planted [red]failure[/]" in result.stdout, "text of a model is not markup"
    logs = [p.read_text() for p in (tmp_path / "a" / "cells").glob("*.log")]
    assert any("a word before the end" in log and "Traceback" in log for log in logs)
    assert not list((tmp_path / "a").rglob("*.partial"))

    again = eras(f"model.mode={quoted}", "limits.seconds=2")
    assert "0 cells to run, 7 found" in again.stdout
    assert again.returncode == 1
    assert "1 cells to run, 6 found" in eras(f"model.mode={quoted}", "limits.seconds=3").stdout
    retried = eras(f"model.mode={quoted}", "limits.seconds=3", "rerun=failed")
    assert "6 cells to run, 1 found" in retried.stdout


def test_a_view_that_the_task_lacks_is_skipped_not_failed(eras, records):
    result = eras("model=reader,steep")
    assert result.returncode == 0
    assert {r["model"]: r["status"] for r in records()} == {"reader": "skipped", "steep": "done"}
    assert "no view 'songs'; it offers features" in result.stdout


def test_regression_shows_its_own_metrics(eras):
    table = eras("task.regression=true").stdout
    assert "R²" in table
    assert "RMSE" in table
    assert "ROC AUC" not in table


def test_an_override_needs_to_fit_only_the_models_asked_for(eras):
    result = eras("model=steep,reader", "model.factor=2")
    assert "2 cells to run" in result.stdout


def test_a_cell_gets_its_seed_and_threads(eras, records):
    eras("seed=7", "threads=1")
    (record,) = records()
    assert record["notes"] == {"random_state": 7, "n_jobs": 1}


@pytest.mark.slow
def test_interrupted_leaves_whole_records_only_and_goes_on_from_there(command, eras, tmp_path):
    arguments = ["model.mode=good,hang", "seed=0,1", "limits.seconds=60"]
    process = subprocess.Popen(
        command(*arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        # A shell that started the tests in the background has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    cells = tmp_path / "a" / "cells"
    wait_for(lambda: list(cells.glob("*.json")) and list(cells.glob("*.partial/phase")))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the same command goes on" in out
    written = list(cells.glob("*.json"))
    assert [json.loads(p.read_text())["status"] for p in written] == ["done"]
    wait_for(lambda: not processes_with(tmp_path))
    result = eras(*arguments[:2], "limits.seconds=1")
    assert "3 cells to run, 1 found" in result.stdout
    assert len(list(cells.glob("*.json"))) == 4
    assert not list(cells.glob("*.partial"))


def test_a_killed_parent_takes_its_cell_along(command, tmp_path):
    process = subprocess.Popen(
        command("model.mode=hang with a child"), cwd=ROOT, stdout=subprocess.DEVNULL
    )
    pids = []

    def has_begun() -> bool:
        files = (tmp_path / "a" / "cells").glob("*.checkpoints/child.pid")
        pids[:] = [int(text) for file in files if (text := file.read_text())]
        return bool(pids)

    wait_for(has_begun)
    assert is_alive(pids[0])
    process.kill()
    process.wait()
    wait_for(lambda: not is_alive(pids[0]))


def test_the_parent_stays_small():
    code = (
        "import sys; from benchmarks import compare, export, run;"
        "from benchmarks.show import pages;"
        "import hydra_plugins.model_eras;"
        "heavy = {'torch', 'sklearn', 'xgboost', 'duckdb', 'pandas', 'pyarrow'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


OWN = "_target_: tests.harness.Steep\nmode: good again\n"


@pytest.fixture
def own_folder(tmp_path) -> Path:
    """A user's own folder of configs, with a model in it."""
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "own.yaml").write_text(OWN)
    return tmp_path / "conf"


@pytest.mark.slow
@pytest.mark.parametrize(
    "how", ["--config-dir={}", "hydra.searchpath=[file://tests/conf,file://{}]"]
)
def test_a_folder_of_ones_own_has_models(apart, records, own_folder, how):
    """The settings of their classes can be set, and what is changed is told from what they say."""
    result = apart(how.format(own_folder), "model=own", "model.factor=1,3")
    assert "2 cells to run" in result.stdout, result.stderr
    assert [(r["status"], r["changed"]["model"]) for r in records()] in (
        [("done", {"factor": 3.0}), ("done", {})],
        [("done", {}), ("done", {"factor": 3.0})],
    )
    refused = apart(how.format(own_folder), "model=own", "model.foo=1")
    assert "There is no setting model.foo; there are: factor, mode" in refused.stderr


@pytest.mark.slow
def test_another_launcher_runs_a_suite(apart, records, own_folder):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    arguments = ("hydra/launcher=joblib", "--config-dir", str(own_folder), "model=own,steep")
    result = apart(*arguments, "seed=0,1", "model.factor=2", "model.mode=good")
    assert result.returncode == 0, result.stderr
    assert "4 cells to run, 0 found" in result.stdout
    found = {(r["model"], r["seed"]): r for r in records()}
    assert {r["status"] for r in found.values()} == {"done"}
    assert found["own", 1]["changed"] == {"task": {}, "model": {"factor": 2.0, "mode": "good"}}
    assert found["steep", 1]["changed"] == {"task": {}, "model": {"factor": 2.0}}
    assert {r["era"] for r in found.values()} == {"tests"}
    assert {r["work"]["knobs_changed"] for r in found.values()} == {1, 2}
    again = apart(*arguments, "seed=0,1", "model.factor=2", "model.mode=good")
    assert "0 cells to run, 4 found" in again.stdout


def test_a_setting_can_be_that_of_another_though_no_yaml_states_either(eras, records):
    eras("model.factor=${task.slope}", "task.slope=3")
    (record,) = records()
    assert record["changed"] == {"task": {"slope": 3.0}, "model": {"factor": 3.0}}


def test_the_metric_asked_for_is_part_of_a_search(main, monkeypatch):
    from benchmarks import run

    planned = []
    monkeypatch.setattr(run, "run_cells", lambda plans, *_: planned.extend(plans))
    usual = ("task=notifications", "model=logistic", "tune=trials")
    assert main(*usual, "metric=log_loss") == (0, "")
    assert main(*usual) == (0, "")
    with_metric, without = (plan.cells[1].config["tune"] for plan in planned)
    assert with_metric == {**without, "metric": "log_loss"}
    assert planned[0].settings.metric == "log_loss"


def test_help_lists_tasks_models_and_suites():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", SEARCH, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    for line in (
        "model: baseline, ",
        "tune: none, seconds, trials",
        "  home_grounds  Every era on every home ground",
        "task: ads, breast_cancer",
        "  max_depth: ",  # stated by no YAML
    ):
        assert line in done.stdout


def test_settings_that_contradict_each_other_are_refused_before_any_cell(eras, records):
    done = eras(
        "task=notifications", "model=baseline,logistic", "task.rows=1000", "task.users=5000"
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith("5000 users need at least as many rows, found rows=1000")
    assert records() == []
