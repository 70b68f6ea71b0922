"""How far a run is, and a recorded cell once more."""

import json
import re
import subprocess
from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks import rerun, status
from benchmarks.records.forecast import left_of
from benchmarks.records.records import Run
from benchmarks.runner.lock import FILE, Lock, holder
from tests.conftest import ROOT, wait_for


def told(capsys, tmp_path, run="a") -> str:
    capsys.readouterr()
    assert status.main([run, "--results", str(tmp_path)]) == 0
    return capsys.readouterr().out


@pytest.mark.slow
def test_a_run_that_works_says_what_runs_what_failed_and_until_when(command, tmp_path, capsys):
    modes = "model.mode=good,raise,hang"
    working = subprocess.Popen(
        command(modes, "limits.seconds=60"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    cells = tmp_path / "a" / "cells"
    try:
        wait_for(lambda: [f for f in cells.glob("*.partial/phase") if f.read_text() == "fit"], 60)
        wait_for(lambda: status.status_of(Run(tmp_path / "a")).running)
        wait_for(lambda: "fit" in told(capsys, tmp_path), 60)
        out = told(capsys, tmp_path)
        assert re.search(r"run a: 3 cells: .*1 running", out)
        assert re.search(r"coin steep mode=\w+ seed 0", out)
        assert f"process {working.pid} on" in out
    finally:
        working.kill()
        working.communicate()
    wait_for(lambda: holder(tmp_path / "a") is None)
    out = told(capsys, tmp_path)
    assert "nobody works on it: the command that it was made with goes on from there" in (
        " ".join(out.split())
    )
    assert "Interrupted" in out


def test_a_run_at_its_end(eras, capsys, tmp_path):
    eras("model=steep", "model.mode=good,raise", "seed=0,1")
    out = told(capsys, tmp_path)
    assert "run a: 4 cells: 2 done, 2 failed\n" in out
    assert out.count("RuntimeError: planted [red]failure[/]") == 2
    # Asked for more: what was found counts as finished, what runs again does not.
    plan = tmp_path / "a" / "plan.json"
    known = json.loads(plan.read_text())
    again = known["cells"][0]["name"]
    known |= {"began": datetime.now(UTC).isoformat(), "wanted": [again]}
    plan.write_text(json.dumps(known))
    found = status.status_of(Run(tmp_path / "a"))
    assert [cell.name for cell in found.left] == [again]
    assert "1 left; nobody works on it" in told(capsys, tmp_path)


@pytest.mark.parametrize(
    "text", [None, "", "{}", "[1", '{"began": "x", "cells": [], "wanted": []}']
)
def test_a_run_without_a_plan(eras, tmp_path, capsys, text):
    eras()
    plan = tmp_path / "a" / "plan.json"
    plan.unlink() if text is None else plan.write_text(text)
    assert status.main(["a", "--results", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "holds no plan.json that could be read" in error
    assert len(error.splitlines()) == 1
    assert status.main(["b", "--results", str(tmp_path)]) == 2
    assert "There is no run b" in capsys.readouterr().err


def test_whoever_holds_a_run_is_named_and_not_disturbed(tmp_path):
    assert holder(tmp_path) is None
    with Lock(tmp_path):
        assert str(holder(tmp_path)).startswith("process ")
        with pytest.raises(Exception, match="being worked on"), Lock(tmp_path):
            pass
    assert holder(tmp_path) is None
    dead = {"pid": 2**22 + 1, "host": status.holder.__globals__["platform"].node()}
    (tmp_path / FILE).write_text(
        json.dumps({**dead, "since": "2026-01-01 00:00:00+00:00", "command": "x"})
    )
    assert holder(tmp_path) is None
    elsewhere = {"pid": 1, "host": "another", "since": "2026-01-01 00:00:00+00:00", "command": "x"}
    (tmp_path / FILE).write_text(json.dumps(elsewhere))
    assert holder(tmp_path) == "process 1 on another since 2026-01-01 00:00:00+00:00: x"


def test_time_left_goes_by_model_and_task(record):
    class Cell:
        def __init__(self, name, model):
            self.name, self.task, self.model = name, "coin", model

    cells = [Cell("a", "svm"), Cell("b", "slow"), Cell("c", "new")]
    assert left_of(cells, []) is None
    ended = [record("svm", seconds=2.0), record("svm", seconds=4.0), record("slow", seconds=60.0)]
    assert left_of(cells, ended) == pytest.approx(3 + 60 + 22)
    assert left_of(cells, ended, {"b": 20.0, "a": 100.0}) == pytest.approx(0 + 40 + 22)


def again(worker, capsys, tmp_path, cell) -> tuple[int, str]:
    capsys.readouterr()
    code = rerun.main(["a", cell, "--results", str(tmp_path), "--allow", "tests"], worker)
    out, err = capsys.readouterr()
    return code, out + err


def test_a_cell_again_is_the_same_to_the_bit_or_says_what_is_not(eras, worker, capsys, tmp_path):
    eras("model=steep", "seed=0,1")
    before = sorted((tmp_path / "a" / "cells").iterdir())
    code, out = again(worker, capsys, tmp_path, "steep-0")
    assert code == 0
    assert re.search(r"Bit-identical to \d{4}-\d\d-\d\d with all 20 answers", out)
    assert sorted((tmp_path / "a" / "cells").iterdir()) == before, "nothing is left in the run"
    # Other answers than those of the record, and another score.
    run = Run(tmp_path / "a")
    record = next(r for r in run.read() if r["seed"] == 0)
    now = json.loads(json.dumps(record))
    now["scores"]["roc_auc"] += 0.25
    raw = run.outcomes(record)
    moved = {**raw, "predictions": raw["predictions"].copy()}
    moved["predictions"][3] += np.float32(0.125)
    lines = rerun.differences(record, now, [raw, moved])
    assert lines[0] == "1 of 20 predictions differ, by at most 0.125"
    assert lines[1].startswith("roc_auc: ")
    assert rerun.differences(record, record, [raw, raw]) == []
    assert "scores alone" in rerun.differences(record, record, [None, raw])[0]
    assert rerun.surroundings(record, record) == []
    changed = {**record, "packages": {**record["packages"], "numpy": "1"}}
    assert f"numpy {record['packages']['numpy']} → 1" in rerun.surroundings(record, changed)[0]


def test_a_failed_cell_again(eras, worker, capsys, tmp_path):
    eras("model=steep", "model.mode=raise")
    code, out = again(worker, capsys, tmp_path, "steep")
    assert (code, "Bit-identical" in out) == (0, True)
    record = Run(tmp_path / "a").read()[0]
    done = {**record, "status": "done", "reason": None}
    assert rerun.differences(record, done, []) == [
        f"it ended as failed: {record['reason']}, and now as done"
    ]


def test_which_cell_is_meant(eras, worker, capsys, tmp_path, monkeypatch):
    eras("model=steep", "seed=0,1")
    code, out = again(worker, capsys, tmp_path, "steep")
    assert (code, "'steep' may be any of coin-steep-0-" in out) == (2, True)
    code, out = again(worker, capsys, tmp_path, "stoop-0")
    assert (code, "has no record 'stoop-0'; there are: coin-steep-0-" in out) == (2, True)
    file = next((tmp_path / "a" / "cells").glob("coin-steep-0-*.json"))
    record = json.loads(file.read_text())
    file.write_text(json.dumps({**record, "code": {**record["code"], "model": "0" * 12}}))
    code, out = again(worker, capsys, tmp_path, "steep-0")
    assert (code, "has changed since, so it would be a cell of something else" in out) == (2, True)
    file.write_text("{")
    code, out = again(worker, capsys, tmp_path, "steep-0")
    assert (code, "is damaged" in out) == (2, True)
