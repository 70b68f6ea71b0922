"""A chosen model, fitted on all rows of its task and taken apart into a folder of data."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cell import jobs, packed, views
from benchmarks.cell import rows as of_rows
from benchmarks.cell.answers import Asked, refuse_others
from benchmarks.cell.cell import built, fetched, fit, refuse_size
from benchmarks.cell.clock import Clock
from benchmarks.cell.new_rows import reader_of
from benchmarks.cell.prepared import in_order, task_of
from benchmarks.cell.protocols import offered
from benchmarks.cell.restored import Unfit, restored
from benchmarks.records.files import leaving
from tasks.base import Data

TRIED = 256  # train rows on which what was kept must answer as the model does
ALIKE = 1e-6  # that far, as some forms round


def main(job: Mapping[str, Any], folder: Path) -> None:
    """job: as of a cell, with `into`, the folder that is to hold the model, and `rows`: `all`, or
    `train` for what the cell of this seed has learned from."""
    jobs.end(lambda: taken(job), folder)


def taken(job: Mapping[str, Any]) -> dict[str, Any]:
    """Fit and keep; what there is to know of it."""
    clock, seed = Clock(audit=False), job["seed"]
    task, model = task_of(job), built(job)
    data, view, train = rows_of(task, model, seed, job["rows"] == "all")
    data, train = in_order(task, data, train, seed)
    name = job["name"]
    refuse_others(model, data, name)
    refuse_size(model, train)
    fetched(model, clock)
    own = offered(task, "new_rows")
    reader = None if own is None else own(data, view)
    if reader is None:
        raw = offered(task, "raw_columns")
        reader = reader_of(train, [] if raw is None else list(raw(data, view)))
    warned = fit(model, train, data, clock)
    into = Path(job["into"])
    try:
        ours = kept(into, model, reader, train, data, len(train))
    except (AttributeError, Changed):  # of as many rows was something that it needs after all
        ours = kept(into, model, reader, train, data, None)
    read_by = alone(reader)
    return {
        "kind": data.kind,
        "answer": data.answer,
        "classes": list(data.classes),
        "view": view,
        "rows": len(train),
        "columns": of_rows.columns(train),
        "reads": reader.names,
        "seconds": clock.phases["fit"]["wall"],
        "warnings": sorted(set(warned)),
        "notes": {k: v for k, v in (offered(model, "notes_") or {}).items() if k != "device"},
        "alone": read_by,
        "code": [] if isinstance(read_by, str) else code(ours, f"reader.{read_by['prepare']}"),
    }


class Changed(ValueError):
    """What was kept answers otherwise than the model."""


def kept(
    into: Path, model: Any, reader: Any, train: Any, data: Data, rows: int | None
) -> dict[str, str]:
    """Leave the model and the reader, with some made-up rows and the answers to them, and see that
    they come back as they were; what of our code they need (packed.write). Raises Unfit, Changed,
    and Unwritable."""
    for old in into.iterdir():
        old.unlink()
    asked = Asked(model, data)
    some = of_rows.take(train, np.arange(min(TRIED, len(train))))
    said, check = asked(some, "checks"), None
    try:
        made_up = of_rows.synthetic(train)
        check = {"rows": made_up, "answers": asked(made_up, "checks")}
    except of_rows.NoSynthetic:
        pass
    with leaving():
        ours = packed.write(into, {"model": model, "reader": reader, "check": check}, rows)
    again, _, back = restored(into, "model", "reader", "check")
    apart = distance(said, Asked(again, data)(some, "checks"))
    if check is not None:
        apart = max(apart, distance(check["answers"], Asked(again, data)(back["rows"], "checks")))
    if apart > ALIKE * (1.0 if data.answer != "values" else float(np.std(said)) or 1.0):
        raise Changed(f"what was kept of the model answers otherwise than it (by {apart:.2g})")
    return ours


def distance(answers: Any, others: Any) -> float:
    """The largest difference; infinite for answers that are no numbers and not the same."""
    if isinstance(answers, list):
        return 0.0 if answers == list(others) else np.inf
    if not len(answers):
        return 0.0
    return float(np.abs(np.asarray(answers) - np.asarray(others)).max())


def rows_of(task: Any, model: Any, seed: int, everything: bool) -> tuple[Data, str, Any]:
    """(data, name of the view, train rows): all rows of the task, or its train rows."""
    data = task.load(seed)
    whole = offered(task, "whole")
    if everything and whole is not None:
        data = whole(data, seed)
    view, train, test = views.first(task, data, offered(model, "view"))
    if everything and whole is None:
        labels = of_rows.join(data.train_labels, data.test_labels)
        # Test rows come after train rows where there is time; else all are dealt out anew.
        by_time = offered(task, "rewrite") is not None
        data, train = replace(data, train_labels=labels, ordered=by_time), of_rows.join(train, test)
    return data, view, train


def code(ours: Mapping[str, str], prepares: str) -> list[str]:
    """Of our code what score.py needs: for the model, and for what prepares its columns."""
    needed = ("model", prepares)
    return sorted(
        {
            name
            for where, name in ours.items()
            if where in needed or where.startswith(tuple(f"{part}." for part in needed))
        }
    )


def alone(reader: Any) -> dict[str, Any] | str:
    """What score.py has to know to read new rows with pandas alone; or why it cannot."""
    if not hasattr(reader, "plainly"):
        return "new rows are no table of columns"
    return reader.plainly()


__all__ = ["Unfit", "main", "taken"]
