"""What the harness itself costs, and the kit against what one would type instead.

Whole processes are timed from outside, imports and all; single calls in this process.
"""

import json
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import pytest
from rich.console import Console

from benchmarks.cell import views
from benchmarks.cell.answers import predict
from benchmarks.cell.build import build, supplied
from benchmarks.cell.scores import metrics_of, scores
from benchmarks.plan.libraries import libraries_of
from benchmarks.plan.settings import complete
from benchmarks.records.machine import available_cores
from benchmarks.records.records import Cell, Run
from benchmarks.runner.execute import Executor, job_of
from benchmarks.runner.settings import QUICK, Settings
from benchmarks.runner.worker import COMMON

ROOT = Path(__file__).parents[2]
MODELS = ("baseline", "logistic", "random_forest", "xgboost")


@pytest.fixture
def rows(benchmark) -> int:
    return 1_000 if benchmark.disabled else 20_000


def cell_of(model: str, rows: int) -> Cell:
    targets = {
        "baseline": "models.baseline.Baseline",
        "logistic": "models.logistic.Logistic",
        "random_forest": "models.random_forest.RandomForest",
        "xgboost": "models.boosting.XGBoost",
    }
    task = {"_target_": "tasks.notifications.Notifications", "rows": rows}
    config = {
        "task": complete("task", "notifications", task),
        "model": complete("model", model, {"_target_": targets[model]}),
        "threads": available_cores(),
        "device": None,
    }
    return Cell("notifications", model, 0, config, {"task": "0", "model": "0"}, {})


def executor_of(run: Run, cell: Cell) -> Executor:
    quiet, libraries = Console(quiet=True), libraries_of([cell])
    return Executor(run, [cell], Settings({"seconds": 600}, libraries=libraries), quiet)


def calls(job):
    """What a cell is there for, as a script would do it."""
    task, fresh = build(job["task"]), build(job["model"], supplied(job))
    data = task.load(0)
    train, test = views.make(task, data, fresh.view)
    fresh.fit(train, data.told(data.train_labels))
    return scores(task, data, metrics_of(task, data), predict(fresh, test, data))


@pytest.mark.parametrize("model", MODELS)
def test_bare_calls(benchmark, model, rows):
    """The calls of a cell in a script that has imported everything: what a cell is held against.

    Each round has a process of its own, like a script and like a cell: what a first call costs
    is in both.
    """
    benchmark.group = f"cell of {model}"
    cell = cell_of(model, rows)
    server = get_context("forkserver")
    server.set_forkserver_preload([__name__, *libraries_of([cell]), *COMMON])
    with ProcessPoolExecutor(1, mp_context=server, max_tasks_per_child=1) as script:
        script.submit(int).result()  # the server has started and imported by then
        job = job_of(cell)
        scores = benchmark.pedantic(lambda: script.submit(calls, job).result(), rounds=5)
    assert 0 < scores["log_loss"] < 1


@pytest.mark.parametrize("model", MODELS)
def test_a_cell_through_the_worker(benchmark, model, rows, tmp_path):
    """The same as a cell: a process of its own, measured, recorded."""
    benchmark.group = f"cell of {model}"
    cell = cell_of(model, rows)
    run = Run(tmp_path)
    run.create()
    with executor_of(run, cell) as executor:
        executor._worker_for(cell)
        record = benchmark.pedantic(lambda: executor.execute(cell), rounds=5, warmup_rounds=1)
    assert record["status"] == "done", record["reason"]


def test_a_cell_with_and_without_the_audit(benchmark, tmp_path):
    """Calibration, gauges and samples of memory: pairs of a cell that fits for about 5 s."""
    busy = {"_target_": "benchmarks.suites.busy.Busy"} | (
        {"rounds": 1} if benchmark.disabled else {}
    )
    cell = replace(cell_of("baseline", 1_000), model="busy")
    cell = replace(cell, config={**cell.config, "model": complete("model", "busy", busy)})
    run = Run(tmp_path)
    run.create()
    ratios = []
    with executor_of(run, cell) as executor:
        executor.execute(cell)

        def pair():
            seconds = {}
            order = (True, False) if len(ratios) % 2 else (False, True)
            for audit in order:  # taking turns, so that neither is always the second
                timing = {**QUICK, "audit": audit}
                executor.settings = replace(executor.settings, timing=timing)
                seconds[audit] = executor.execute(cell)["seconds"]
            ratios.append(seconds[True] / seconds[False])

        benchmark.pedantic(pair, rounds=8)
    benchmark.extra_info["ratios"] = ratios
    benchmark.extra_info["median ratio"] = median(ratios)
    assert all(0 < ratio < 10 for ratio in ratios)


def run_main(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", f"results={folder}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)


def test_default_suite(benchmark, rows, tmp_path):
    """Six models, three seeds, from the shell."""
    benchmark.group = "suite"
    few = [f"task.rows={rows}", "seed=0", "model=baseline,logistic"] if benchmark.disabled else []
    done = benchmark.pedantic(lambda: run_main(tmp_path, "fresh=true", *few), rounds=3)
    assert ", 0 found" in done.stdout or "cells to run" in done.stdout
    assert "floor" in done.stdout


def test_finished_suite_again(benchmark, tmp_path):
    """18 cells of a tiny task that all have a record."""
    benchmark.group = "suite"
    search = "hydra.searchpath=[file://tests/conf]"
    seeds = range(2 if benchmark.disabled else 18)
    arguments = (search, "task=coin", "model=steep", f"seed={','.join(map(str, seeds))}")
    run_main(tmp_path, *arguments)
    done = benchmark.pedantic(lambda: run_main(tmp_path, *arguments), rounds=3)
    assert f"0 cells to run, {len(seeds)} found" in done.stdout


def test_four_models_with_the_kit(benchmark, tmp_path):
    benchmark.group = "four models, 10,000 x 30"
    search = "hydra.searchpath=[file://benchmarks/suites/conf]"
    models = "model=svm,random_forest,xgboost,network"
    rows = "task.rows=600" if benchmark.disabled else "task.rows=15000"
    arguments = (search, "task=plain_table", models, rows, "seed=0", "fresh=true")
    benchmark.pedantic(lambda: run_main(tmp_path, *arguments), rounds=3)
    records = [json.loads(p.read_text()) for p in (tmp_path / "default/cells").glob("*.json")]
    found = {r["model"]: r["scores"]["roc_auc"] for r in records}
    benchmark.extra_info["roc_auc"] = found
    assert len(found) == 4


@pytest.mark.parametrize("way", ["loop", "lazypredict"])
def test_four_models_as_one_would_type_them(benchmark, way):
    benchmark.group = "four models, 10,000 x 30"
    if way == "lazypredict":
        pytest.importorskip("lazypredict", reason="installed by `nox -s speed` only")
    rows = "600" if benchmark.disabled else "15000"
    command = [sys.executable, "-m", "benchmarks.suites.plain", way, rows]
    done = benchmark.pedantic(
        lambda: subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True),
        rounds=3,
    )
    benchmark.extra_info["roc_auc"] = done.stdout.strip().splitlines()[-1]
    assert "nan" not in done.stdout
