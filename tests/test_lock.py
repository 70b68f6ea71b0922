"""Two commands at once on one run: the second says who works on it, and nothing is lost."""

import json
import os
import subprocess

import pytest

from benchmarks import compare, report
from benchmarks.errors import Busy
from benchmarks.plan.app import BUSY
from benchmarks.runner.lock import FILE, Lock
from tests.conftest import ROOT, wait_for


@pytest.fixture
def slow(command, tmp_path):
    """A command that works on run a until it is ended, its first cell done."""
    started = subprocess.Popen(
        command("model.mode=good,hang", "limits.seconds=60"), cwd=ROOT, stdout=subprocess.DEVNULL
    )
    cells = tmp_path / "a" / "cells"
    wait_for(lambda: list(cells.glob("*.json")) and list(cells.glob("*.partial/phase")))
    yield started
    started.kill()
    started.wait()


@pytest.mark.slow
def test_the_second_command_says_who_works_on_a_run(slow, eras, tmp_path, capsys):
    second = eras("model.mode=good,hang", "limits.seconds=60")
    assert second.returncode == BUSY == 75
    (line,) = second.stderr.splitlines()
    assert f"Run a is being worked on by process {slow.pid} on " in line
    assert "-m benchmarks" in line
    assert "run=NAME" in line
    assert eras("run=b").returncode == 0, "another run is nobody's business"
    assert report.main(["a", "--results", str(tmp_path), "--page-only"]) == 0
    assert compare.main(["a", "b", "--results", str(tmp_path)]) == 0, "who reads needs no lock"
    capsys.readouterr()
    slow.kill()
    slow.wait()
    third = eras("model.mode=good,hang", "limits.seconds=1")
    assert "1 cells to run, 1 found" in third.stdout, "a lock ends with who has it"


def test_a_lock_is_shared_by_the_jobs_of_a_command_only(tmp_path):
    with Lock(tmp_path) as command:
        who = json.loads((tmp_path / FILE).read_text())
        assert who["pid"] == os.getpid()
        with pytest.raises(Busy, match=f"by process {os.getpid()} on .* since 20"):
            Lock(tmp_path).__enter__()
        with pytest.raises(Busy):
            Lock(tmp_path, shared=True).__enter__()
        command.share()
        with Lock(tmp_path, shared=True), Lock(tmp_path, shared=True), pytest.raises(Busy):
            Lock(tmp_path).__enter__()
        job = Lock(tmp_path, shared=True)
        job.__enter__()
    with pytest.raises(Busy, match="another process"):  # a job that outlived its command
        Lock(tmp_path).__enter__()
    job.__exit__(None, None, None)
    with Lock(tmp_path):
        pass
    (tmp_path / FILE).write_text("what a killed command has left")
    with Lock(tmp_path):
        pass
    assert (tmp_path / FILE).read_text() == ""


@pytest.mark.slow
def test_identical_commands_at_once_leave_one_whole_run(command, records, tmp_path):
    started = [
        subprocess.Popen(
            command("seed=0,1", "model.mode=slow"),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ended = [(process.communicate()[1], process.returncode) for process in started]
    assert {code for _, code in ended} <= {0, BUSY}
    assert 0 in {code for _, code in ended}
    assert all(len(err.splitlines()) == (code == BUSY) for err, code in ended)
    assert [r["status"] for r in records()] == ["done", "done"]
    assert len(list((tmp_path / "a" / "cells").glob("*.npz"))) == 2
