"""A cell on another machine: what is sent there, what is done there, and what comes back.

There it is a run of one cell in a folder of its own, with the same process, limits and record as
here. What it leaves comes back packed, and the driver alone writes to the run.
"""

import dataclasses
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.records import files
from benchmarks.records.records import BESIDE, MOST, Cell, Record, Run, parse
from benchmarks.runner.execute import Executor
from benchmarks.runner.settings import Settings
from benchmarks.runner.worker import Worker

_kept: dict[int, Worker] = {}
"""Of a process that runs one cell after another, as Ray's do: by threads. They end with it."""


def request_of(
    cell: Cell, settings: Settings, counted: Mapping[str, Any], run: Run, token: str
) -> dict[str, Any]:
    """In JSON's values. token: a file in the run's folder, by which a node knows whether it sees
    the same file system."""
    return {
        "cell": dataclasses.asdict(cell),
        "settings": {**dataclasses.asdict(settings), "libraries": sorted(settings.libraries)},
        "counted": dict(counted),
        "run": run.name,
        "shared": str(run.cells.resolve()),
        "token": token,
    }


class Apart(Run):
    """On the node: a run of one cell. What a killed cell goes on from lies with the driver's run,
    where both see the same file system, as the next node to try may be another."""

    def __init__(self, folder: Path, shared: Run | None) -> None:
        super().__init__(folder)
        self._shared = shared

    def trials(self, cell: Cell) -> Path:
        return super().trials(cell) if self._shared is None else self._shared.trials(cell)

    def folders(self, cell: Cell) -> dict[str, str]:
        own = super().folders(cell)
        if self._shared is not None:
            own["checkpoints"] = self._shared.folders(cell)["checkpoints"]
        return own


def run_cell(request: Mapping[str, Any]) -> bytes:
    """On the node: run the cell; what it left, packed (see `taken_in`)."""
    cell, settings = Cell(**request["cell"]), Settings(**request["settings"])
    cells = Path(request["shared"])
    sees = (cells.parent / request["token"]).is_file()
    threads = cell.config["threads"]
    if threads not in _kept:
        _kept[threads] = Worker(threads)
    with tempfile.TemporaryDirectory(prefix="model-eras-") as folder:
        run = Apart(Path(folder) / request["run"], Run(cells.parent) if sees else None)
        run.create()
        counted = dict(request["counted"])
        quiet = Console(quiet=True)
        with Executor(
            run, [cell], settings, quiet, _kept[threads], count=lambda _: counted
        ) as executor:
            executor.execute(cell)
            if executor.lost_worker:
                del _kept[threads]
        return packed(run, cell)


def packed(run: Run, cell: Cell) -> bytes:
    """The record of a cell and all that lies beside it."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz", compresslevel=1) as archive:
        archive.add(run.path(cell), "record.json")
        for suffix in (*BESIDE, ".log"):
            if (file := run.path(cell).with_suffix(suffix)).exists():
                archive.add(file, f"cell{suffix}")
        if (artifacts := Path(run.folders(cell)["artifacts"])).is_dir():
            archive.add(artifacts, "artifacts")
    return into.getvalue()


def taken_in(run: Run, cell: Cell, archive: bytes) -> tuple[Record, Path]:
    """Here: the record that came, and the scratch folder with what belongs to it, as a cell of this
    machine would have left it. Raises CannotWrite, and ValueError for what is no such archive."""
    scratch = run.scratch(cell)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
            opened.extractall(scratch, filter="data")
        text = files.content(scratch / "record.json", MOST)
        parse(text)  # what is no record is refused
        record: Record = json.loads(text)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError(f"what came back cannot be read ({error})") from None
    if (came := scratch / "artifacts").is_dir():
        there = Path(run.folders(cell)["artifacts"])
        shutil.rmtree(there, ignore_errors=True)
        came.replace(there)
    return record, scratch
