"""What the tests of the harness share: running the command line on the tasks of `harness.py`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side and time nothing

from benchmarks import run
from benchmarks.cell import build
from benchmarks.records.records import SCHEMA, Record
from benchmarks.runner.worker import Worker
from tasks.metrics import OF_KIND, STANDARD

Done = subprocess.CompletedProcess[str]
ROOT = Path(__file__).parent.parent
SEARCH = "hydra.searchpath=[file://tests/conf]"
OWN_CONF = f"hydra.searchpath=[file://{ROOT}/tests/conf]"
"""The same from any folder."""


def is_alive(pid: int) -> bool:
    """Does this process do anything? One that nobody has waited for yet is as good as gone."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition, seconds: float = 30) -> None:
    """Poll until `condition` holds: there is no event to wait on in another process tree."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.05)


def processes_with(folder: Path) -> list[int]:
    out = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
    lines = [line for line in out.splitlines() if str(folder) in line]
    return [int(line.split()[0]) for line in lines if int(line.split()[0]) != os.getpid()]


def door(*arguments: str, cwd: Path, **how) -> subprocess.CompletedProcess[str]:
    """`model-eras` as it is called where it is installed from this clone."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} | how.pop("env", {})
    line = [sys.executable, "-m", "model_eras", *arguments]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, env=environment, **how)


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., list[str]]:
    """The command line of the main job, with its results in tmp_path."""

    def build(*arguments: str) -> list[str]:
        chosen = {argument.partition("=")[0] for argument in arguments}
        search = [SEARCH] if "hydra.searchpath" not in chosen else []
        main = [sys.executable, "-m", "benchmarks", *search, f"results={tmp_path}"]
        usual = {"task": "coin", "model": "steep", "seed": "0", "run": "a", "threads": "1"}
        usual |= {"allow": "tests"}
        return [*main, *(f"{k}={v}" for k, v in usual.items() if k not in chosen), *arguments]

    return build


@pytest.fixture
def apart(command) -> Callable[..., Done]:
    """Run the main job in a process of its own."""

    def call(*arguments: str) -> Done:
        return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True)

    return call


@pytest.fixture(autouse=True, scope="session")
def tests_may_be_built() -> None:
    """In this process; cells get to know it by `allow=tests`."""
    build.permitted[:] = ["tests"]


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """A worker that has its libraries loaded, for all tests: starting one takes seconds."""
    os.chdir(ROOT)
    with Worker(1) as started:
        yield started


@pytest.fixture
def eras(command, worker, monkeypatch, capsys) -> Callable[..., Done]:
    """Run the main job in this process; its cells run in theirs, as always."""

    def call(*arguments: str) -> Done:
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        monkeypatch.setattr(sys, "argv", command(*arguments)[2:])
        monkeypatch.setattr("signal.signal", lambda *_: None)
        capsys.readouterr()
        try:
            code = run.main(worker)
        except SystemExit as ending:
            code = int(ending.code or 0)
        return subprocess.CompletedProcess(sys.argv, code, *capsys.readouterr())

    return call


@pytest.fixture
def main(eras) -> Callable[..., tuple[int, str]]:
    """Run the main job in this process: (exit code, standard error)."""

    def call(*arguments: str) -> tuple[int, str]:
        done = eras(*arguments)
        return done.returncode, done.stderr

    return call


@pytest.fixture
def records(tmp_path: Path) -> Callable[..., list[Record]]:
    """Read the records of a run that was written to tmp_path."""

    def read(name: str = "a") -> list[Record]:
        return [
            json.loads(p.read_text()) for p in sorted((tmp_path / name / "cells").glob("*.json"))
        ]

    return read


@pytest.fixture
def record() -> Callable[..., Record]:
    """Make a record by hand, for tests of what reads records."""
    moments = (k / 100 for k in range(6_000))

    def make(model: str = "svm", seed: int = 0, auc: float = 0.8, **changes: object) -> Record:
        phase = {"start": 0.0, "wall": 1.0, "cpu": 1.5, "memory_growth": 2**20}
        timing = {"batches": [1], "calls": 20, "seconds": 0.02, "cold_start": False, "audit": True}
        made: Record = {
            "schema": SCHEMA,
            "task": "coin",
            "model": model,
            "seed": seed,
            "era": "tests",
            "year": 2026,
            "view": "features",
            "status": "done",
            "reason": None,
            "kind": "binary",
            "metric": "roc_auc",
            "answer": "probabilities",
            "scores": {"roc_auc": auc, "accuracy": 0.7, "log_loss": 0.5},
            "ceiling": {"roc_auc": 0.9, "accuracy": 0.8, "log_loss": 0.4},
            "floor": {"roc_auc": 0.5, "accuracy": 0.5, "log_loss": 0.7},
            "rows": {"train": 2000, "test": 1000},
            "columns": 3,
            "phases": {name: dict(phase) for name in ("load", "view", "warm_up", "fit", "predict")},
            "latency": {
                "1": {"p50": 0.002, "p99": None, "min": 0.001, "calls": 5},
                "1000": {"p50": 0.004, "p99": None, "min": 0.004, "calls": 1},
            },
            "timing": timing,
            "cold_start": None,
            "warmed_up": True,
            "pools": {},
            "parameters": 1234,
            "size_bytes": 4321,
            "notes": {},
            "config": {
                "task": {"_target_": "tests.harness.Coin", "rows": 60},
                "model": {"_target_": f"m.{model}"},
                "threads": 2,
                "device": None,
            },
            "changed": {"task": {}, "model": {}},
            "config_hash": "0",
            "limits": {"seconds": 600},
            "code": {"task": "0", "model": "0"},
            "seconds": 0.001,
            "commit": "abc",
            # One after the other, as cells run.
            "started": f"2026-01-02T03:04:{next(moments):06.3f}+00:00",
            "packages": {"numpy": "2"},
            "machine": {"processor": "P", "cores": 2, "memory_gb": 4.0, "python": "3.11"},
        }
        made |= changes
        names = dict.fromkeys([made["metric"], *OF_KIND[made["kind"]]])
        return {"metrics": [asdict(STANDARD[name].facts()) for name in names], **made}

    return make
