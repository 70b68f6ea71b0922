"""All records of a run as one flat table, records.parquet: a row per cell, for pandas, Polars or
DuckDB.

results/README.md says what the columns hold. Works from records alone; knows no model and no task.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.records import files
from benchmarks.records.records import Record, Run, memory_growth, name_of

FILE = "records.parquet"
FORM = 1  # of its columns: another one is another file
PHASES = (
    "import",
    "read",
    "make",
    "load",
    "view",
    "facts",
    "warm_up",
    "tune",
    "fit",
    "predict",
    "save",
    "latency",
    "checks",
    "explain",
)
PLAIN = (
    "task",
    "model",
    "era",
    "year",
    "seed",
    "status",
    "reason",
    "kind",
    "metric",
    "view",
    "columns",
    "parameters",
    "size_bytes",
    "config_hash",
    "commit",
    "seconds",
)
"""Fields of a record that are columns as they are."""

WITHOUT_VALUES: dict[str, type] = {
    **dict.fromkeys(("era", "reason", "kind", "metric", "control", "device", "commit"), str),
    "control_passed": bool,
    "work_packages": list,
}
"""Types of columns in which no record has a value; any other is of numbers."""


def settings(record: Record, part: str) -> dict[str, Any]:
    """What the `task` or the `model` was set to, with what a search has chosen on top."""
    chosen = (record.get("tuning") or {}).get("chosen", {}) if part == "model" else {}
    return {**record["config"][part], **chosen}


def flat(record: Record) -> dict[str, Any]:
    """A row: column -> a number, a text, a truth value, a moment, a list of texts, or None for
    what the cell does not have or did not get to."""
    control, tuning = record.get("control") or {}, record.get("tuning") or {}
    row: dict[str, Any] = {
        "cell": name_of(record),
        **{name: record.get(name) for name in PLAIN},
        "bound": bool(record.get("bound")),
        "control": record["config"].get("control"),
        "control_passed": control.get("passed"),
        "tuned_trials": tuning.get("used", {}).get("trials"),
        "checks": [check["code"] for check in record.get("checks", ())],
        "memory_growth": memory_growth(record) if record["status"] == "done" else None,
        "threads": record["config"]["threads"],
        "device": record["config"]["device"],
        "started": datetime.fromisoformat(record["started"]),
    }
    stated = record.get("stated")
    phases = {} if stated else record.get("phases") or {}
    for prefix, clock in (("seconds", "wall"), ("cpu_seconds", "cpu")):
        row |= {f"{prefix}_{name}": phases.get(name, {}).get(clock) for name in PHASES}
    for batch, times in ({} if stated else record.get("latency") or {}).items():
        row |= {
            f"latency_{batch}_{name}": times.get(name)
            for name in ("p50", "p99", "p99_low", "p99_high")
        }
        row |= {
            f"latency_{batch}_{part}_p50": times[part]["p50"]
            for part in ("inputs", "model")
            if part in times
        }
    for prefix, field in (
        ("score", "scores"),
        ("ceiling", "ceiling"),
        ("floor", "floor"),
        ("rows", "rows"),
        ("cold_start", "cold_start"),
        ("work", "work"),
        ("code", "code"),
        ("machine", "machine"),
        ("stated", "stated"),
    ):
        row |= {f"{prefix}_{name}": value for name, value in (record.get(field) or {}).items()}
    for name in ("packages", "notes"):
        row[name] = as_json(record.get(name) or {})
    for part in ("task", "model"):
        given = settings(record, part)
        row[f"{part}_settings"] = as_json(given)
        row |= {f"{part}.{k}": v for k, v in given.items() if not isinstance(v, Mapping | list)}
    return row


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def load_libraries() -> None:
    """Load what writing needs, at a moment when nobody waits for it."""
    import pyarrow.parquet

    pyarrow.array([0])  # the first one loads pandas


def write(run: Run, records: Sequence[Record] | None = None) -> None:
    """Write records.parquet, whole or not at all; nothing if it is of these very records (None:
    those of the run), and no file if there are none. Raises CannotWrite."""
    path = run.folder / FILE
    rows = [
        {"run": run.name, **flat(record)} for record in (run.read() if records is None else records)
    ]
    if not rows:
        path.unlink(missing_ok=True)
        return
    made_of = hashlib.sha256(json.dumps([FORM, rows], default=str).encode()).hexdigest()
    if made_of in footer(path):
        return
    import pyarrow  # only here: a run that has nothing to do should not wait for it
    from pyarrow import parquet

    table = to_table(rows)
    whole = pyarrow.BufferOutputStream()
    parquet.write_table(table.replace_schema_metadata({"model_eras.made_of": made_of}), whole)
    files.write(path, whole.getvalue().to_pybytes())


def footer(path: Path) -> str:
    """The end of a Parquet file, in which its metadata stand as texts; empty if there is none."""
    try:
        with files.opened(path) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 8))
            length = int.from_bytes(file.read(4), "little")
            if file.read() != b"PAR1":
                return ""
            file.seek(max(0, end - 8 - length))
            return file.read().decode("latin-1")
    except (FileNotFoundError, files.Unreadable):
        return ""


def to_table(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a pyarrow.Table, each column with a type that holds all of its values."""
    import pyarrow

    types = {
        bool: pyarrow.bool_(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        str: pyarrow.string(),
        list: pyarrow.list_(pyarrow.string()),
        datetime: pyarrow.timestamp("us", tz="UTC"),
    }
    # A cell that failed has fewer columns: the order is that of the rows that have most.
    longest_first = sorted(rows, key=len, reverse=True)
    columns = {}
    for name in dict.fromkeys(name for row in longest_first for name in row):
        values = [row.get(name) for row in rows]
        kind = common_type(values) or WITHOUT_VALUES.get(name, float)
        if kind is str:
            values = [v if v is None or isinstance(v, str) else as_json(v) for v in values]
        columns[name] = pyarrow.array(values, types[kind])
    return pyarrow.table(columns)


def common_type(values: Sequence[Any]) -> type | None:
    """The type of all values that there are: text if nothing else holds them; None if none are."""
    kinds = {type(value) for value in values if value is not None}
    if int in kinds and any(isinstance(v, int) and abs(v) >= 2**63 for v in values):
        return str
    if len(kinds) > 1:
        return float if kinds == {int, float} else str
    return next(iter(kinds), None)
