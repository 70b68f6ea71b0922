"""records.parquet has a row per cell that pandas, Polars and DuckDB read, whatever the settings."""

import errno
import json
import os
import sys
from datetime import UTC, datetime

import duckdb
import pandas as pd
import pytest
from pyarrow import parquet

from benchmarks.errors import CannotWrite
from benchmarks.records import frame
from benchmarks.records.frame import common_type
from benchmarks.records.records import Record, Run


@pytest.fixture
def run(tmp_path) -> Run:
    made = Run(tmp_path / "r")
    made.create()
    return made


def put(run: Run, *records: Record) -> None:
    """Lay records where a run has them."""
    for number, record in enumerate(records):
        (run.cells / f"{number}.json").write_text(json.dumps(record))


def rows(run: Run) -> list[dict]:
    return parquet.read_table(run.folder / frame.FILE).to_pylist()


def with_settings(record: Record, **settings) -> Record:
    record["config"]["model"] = {"_target_": "m.M", **settings}
    return record


def test_a_row_holds_what_the_record_does(run, record):
    made = record(
        cold_start={"import": 1.5, "whole": 2.5},
        checks=[{"code": "ME03", "text": "words"}],
        work={"knobs": 3, "gpu": "no", "packages": ["scikit-learn", "scipy"]},
    )
    put(run, made)
    frame.write(run)
    (row,) = rows(run)
    assert row["run"] == "r"
    assert row["cell"] == "coin-svm-0-0"
    assert (row["score_roc_auc"], row["ceiling_roc_auc"], row["floor_roc_auc"]) == (0.8, 0.9, 0.5)
    assert (row["rows_train"], row["rows_test"], row["columns"]) == (2000, 1000, 3)
    assert (row["seconds_fit"], row["cpu_seconds_fit"], row["seconds_tune"]) == (1.0, 1.5, None)
    assert (row["latency_1_p50"], row["latency_1000_p50"]) == (0.002, 0.004)
    assert (row["cold_start_import"], row["cold_start_whole"]) == (1.5, 2.5)
    assert row["memory_growth"] == 2**20
    assert (row["work_knobs"], row["work_gpu"]) == (3, "no")
    assert row["work_packages"] == ["scikit-learn", "scipy"]
    assert row["checks"] == ["ME03"]
    assert (row["task.rows"], json.loads(row["task_settings"])["rows"]) == (60, 60)
    assert (row["machine_processor"], row["code_model"], row["threads"]) == ("P", "0", 2)
    assert json.loads(row["packages"]) == {"numpy": "2"}
    assert row["started"] == datetime.fromisoformat(made["started"])
    assert row["started"].utcoffset() == datetime.now(UTC).utcoffset()


def test_settings_of_any_types_share_a_column(run, record):
    given = [
        {"a": 1, "b": None, "c": 1, "d": True, "e": None, "f": 2**70, "g": [1, 2]},
        {"a": 0.5, "b": "sqrt", "c": None, "d": "yes", "e": None, "f": 1.0, "h": 3},
    ]
    put(run, *(with_settings(record(), **settings) for settings in given))
    frame.write(run)
    columns = parquet.read_table(run.folder / frame.FILE).to_pydict()
    assert columns["model.a"] == [1.0, 0.5]
    assert columns["model.b"] == [None, "sqrt"]
    assert columns["model.c"] == [1, None]
    assert columns["model.d"] == ["true", "yes"]
    assert columns["model.e"] == [None, None]
    assert columns["model.f"] == [str(2**70), "1.0"]
    assert columns["model.h"] == [None, 3]
    assert "model.g" not in columns, "a list is no scalar"
    assert json.loads(columns["model_settings"][0])["g"] == [1, 2]


def test_the_type_of_a_column_holds_all_of_its_values():
    assert common_type([None, None]) is None
    assert common_type([1, None, 2.5]) is float
    assert common_type([True, 1]) is str
    assert common_type([2**63]) is str
    assert common_type([-(2**63) + 1]) is int


def test_a_tuned_row_has_the_settings_that_were_chosen(run, record):
    tuning = {
        "metric": "roc_auc",
        "used": {"trials": 7, "seconds": 1.0},
        "chosen": {"C": 4.0},
        "trials": [],
    }
    put(run, with_settings(record(tuning=tuning), C=1.0, gamma=0.1))
    frame.write(run)
    (row,) = rows(run)
    assert (row["tuned_trials"], row["model.C"], row["model.gamma"]) == (7, 4.0, 0.1)


def test_a_cell_that_failed_is_a_row_without_scores(run, record):
    failed = {
        name: value
        for name, value in record("a", status="failed", reason="words").items()
        if name
        not in (
            "kind",
            "metric",
            "scores",
            "floor",
            "ceiling",
            "rows",
            "phases",
            "latency",
            "cold_start",
            "parameters",
            "size_bytes",
            "notes",
        )
    }
    put(run, failed | {"seconds": None}, record("b"))
    frame.write(run)
    first, second = rows(run)
    assert (first["status"], first["reason"], first["score_roc_auc"]) == ("failed", "words", None)
    assert (first["seconds"], first["seconds_fit"], first["memory_growth"]) == (None, None, None)
    assert second["score_roc_auc"] == 0.8


def test_text_columns_are_text_even_where_nothing_is_in_them(run, record):
    put(run, record(era=None))
    frame.write(run)
    schema = parquet.read_schema(run.folder / frame.FILE)
    for name in ("era", "reason", "control", "device"):
        assert schema.field(name).type == "string"


def test_duckdb_and_pandas_read_it(run, record):
    put(run, record("svm", auc=0.8), record("svm", auc=0.9), record("tree", auc=0.7))
    frame.write(run)
    path = run.folder / frame.FILE
    query = (
        'select model, "task.rows", avg(score_roc_auc), max(year(started)), bool_or(len(checks)>0)'
        f" from '{path}' where reason is null group by all order by model"
    )
    assert duckdb.sql(query).fetchall() == [
        ("svm", 60, pytest.approx(0.85), 2026, False),
        ("tree", 60, 0.7, 2026, False),
    ]
    table = pd.read_parquet(path)
    assert table.groupby("model")["score_roc_auc"].mean().to_dict() == pytest.approx(
        {"svm": 0.85, "tree": 0.7}
    )
    assert str(table["started"].dt.tz) == "UTC"


def test_no_records_no_file(run, record):
    frame.write(run)
    assert [p.name for p in run.folder.iterdir()] == ["cells"]
    put(run, record())
    frame.write(run)
    assert (run.folder / frame.FILE).exists()
    (run.cells / "0.json").unlink()
    frame.write(run)
    assert [p.name for p in run.folder.iterdir()] == ["cells"]


def test_a_record_that_comes_while_the_file_is_written_is_in_the_next(run, record, monkeypatch):
    put(run, record("a"))
    write_table = parquet.write_table

    def slow(*arguments) -> None:
        put(run, record("a"), record("b"))
        write_table(*arguments)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("pyarrow.parquet.write_table", slow)
        frame.write(run)
    assert [row["model"] for row in rows(run)] == ["a"]
    frame.write(run)
    assert [row["model"] for row in rows(run)] == ["a", "b"]


def test_it_follows_what_the_records_hold_and_no_clock(run, record):
    put(run, record("a"), record("b"))
    old = run.cells / "0.json"
    times = [(file, file.stat().st_mtime_ns) for file in sorted(run.cells.iterdir())]
    frame.write(run)
    put(run, record("c"))  # another record, which is no newer
    for file, time in times:
        os.utime(file, ns=(time, time))
    frame.write(run)
    assert [row["model"] for row in rows(run)] == ["c", "b"]
    old.unlink()
    frame.write(run)
    assert [row["model"] for row in rows(run)] == ["b"]
    (run.folder / frame.FILE).write_bytes(b"PAR1 half")
    frame.write(run)
    assert [row["model"] for row in rows(run)] == ["b"]
    later = time + 10**12
    os.utime(run.cells / "1.json", ns=(later, later))
    before = (run.folder / frame.FILE).stat().st_mtime_ns
    frame.write(run)
    assert (run.folder / frame.FILE).stat().st_mtime_ns == before, "the same record, touched"


def test_what_cannot_be_written_leaves_the_old_file(run, record, monkeypatch):
    put(run, record())
    frame.write(run)
    before = (run.folder / frame.FILE).read_bytes()

    def full(_) -> None:
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr("os.fsync", full)
    put(run, record("b"))
    with pytest.raises(CannotWrite, match=r"records\.parquet cannot be written \(disk full\)"):
        frame.write(run)
    assert (run.folder / frame.FILE).read_bytes() == before
    assert sorted(p.name for p in run.folder.iterdir()) == ["cells", frame.FILE]


def test_a_run_writes_it_and_leaves_it_alone_when_nothing_ran(eras, tmp_path, monkeypatch):
    run = Run(tmp_path / "a")
    assert eras("model.mode=good,raise", "model.factor=2").returncode == 1
    assert {(r["status"], r["model.mode"]) for r in rows(run)} == {
        ("done", "good"),
        ("failed", "raise"),
    }

    def again() -> None:
        done = eras("model.mode=good,raise", "model.factor=2")
        assert done.returncode == 1, "one of them did fail"

    path = run.folder / frame.FILE
    before = path.stat().st_mtime_ns
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pyarrow", None)  # whoever imports it now fails
        again()
    assert path.stat().st_mtime_ns == before

    (run.cells / "half.json").write_text('{"schema": 3, "ta')
    again()
    assert len(rows(run)) == 2, "a damaged record is left out"
    assert path.stat().st_mtime_ns == before, "the same records as before"
    path.unlink()
    again()
    assert len(rows(run)) == 2
