"""Where cells run: side by side here, and on clusters, as far as each goes without one."""

import json
import os
import signal
import subprocess

import pytest

from benchmarks.records.records import Cell, Run
from benchmarks.runner import clusters, elsewhere, remote
from benchmarks.runner.clusters import Lost
from benchmarks.runner.execute import cores_of
from tests.conftest import ROOT, processes_with, wait_for

two_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
IN_PLACE = {
    "started",
    "seconds",
    "phases",
    "latency",
    "calibration",
    "machine",
    "checks",
    "beside",
    "expected",
    "prepared",
    "pools",
}


def plain(record: dict) -> dict:
    """What of a record is the same wherever its cell ran."""
    return {name: value for name, value in record.items() if name not in IN_PLACE}


@pytest.mark.slow
@two_cores
def test_side_by_side_is_the_same_but_for_the_times(eras, records):
    eras("seed=0,1,2", "run=one")
    done = eras("seed=0,1,2", "run=two", "workers=local:2")
    assert done.returncode == 0, done.stderr
    alone, beside = records("one"), records("two")
    assert [r.get("beside") for r in alone + beside] == [None] * 3 + [2] * 3
    for a, b in zip(alone, beside, strict=True):
        a, b = plain(a), plain(b)
        for files in (a["files"], b["files"]):
            files.pop(".rows.parquet", None)  # which cell of a seed keeps them goes by turns
        assert a == b
        assert "ME08" not in str(b)


@two_cores
def test_lanes_have_cores_of_their_own():
    there = sorted(os.sched_getaffinity(0))
    assert cores_of(0, 1) == there[:1]
    assert cores_of(1, 1) == there[1:2]
    assert cores_of(len(there), 1) is None


@pytest.mark.slow
@two_cores
def test_one_that_fails_beside_others(eras, records):
    done = eras("model.mode=good,raise,kill,slow", "workers=local:2", "limits.seconds=30")
    assert done.returncode == 1
    assert sorted(r["status"] for r in records()) == ["done", "done", "failed", "failed"]


@pytest.mark.slow
@two_cores
def test_interrupted_side_by_side(command, tmp_path):
    process = subprocess.Popen(
        command("model.mode=hang", "seed=0,1", "workers=local:2"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    cells = tmp_path / "a" / "cells"
    wait_for(lambda: len(list(cells.glob("*.partial/phase"))) == 2, 60)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted" in out
    assert list(cells.glob("*.json")) == []
    wait_for(lambda: not processes_with(tmp_path))


@two_cores
def test_a_full_disk_ends_all_lanes(eras, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("benchmarks.records.files.settle", full)
        done = eras("seed=0,1,2,3", "workers=local:2")
    assert done.returncode == 3
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("workers=local:0", "workers=local:0"),
        ("workers=local:x", "workers=local:x"),
        ("workers=local:999", "workers=local:999: threads=1: this machine offers"),
        ("workers=moon", "workers=moon"),
        ("workers=ray,slurm", "workers= and cluster= take one value"),
        ("cluster=5", "cluster=5"),
        ("workers=dask", "cluster.address=HOST:8786"),
    ],
)
def test_no_such_workers(main, line, said):
    if line == "workers=dask":
        pytest.importorskip("distributed")
    code, error = main(*line.split())
    assert code == 2
    assert said in error
    assert len(error.splitlines()) == 1


def test_a_cluster_whose_library_is_missing(main, monkeypatch):
    def gone(*_):
        raise ModuleNotFoundError("No module named 'ray'", name="ray")

    monkeypatch.setitem(clusters.CLUSTERS, "ray", gone)
    code, error = main("workers=ray")
    assert code == 2
    assert "workers=ray needs pip install 'model-eras[ray]' (ray is missing)." in error


class Here:
    """A cluster of this process, some of whose nodes die."""

    def __init__(self, dies: int = 0) -> None:
        self.dies, self.requests, self.closed = dies, {}, False

    def submit(self, requests):
        first = len(self.requests)
        self.requests |= {first + k: json.loads(json.dumps(r)) for k, r in enumerate(requests)}
        return list(range(first, first + len(requests)))

    def ended(self, tasks):
        task = next(iter(tasks))
        if self.dies:
            self.dies -= 1
            yield task, Lost("the node is gone")
        else:
            yield task, remote.run_cell(self.requests[task])

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def here(monkeypatch):
    def of(dies: int = 0) -> Here:
        cluster = Here(dies)
        monkeypatch.setattr("benchmarks.run.connected", lambda *_: cluster)
        return cluster

    yield of
    for worker in remote._kept.values():
        worker.__exit__()
    remote._kept.clear()


@pytest.mark.slow
def test_a_cell_elsewhere_leaves_what_it_leaves_here(eras, records, here, tmp_path):
    modes = "model.mode=good,raise,kill"
    eras(modes, "seed=0,1", "run=one")
    cluster = here()
    done = eras(modes, "seed=0,1", "run=two", "workers=ray")
    assert done.returncode == 1
    assert cluster.closed
    for a, b in zip(records("one"), records("two"), strict=True):
        a, b = plain(a), plain(b)
        if a["status"] == "done":
            a["files"].pop(".rows.parquet", None)
            b["files"].pop(".rows.parquet", None)
        assert a == b
    run = Run(tmp_path / "two")
    found, unreadable = run.scan()
    assert unreadable == []
    assert all(run.outcomes(r) for r in found if r["status"] == "done")
    assert len(list((tmp_path / "two" / "cells").glob("*.log"))) == 4
    assert not list((tmp_path / "two").glob(".driver-*"))
    assert "6 found" in eras(modes, "seed=0,1", "run=two", "workers=ray").stdout


def test_a_cell_whose_node_dies_is_given_again(eras, records, here):
    here(dies=1)
    done = eras("seed=0,1", "workers=ray")
    assert done.returncode == 0
    assert "was lost, and runs again: the node is gone" in done.stderr
    assert sorted(r.get("lost", 0) for r in records()) == [0, 1]


def test_a_cell_that_takes_its_nodes_along_is_failed(eras, records, here):
    here(dies=elsewhere.LOST_AT_MOST)
    done = eras("workers=ray")
    assert done.returncode == 1
    (record,) = records()
    assert record["status"] == "failed"
    assert record["reason"] == (
        "the worker ended before its first phase: lost 3 times with its node (the node is gone)"
    )
    assert record["lost"] == 3


def test_a_killed_cell_goes_on_from_where_both_see_it(tmp_path):
    cell = Cell("coin", "steep", 0, {"threads": 1}, {}, {})
    run = Run(tmp_path / "a")
    run.create()
    apart = remote.Apart(tmp_path / "node" / "a", run)
    assert apart.folders(cell)["checkpoints"] == run.folders(cell)["checkpoints"]
    assert apart.trials(cell) == run.trials(cell)
    assert apart.folders(cell)["artifacts"].startswith(str(tmp_path / "node"))
    alone = remote.Apart(tmp_path / "node" / "a", None)
    assert alone.folders(cell)["checkpoints"].startswith(str(tmp_path / "node"))


@pytest.mark.parametrize("what", [b"", b"no archive", None])
def test_what_comes_back_is_taken_for_no_more_than_it_is(tmp_path, what):
    import io
    import tarfile

    cell = Cell("coin", "steep", 0, {"threads": 1}, {}, {})
    run = Run(tmp_path / "a")
    run.create()
    if what is None:  # one that would write elsewhere
        into = io.BytesIO()
        with tarfile.open(fileobj=into, mode="w:gz") as archive:
            info = tarfile.TarInfo("../../escaped")
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
        what = into.getvalue()
    with pytest.raises(ValueError, match="what came back cannot be read"):
        remote.taken_in(run, cell, what)
    assert not (tmp_path / "escaped").exists()
