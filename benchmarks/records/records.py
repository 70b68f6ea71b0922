"""Records: one JSON file per cell, written whole or not at all, and the reading of a run.

results/README.md documents the fields. This module knows no model, no task and no clock.
"""

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.errors import BadInput
from tasks.metrics import OF_KIND, STANDARD

SCHEMA = 4
STATUSES = ("done", "failed", "timeout", "out_of_memory", "skipped")
Record = dict[str, Any]

ALWAYS = (
    "task",
    "model",
    "seed",
    "status",
    "reason",
    "config",
    "config_hash",
    "changed",
    "code",
    "machine",
    "packages",
    "started",
    "seconds",
)
WHEN_DONE = (
    "kind",
    "metric",
    "metrics",
    "scores",
    "floor",
    "ceiling",
    "rows",
    "phases",
    "latency",
    "notes",
)
"""What every record holds, and what those of finished cells hold beside it."""


class Unreadable(ValueError):
    """A file that holds no record of this version, with a sentence about it."""


def parse(text: str) -> Record:
    """A record as this version has it. Raises Unreadable."""
    try:
        record = json.loads(text)
    except ValueError:
        raise Unreadable("is damaged: it is no whole JSON") from None
    if not isinstance(record, dict) or not isinstance(record.get("schema"), int):
        raise Unreadable("is no record")
    if (version := record["schema"]) > SCHEMA:
        raise Unreadable(f"was written by a newer version of this kit (schema {version})")
    if version < 2:
        raise Unreadable(f"was written by an older version of this kit (schema {version})")
    record = migrated(record, version)
    fields = ALWAYS + (WHEN_DONE if record.get("status") == "done" else ())
    if missing := [name for name in fields if name not in record]:
        raise Unreadable(f"is damaged: it has no {missing[0]}")
    return record


def migrated(record: Record, version: int) -> Record:
    """A record of an older schema as this one has it."""
    if version < 3:  # had no work ledger
        record |= {"work": None}
    if version < 4 and record.get("status") == "done" and record.get("kind") in OF_KIND:
        # Metrics were those of the kind, and described nowhere but in the code.
        names = [str(record.get("metric")), *OF_KIND[record["kind"]]]
        known = [STANDARD[name] for name in dict.fromkeys(names) if name in STANDARD]
        answer = "values" if record["kind"] == "regression" else "probabilities"
        record |= {"metrics": [asdict(metric.facts()) for metric in known], "answer": answer}
    return record | {"schema": SCHEMA}


@dataclass(frozen=True)
class Cell:
    """One (task, model, seed) with one resolved config: what runs, fails and is recorded."""

    task: str
    model: str
    seed: int
    config: Mapping[str, Any]
    """`task` and `model` (settings with their `_target_`), `threads` and `device`; `tune` (a
    `budget` and a `space`) if the settings are searched for; `control` if the task is spoiled."""
    code: Mapping[str, str | None]
    """Hashes of the source behind the task and the model."""
    changed: Mapping[str, Mapping[str, Any]]
    """Per `task` and `model`: the settings that differ from what its YAML and class say."""
    expensive: bool = False
    """Is its view kept from command to command?"""
    constants: Mapping[str, Any] = field(default_factory=dict)
    """What the model's class says of itself: `era`, `year`, `view`, `bound`, …"""

    @property
    def config_hash(self) -> str:
        text = json.dumps(self.config, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        """Unique in a run, and a valid file name."""
        return f"{self.task}-{self.model}-{self.seed}-{self.config_hash}"


def name_of(record: Record) -> str:
    """The name of the cell that a record is of."""
    return "-".join(str(record[k]) for k in ("task", "model", "seed", "config_hash"))


def memory_growth(record: Record) -> float | None:
    """Bytes: the larger growth of fit and predict over the state before each, with the memory of
    processes that they started; None where it was not looked at."""
    phases = [record["phases"][name] for name in ("fit", "predict")]
    grown = [p["memory_growth"] + p.get("children_peak", 0) for p in phases if "memory_growth" in p]
    return max(grown, default=None)


class Run:
    """A named folder of records: `results/NAME/cells/*.json`, predictions beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cells = folder / "cells"

    @property
    def name(self) -> str:
        return self.folder.name

    def create(self) -> None:
        """Make the folder, and make sure that it can be written, before any work is done."""
        probe = self.cells / ".writable"
        try:
            self.cells.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise BadInput(
                f"The results folder {self.folder} cannot be written ({error.strerror}); "
                "give another with results=FOLDER."
            ) from None

    def path(self, cell: Cell) -> Path:
        return self.cells / f"{cell.name}.json"

    def trials(self, cell: Cell) -> Path:
        """Where a search keeps its trials, so that it can go on if it is interrupted."""
        return self.cells / f"{cell.name}.trials.jsonl"

    def folders(self, cell: Cell) -> dict[str, str]:
        """Places that a model may ask for: `checkpoints` lives until the cell is done, so that a
        fit which was killed or reached its limit can go on; `artifacts` stays beside the record."""
        base = self.cells.resolve()
        return {
            "checkpoints": str(base / f"{cell.name}.checkpoints"),
            "artifacts": str(base / f"{cell.name}.artifacts"),
        }

    def fresh(self, cell: Cell) -> None:
        """Forget what an earlier try at this cell has left to go on from."""
        self.trials(cell).unlink(missing_ok=True)
        shutil.rmtree(self.folders(cell)["checkpoints"], ignore_errors=True)

    def scratch(self, cell: Cell) -> Path:
        """An empty folder for what the cell's process leaves, on the records' file system."""
        folder = self.cells / f"{cell.name}.partial"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def find(self, cell: Cell) -> Record | None:
        """The cell's record, if there is one and it was made by the code that is there now."""
        try:
            record = parse(self.path(cell).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return record if record["code"] == dict(cell.code) else None

    def write(self, cell: Cell, record: Record, scratch: Path) -> None:
        """Put the record in place, its predictions first, then drop the scratch folder.

        A reader sees the old record or the new one, never a part; after a power cut as well.
        """
        path = self.path(cell)
        done = record["status"] == "done"
        for suffix, kept in ((".npz", done), (".answers.jsonl", done), (".log", not done)):
            old, new = path.with_suffix(suffix), scratch / f"cell{suffix}"
            if kept and new.exists():
                new.replace(old)
            else:
                old.unlink(missing_ok=True)
        whole = scratch / "record.json"
        with whole.open("w", encoding="utf-8") as file:
            json.dump(record, file, indent=1, ensure_ascii=False, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        whole.replace(path)
        if done:
            self.trials(cell).unlink(missing_ok=True)  # the record has them
            shutil.rmtree(self.folders(cell)["checkpoints"], ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)

    def outcomes(
        self, record: Record, names: Collection[str] | None = None
    ) -> dict[str, Any] | None:
        """The raw outcomes of a cell that is done (results/README.md), or those of these names
        that it has; None if they are gone."""
        if record.get("answer") == "answers":
            return self._answers(record)
        import numpy as np  # only here: listing records should not wait for it

        try:
            with np.load(self.cells / f"{name_of(record)}.npz", allow_pickle=False) as arrays:
                wanted = [
                    name
                    for name in arrays.files
                    if names is None or name in names or name.startswith("influence_")
                ]
                return {name: arrays[name] for name in wanted}
        except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile):
            return None

    def _answers(self, record: Record) -> dict[str, Any] | None:
        """Of a cell whose answers are texts or JSON: a line for each test row."""
        import numpy as np

        try:
            text = (self.cells / f"{name_of(record)}.answers.jsonl").read_text(encoding="utf-8")
            lines = [json.loads(line) for line in text.splitlines()]
            found: dict[str, Any] = {
                "predictions": [line["answer"] for line in lines],
                "labels": [line["label"] for line in lines],
            }
            if lines and "truth" in lines[0]:
                found["truth"] = [line["truth"] for line in lines]
            beside = set(lines[0]) - {"answer", "label", "truth"} if lines else ()
            return found | {name: np.array([line[name] for line in lines]) for name in beside}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def read(self) -> list[Record]:
        """All records that can be read, in the order of their file names."""
        return self.scan()[0]

    def scan(self) -> tuple[list[Record], list[str]]:
        """(records that can be read, a sentence on every file that cannot)"""
        records, unreadable = [], []
        for path in sorted(self.cells.glob("*.json")):
            try:
                records.append(parse(path.read_text(encoding="utf-8")))
            except Unreadable as error:
                unreadable.append(f"{path} {error}; it is left out")
            except (OSError, UnicodeDecodeError):
                unreadable.append(f"{path} cannot be read; it is left out")
        return records, unreadable


def open_run(results: Path, name: str) -> Run:
    """Open an existing run by name (or by path); BadInput lists those there are."""
    for folder in (results / name, Path(name)):
        if (folder / "cells").is_dir():
            return Run(folder)
    runs = sorted(p.parent.name for p in results.glob("*/cells")) if results.is_dir() else []
    known = f"there are: {', '.join(runs)}" if runs else f"{results}/ holds none yet"
    raise BadInput(f"There is no run {name}; {known}.")
