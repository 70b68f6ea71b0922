"""Records are written whole or not at all, and found again only where they still hold."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.analysis.summary import sections
from benchmarks.analysis.verdicts import judge
from benchmarks.errors import BadInput
from benchmarks.records.records import ALWAYS, SCHEMA, WHEN_DONE, Cell, Run, open_run
from benchmarks.show import pages
from tests.conftest import ROOT

CELL = Cell(
    "coin",
    "steep",
    0,
    config={"task": {"_target_": "t.T"}, "model": {"_target_": "m.M"}, "threads": 1, "device": "x"},
    code={"task": "1", "model": "2"},
    changed={},
)


@pytest.fixture
def run(tmp_path) -> Run:
    made = Run(tmp_path / "r")
    made.create()
    return made


def write(run: Run, cell: Cell, **changes: object) -> None:
    scratch = run.scratch(cell)
    np.savez(scratch / "cell.npz", predictions=np.zeros(3))
    (scratch / "cell.log").write_text("words")
    record = {
        **dict.fromkeys((*ALWAYS, *WHEN_DONE)),
        "schema": SCHEMA,
        "status": "done",
        "code": dict(cell.code),
        **changes,
    }
    run.write(cell, record, scratch)


def test_a_written_record_is_found_with_its_predictions(run):
    write(run, CELL)
    assert run.find(CELL)["status"] == "done"
    assert np.load(run.path(CELL).with_suffix(".npz"))["predictions"].shape == (3,)
    assert {p.suffix for p in run.cells.iterdir()} == {".json", ".npz"}


def test_a_failed_record_keeps_the_log_and_drops_older_predictions(run):
    write(run, CELL)
    write(run, CELL, status="failed")
    assert {p.suffix for p in run.cells.iterdir()} == {".json", ".log"}


def test_a_record_of_other_code_config_or_schema_is_not_the_cells(run):
    write(run, CELL)
    assert run.find(replace(CELL, code={"task": "1", "model": "changed"})) is None
    assert run.find(replace(CELL, config={**CELL.config, "threads": 2})) is None
    assert run.find(replace(CELL, seed=1)) is None
    write(run, CELL, schema=0)
    assert run.find(CELL) is None
    assert run.read() == []


def test_what_cannot_be_written_leaves_the_old_record(run):
    write(run, CELL, reason="old")
    with pytest.raises(ValueError, match="JSON"):
        write(run, CELL, reason=float("nan"))
    assert run.find(CELL)["reason"] == "old"
    assert [r["reason"] for r in run.read()] == ["old"]


def test_damaged_and_foreign_files_do_not_stop_the_reading_of_a_run(run):
    write(run, CELL)
    (run.cells / "half.json").write_text('{"schema": 2, "sta')
    run.path(replace(CELL, seed=1)).write_text("")
    (run.cells / "list.json").write_text("[1]")
    (run.cells / "newer.json").write_text(json.dumps({"schema": SCHEMA + 1}))
    (run.cells / "older.json").write_text(json.dumps({"schema": 1}))
    (run.cells / "part.json").write_text(json.dumps({"schema": SCHEMA, "task": "coin"}))
    (run.cells / "bytes.json").write_bytes(b"\xff\xfe{")
    records, unreadable = run.scan()
    assert len(records) == 1
    assert run.find(replace(CELL, seed=1)) is None
    told = {sentence.split("/")[-1].split(" ")[0]: sentence for sentence in unreadable}
    assert len(told) == len(unreadable) == 7
    assert "no whole JSON" in told["half.json"]
    assert "newer version" in told["newer.json"]
    assert "older version" in told["older.json"]
    assert "has no model" in told["part.json"]
    assert "no record" in told["list.json"]
    assert "cannot be read" in told["bytes.json"]


def test_a_record_of_the_version_before_is_brought_up_to_date(run):
    write(run, CELL, schema=2)
    (record,) = run.read()
    assert (record["schema"], record["work"]) == (SCHEMA, None)
    assert run.find(CELL) == record


def test_the_name_of_a_cell_follows_its_config_whatever_the_order_of_keys():
    turned = replace(CELL, config=dict(reversed(CELL.config.items())))
    assert turned.name == CELL.name
    assert replace(CELL, config={**CELL.config, "device": "y"}).name != CELL.name


def test_an_unknown_run_is_refused_with_those_that_exist(tmp_path, run):
    write(run, CELL)
    assert open_run(tmp_path, "r").read() == open_run(tmp_path, str(tmp_path / "r")).read()
    with pytest.raises(BadInput, match=r"There is no run x; there are: r\."):
        open_run(tmp_path, "x")
    with pytest.raises(BadInput, match="holds none yet"):
        open_run(tmp_path / "none", "x")


def test_records_are_plain_json(run):
    write(run, CELL)
    assert json.loads(run.path(CELL).read_text())["schema"] == SCHEMA


def test_records_of_schema_3_are_shown_as_they_were(tmp_path):
    """table.md was written from these records by the kit that made them."""
    old = ROOT / "tests" / "data" / "schema3"
    shutil.copytree(old, tmp_path / "old")
    run = Run(tmp_path / "old")
    present, unreadable = run.scan()
    assert (len(present), unreadable) == (4, [])
    assert {record["schema"] for record in present} == {SCHEMA}
    pages.write(run.folder, [judge(part, run.outcomes) for part in sections(present)])
    assert (run.folder / "table.md").read_text() == (old / "table.md").read_text()
