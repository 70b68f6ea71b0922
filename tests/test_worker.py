"""Processes: their endings, their limits, their threads, and that none is left behind."""

import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.runner.peaks import children_peaks
from benchmarks.runner.settings import QUICK
from benchmarks.runner.worker import THREAD_VARIABLES, Worker, WorkerDied
from tests.conftest import is_alive, wait_for

STEEP = {"_target_": "tests.harness.Steep"}
COIN = {"_target_": "tests.harness.Coin"}


def job(**settings: object) -> dict:
    return {
        "task": COIN,
        "model": STEEP | settings,
        "seed": 0,
        "threads": 1,
        "device": None,
        "timing": dict(QUICK),
        "allow": ["tests"],
    }


@pytest.fixture(scope="module")
def kept():
    with Worker(1) as started:
        yield started


@pytest.fixture(params=[True, pytest.param(False, marks=pytest.mark.slow)], ids=["fork", "spawn"])
def worker(request):
    with Worker(1, request.param) as started:
        started.load({"tests.harness", "no.such.module"})
        yield started


@pytest.mark.slow
def test_a_worker_runs_one_cell_after_another_whatever_became_of_the_last(worker, tmp_path):
    endings = {}
    for mode in ("good", "raise", "kill", "exit", "hang", "good again"):
        folder = tmp_path / mode
        folder.mkdir()
        limits = {"seconds": 5 if mode == "hang" else 60}
        ending = worker.run(job(mode=mode), folder, limits)
        left = folder / "outcome.json"
        status = json.loads(left.read_text())["status"] if left.exists() else None
        endings[mode] = (ending.exit_code, ending.limit, status)
        assert ending.wall > 0
    assert endings == {
        "good": (0, None, "done"),
        "raise": (0, None, "failed"),
        "kill": (-signal.SIGKILL, None, None),
        "exit": (3, None, None),
        "hang": (-signal.SIGKILL, "seconds", None),
        "good again": (0, None, "done"),
    }
    assert (tmp_path / "hang" / "phase").read_text() == "fit"


@pytest.mark.slow
def test_what_a_cell_started_ends_with_it(worker, tmp_path):
    folders = {"folders": {"checkpoints": str(tmp_path)}}
    ending = worker.run(job(mode="hang with a child") | folders, tmp_path, {"seconds": 5})
    assert ending.limit == "seconds"
    assert not is_alive(int((tmp_path / "child.pid").read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="orphans can be adopted on Linux alone")
@pytest.mark.parametrize("way", ["own session", "daemon", "ignores", "bomb"])
@pytest.mark.parametrize("hang", [True, False], ids=["to the limit", "to its end"])
def test_whatever_a_cell_started_is_gone_when_it_ended(way, hang, tmp_path, kept):
    model = {"_target_": "tests.planted.children.Model", "way": way, "hang": hang}
    folders = {"folders": {"checkpoints": str(tmp_path / "pids")}}
    limits = {"seconds": 4 if hang else 60}
    ending = kept.run(job() | {"model": model} | folders, tmp_path, limits)
    assert (ending.limit == "seconds") == hang
    pids = [int(file.name) for file in (tmp_path / "pids").iterdir()]
    assert pids
    assert [pid for pid in pids if is_alive(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="orphans can be adopted on Linux alone")
@pytest.mark.parametrize("which", ["guard", "server", "parent"])
def test_whoever_dies_no_cell_is_left(which, tmp_path):
    """The cell, and a daemon of its own, end when one of the processes above them is killed."""
    with Worker(1) as worker:
        worker.load(())
        worker.wait()
        guard = psutil.Process(worker._process.pid)
        (server,) = guard.children()
        model = {"_target_": "tests.planted.children.Model", "way": "daemon"}
        folders = {"folders": {"checkpoints": str(tmp_path / "pids")}}
        request = job() | {"model": model} | folders
        worker._send({"job": request, "folder": str(tmp_path), "limits": {"seconds": 60}})
        wait_for(lambda: list(tmp_path.glob("pids/*")))
        pids = [int(file.name) for file in (tmp_path / "pids").iterdir()]
        everything = [guard.pid, *(child.pid for child in guard.children(recursive=True)), *pids]
        assert len(set(everything)) >= 4
        if which == "parent":
            worker._process.stdin.close()
        else:
            (guard if which == "guard" else server).kill()
            with pytest.raises(WorkerDied, match=r"killed by signal 9 \(SIGKILL\)"):
                [worker._answer() for _ in range(2)]  # one may be the size of its rows
        wait_for(lambda: not any(map(is_alive, everything)), seconds=5)


@pytest.mark.slow
def test_both_ways_to_start_a_process_give_the_same_predictions(tmp_path):
    import numpy as np

    found = []
    for fork in (True, False):
        folder = tmp_path / str(fork)
        folder.mkdir()
        with Worker(1, fork) as worker:
            worker.run(job(), folder, {"seconds": 60})
        found.append(np.load(folder / "cell.npz"))
    for name in ("predictions", "labels", "truth", "classes"):
        np.testing.assert_array_equal(found[0][name], found[1][name])


@pytest.mark.skipif(sys.platform != "linux", reason="affinity and /proc are Linux's")
def test_threads_are_fixed_before_anything_is_loaded():
    with Worker(1) as worker:
        worker.load(())
        worker.wait()
        pid = worker._process.pid
        text = Path(f"/proc/{pid}/environ").read_text()
        environment = dict(v.split("=", 1) for v in text.split("\0") if "=" in v)
        assert {environment[name] for name in THREAD_VARIABLES} == {"1"}
        assert len(os.sched_getaffinity(pid)) == 1


def test_a_worker_that_dies_says_what_it_printed_last(tmp_path):
    with Worker(1) as worker:
        worker.load(())
        worker._process.kill()
        with pytest.raises(WorkerDied):
            worker.run(job(), tmp_path, {"seconds": 60})


def test_memory_of_what_a_cell_started_is_seen_from_outside(worker, tmp_path):
    ending = worker.run(job(mode="memory of a child"), tmp_path, {"seconds": 60})
    assert ending.exit_code == 0
    assert 150e6 < max(size for _, size in ending.children) < 300e6
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    assert children_peaks(outcome["phases"], ending.children)["fit"] > 150e6
    assert worker.run(job(), tmp_path, {"seconds": 60}).children == []
