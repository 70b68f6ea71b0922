"""Whatever is killed, and whenever: what was finished is there and whole, nothing is done twice,
and in the end all is as if nothing had happened."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.records.records import Run
from tests.conftest import ROOT, is_alive, wait_for

KILLS = int(os.environ.get("MODEL_ERAS_KILLS", "200"))
SEED = int(os.environ.get("MODEL_ERAS_SEED", "0"))
SUITE = (
    *("task=notifications", "task.rows=3000", "model=logistic,checkpointing", "seed=0,1"),
    *("tune=trials", "tune.trials=3", "timing.audit=false", "rerun=failed"),
)

pytestmark = pytest.mark.slow


@pytest.fixture
def suite(command, tmp_path):
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "checkpointing.yaml").write_text(
        "_target_: tests.planted.checkpointing.Model\n"
    )
    (tmp_path / "conf" / "tune").mkdir()
    search = f"hydra.searchpath=[file://tests/conf,file://{tmp_path}/conf]"

    def start(run: str) -> subprocess.Popen:
        return subprocess.Popen(
            command(search, *SUITE, f"run={run}"),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    return start


def results(folder: Path) -> dict[str, object]:
    """All of a run that has to be the same each time: answers to the bit, scores, trials."""
    run = Run(folder)
    records, unreadable = run.scan()
    assert unreadable == []
    return {
        f"{r['model']} {r['seed']} {bool(r['config'].get('tune'))}": (
            r["status"],
            r["files"][".npz"],
            r["scores"],
            [(t["values"], t["score"]) for t in (r["tuning"] or {"trials": []})["trials"]],
        )
        for r in records
    }


def victim(parent: int, which: str) -> int | None:
    """The process that is to be killed, if it is there."""
    with_children = psutil.Process(parent)
    try:
        workers = with_children.children()
        if which == "parent" or not workers:
            return parent
        (guard, *_), servers = workers, workers[0].children()
        if which == "guard" or not servers:
            return guard.pid
        cells = servers[0].children()
        return cells[0].pid if which == "cell" and cells else servers[0].pid
    except psutil.NoSuchProcess:
        return None


def finished(folder: Path) -> dict[str, str]:
    """Name of a record that is done -> when its cell began."""
    found = {}
    for file in folder.glob("cells/*.json"):
        record = json.loads(file.read_text())  # whole at any moment
        if record["status"] == "done":
            found[file.name] = record["started"]
    return found


def test_nothing_is_lost_and_nothing_is_done_twice(suite, tmp_path):
    begin = time.monotonic()
    process = suite("whole")
    assert process.wait() == 0, process.stderr.read()
    length, expected = time.monotonic() - begin, results(tmp_path / "whole")
    assert len(expected) == 6
    draw, killed = random.Random(SEED), dict.fromkeys(("parent", "guard", "server", "cell"), 0)
    runs = 0
    while sum(killed.values()) < KILLS:
        name, done, tries = f"killed{runs}", {}, 0
        while True:
            tries += 1
            assert tries < 200, "it gets nowhere"
            process = suite(name)
            which = draw.choice(list(killed))
            end = time.monotonic() + draw.random() * length * draw.choice((0.4, 0.7, 1.0))
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.005)
            pid = victim(process.pid, which) if process.poll() is None else None
            if pid is not None and sum(killed.values()) < KILLS:
                below = psutil.Process(process.pid).children(recursive=True)
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed[which] += 1
                except ProcessLookupError:
                    pass
                if pid == process.pid:
                    process.wait()
                    wait_for(lambda left=below: not any(is_alive(p.pid) for p in left))
            code = process.wait()
            now = finished(tmp_path / name)
            assert done.items() <= now.items(), "a cell that was done is gone, or was done again"
            done = now
            if code == 0:
                break
            assert process.stderr.read() == b"" or code != -9
        assert results(tmp_path / name) == expected
        assert not list((tmp_path / name / "cells").glob("*.partial"))
        assert not list((tmp_path / name / "cells").glob("*.checkpoints"))
        shutil.rmtree(tmp_path / name)
        runs += 1
        print(f"{killed} in {runs} runs: 0 lost, 0 twice, bit-equal", flush=True)


def test_three_commands_at_once_are_one_run(suite, tmp_path):
    together = [suite("a") for _ in range(3)]
    codes = sorted(process.wait() for process in together)
    assert codes[0] == 0
    assert set(codes) <= {0, 75}
    assert all(entry[0] == "done" for entry in results(tmp_path / "a").values())
    assert len(results(tmp_path / "a")) == 6
