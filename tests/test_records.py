"""Records are written whole or not at all, and found again only where they still hold."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.analysis.summary import sections
from benchmarks.analysis.verdicts import judge
from benchmarks.cell.fields import curves, noted, one_line
from benchmarks.errors import BadInput
from benchmarks.records.places import open_run
from benchmarks.records.records import SCHEMA, Cell, Run, Unrecordable
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


@pytest.fixture
def write(record):
    """Write a record of a cell as its process and the executor do."""

    def put(run: Run, cell: Cell, **changes: object) -> dict:
        scratch = run.scratch(cell)
        p = np.linspace(0.1, 0.9, 1000, dtype=np.float32)
        outcomes = {"predictions": np.column_stack([1 - p, p]), "labels": np.arange(1000) % 2}
        np.savez(scratch / "cell.npz", **outcomes)
        (scratch / "cell.log").write_text("words")
        about = {"config": dict(cell.config), "config_hash": cell.config_hash}
        status = {"reason": "words"} if changes.get("status", "done") != "done" else {}
        about |= {"code": dict(cell.code), **status}
        return run.write(cell, record("steep", cell.seed, **about, **changes), scratch)

    return put


def lay(run: Run, cell: Cell, **changes: object) -> None:
    """Change fields of a record that lies there, whatever comes of it."""
    path = run.path(cell)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_written_record_is_found_with_its_predictions(run, write):
    write(run, CELL)
    assert run.find(CELL)["status"] == "done"
    assert np.load(run.path(CELL).with_suffix(".npz"))["predictions"].shape == (1000, 2)
    assert {p.suffix for p in run.cells.iterdir()} == {".json", ".npz"}


def test_a_failed_record_keeps_the_log_and_drops_older_predictions(run, write):
    write(run, CELL)
    write(run, CELL, status="failed")
    assert {p.suffix for p in run.cells.iterdir()} == {".json", ".log"}


def test_a_record_of_other_code_config_or_schema_is_not_the_cells(run, write):
    write(run, CELL)
    assert run.find(replace(CELL, code={"task": "1", "model": "changed"})) is None
    assert run.find(replace(CELL, config={**CELL.config, "threads": 2})) is None
    assert run.find(replace(CELL, seed=1)) is None
    lay(run, CELL, schema=0)
    assert run.find(CELL) is None
    assert run.read() == []


def test_what_cannot_be_written_leaves_the_old_record(run, write):
    write(run, CELL, notes={"a": "old"})
    with pytest.raises(Unrecordable, match="its record is damaged"):
        write(run, CELL, metrics="none")
    with pytest.raises(Unrecordable, match="more than 1,000,000 values"):
        write(run, CELL, notes={"a": [0] * 1_000_001})
    assert run.find(CELL)["notes"] == {"a": "old"}
    assert [r["notes"] for r in run.read()] == [{"a": "old"}]


def test_damaged_and_foreign_files_do_not_stop_the_reading_of_a_run(run, write):
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


def test_a_record_of_the_version_before_is_brought_up_to_date(run, write):
    write(run, CELL)
    lay(run, CELL, schema=2)
    (record,) = run.read()
    assert (record["schema"], record["work"]) == (SCHEMA, None)
    assert run.find(CELL) == record


def test_the_name_of_a_cell_follows_its_config_whatever_the_order_of_keys():
    turned = replace(CELL, config=dict(reversed(CELL.config.items())))
    assert turned.name == CELL.name
    assert replace(CELL, config={**CELL.config, "device": "y"}).name != CELL.name


def test_an_unknown_run_is_refused_with_those_that_exist(tmp_path, run, write):
    write(run, CELL)
    assert open_run(tmp_path, "r").read() == open_run(tmp_path, str(tmp_path / "r")).read()
    with pytest.raises(BadInput, match=r"There is no run x; there are: r\."):
        open_run(tmp_path, "x")
    with pytest.raises(BadInput, match="holds none yet"):
        open_run(tmp_path / "none", "x")


def test_records_are_plain_json(run, write):
    write(run, CELL)
    assert json.loads(run.path(CELL).read_text())["schema"] == SCHEMA


def test_records_of_schema_3_are_shown_as_they_were(tmp_path):
    """Scores and their order are those of the kit that made them; shares and times have ranges
    since."""
    old = ROOT / "tests" / "data" / "schema3"
    shutil.copytree(old, tmp_path / "old")
    run = Run(tmp_path / "old")
    present, unreadable = run.scan()
    assert (len(present), unreadable) == (4, [])
    assert {record["schema"] for record in present} == {SCHEMA}
    pages.write(run.folder, [judge(part, run.outcomes) for part in sections(present)])
    assert (run.folder / "table.md").read_text() == (old / "table.md").read_text()


class Odd:
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


NESTED: list = []
NESTED.append(NESTED)
NOTES = {
    "nan": (math.nan, None),
    "infinite": (-math.inf, None),
    "half": ("a\ud800b", "a\\ud800b"),
    "control": ("\x1b[31m\x00\x07", "\x1b[31m\x00\x07"),
    "numpy": (np.float32(0.5), 0.5),
    "numpy nan": (np.float64("nan"), None),
    "array": (np.arange(3), [0, 1, 2]),
    "huge": (10**5000, "a number of 16,610 bits"),
    "bytes": (b"\xffa", "\\xffa"),
    "keys": ({1: "a", "1": "b", None: "c"}, {"1": "a", "1 (str)": "b", "None": "c"}),
    "odd": (Odd(), "Odd"),
    "tuple": ((1, {2}), [1, [2]]),
    "path": (Path("x"), "x"),
}


@pytest.mark.parametrize(("note", "kept"), NOTES.values(), ids=NOTES)
def test_a_record_can_hold_any_note(run, write, note, kept):
    record = write(run, CELL, notes={"a": note})
    assert record["notes"] == {"a": kept}
    assert run.read() == [run.find(CELL)]
    assert run.find(CELL)["notes"] == {"a": kept}


def test_what_lies_in_itself_ends_somewhere(run, write):
    write(run, CELL, notes={"a": NESTED})
    assert run.find(CELL)["status"] == "done"


def test_notes_and_curves_have_a_cap_and_need_no_form():
    notes = noted({"long": "x" * 10**6, "many": list(range(10**6)), "few": 1, "much": [0] * 2**21})
    assert notes["long"] == "x" * 300 + "…"
    assert notes["few"] == 1
    assert notes["left_out"].startswith("many, much (")
    assert noted("words") == {"notes": "words"}
    assert curves({"loss": [1, math.nan, "x", 10**400]}) == {"loss": [1.0, None, None, None]}
    assert curves({"loss": 3}) is None
    assert curves([1, 2]) is None
    assert one_line(ValueError("a\n\nb")) == "ValueError: a b"


def test_a_long_log_keeps_its_head_and_its_tail(run, write):
    scratch = run.scratch(CELL)
    (scratch / "cell.log").write_bytes(b"first" + bytes(5 * 2**20) + b"last")
    record = {**write(run, replace(CELL, seed=1)), "status": "failed", "reason": "words"}
    run.write(CELL, record, scratch)
    log = run.path(CELL).with_suffix(".log").read_bytes()
    assert len(log) < 1.1 * 2**20
    assert log.startswith(b"first")
    assert log.endswith(b"last")
    assert b"5 MB are left out" in log
