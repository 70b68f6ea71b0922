"""Records: one JSON file per cell, written whole or not at all, and the reading of a run.

results/README.md documents the fields. This module knows no model, no task and no clock.
"""

import contextlib
import errno
import hashlib
import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.errors import BadInput, cannot_write
from benchmarks.records import files, given, predictions
from benchmarks.records.files import Unreadable
from benchmarks.records.given import Given
from benchmarks.records.shape import misfit
from benchmarks.records.subset import restricted_outcomes, whole_of
from benchmarks.records.values import TooMuch, plain_data
from tasks.metrics import OF_KIND, STANDARD

SCHEMA = 5
MOST = 32 * 2**20  # bytes of a record
LOG = 2**20  # bytes of a log
ROWS = ".rows.parquet"  # test rows as they are, for one of the cells that were asked for them
BESIDE = (".npz", ".answers.jsonl", ROWS)
OWN = frozenset({errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST, errno.ENAMETOOLONG})
"""Of errors that are in the way of one record, and of no other."""
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
    "limits",
    "timing",
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
UNKNOWN: Mapping[str, Any] = {
    **dict.fromkeys(("era", "year", "work", "control", "tuning", "columns", "cold_start")),
    **dict.fromkeys(("parameters", "size_bytes", "history", "artifacts", "pools", "commit")),
    "view": "features",
    "bound": False,
}
"""What others may lack, and what is then read in its place."""


class Unrecordable(ValueError):
    """Nothing of the kind can be kept as a record; the message says why."""


def parse(text: bytes) -> Record:
    """A record as this version has it. Raises Unreadable."""
    try:
        record = json.loads(text.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError:
        raise Unreadable("cannot be read: it is no UTF-8") from None
    except (ValueError, RecursionError):
        raise Unreadable("is damaged: it is no whole JSON") from None
    version = record.get("schema") if isinstance(record, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise Unreadable("is no record")
    if version > SCHEMA:
        raise Unreadable(f"was written by a newer version of this kit (schema {str(version)[:9]})")
    if version < 2:
        raise Unreadable(f"was written by an older version of this kit (schema {str(version)[:9]})")
    if b"\\u" in text:  # half a character, which no file and no terminal takes
        try:
            record = plain_data(record)
        except TooMuch as error:
            raise Unreadable(f"is damaged: {error}") from None
    with contextlib.suppress(TypeError, KeyError):  # then it has no shape, either
        record = migrated(record, version)
    fields = ALWAYS + (WHEN_DONE if record.get("status") == "done" else ())
    if missing := [name for name in fields if name not in record]:
        raise Unreadable(f"is damaged: it has no {missing[0]}")
    if (wrong := misfit(record)) is not None:
        raise Unreadable(f"is damaged ({wrong})")
    return {**UNKNOWN, **record}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


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
    return record | {"schema": SCHEMA}  # before 5 there were no checksums of `files`


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
    def view(self) -> str:
        """Which of the task's views the model reads; of several (`a|b`) the first that there is."""
        return view_of(self.config["model"], self.constants)

    @property
    def config_hash(self) -> str:
        text = json.dumps(self.config, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        """Unique in a run, and a valid file name."""
        return f"{self.task}-{self.model}-{self.seed}-{self.config_hash}"


def view_of(model: Mapping[str, Any], constants: Mapping[str, Any]) -> str:
    """Of a model's config, or what its class says of itself."""
    return str(model.get("view") or constants.get("view", "features"))


def name_of(record: Record) -> str:
    """The name of the cell that a record is of."""
    return "-".join(str(record[k]) for k in ("task", "model", "seed", "config_hash"))


def memory_growth(record: Record) -> float | None:
    """Bytes: the larger growth of fit and predict over the state before each, with the memory of
    processes that they started; None where it was not looked at, or was elsewhere."""
    if record.get("stated"):
        return None
    phases = [record["phases"][name] for name in ("fit", "predict")]
    grown = [p["memory_growth"] + p.get("children_peak", 0) for p in phases if "memory_growth" in p]
    return max(grown, default=None)


class Run:
    """A named folder of records: `results/NAME/cells/*.json`, predictions beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cells = folder / "cells"
        self._made: list[Path] = []

    @property
    def name(self) -> str:
        return self.folder.name

    def create(self) -> None:
        """Make the folder, and make sure that it can be written, before any work is done."""
        probe = self.cells / ".writable"
        folders = (self.cells, *self.cells.parents)
        try:
            self._made = [folder for folder in folders if not folder.exists()]
            self.cells.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise BadInput(
                f"The results folder {self.folder} cannot be written ({error.strerror}); "
                "give another with results=FOLDER."
            ) from None

    def leave_if_empty(self) -> None:
        """Take a run away that holds nothing, with the folders that were made for it: nothing is
        left of a command that did not get to its first cell."""
        with contextlib.suppress(OSError):  # it holds something, or somebody else was faster
            self.cells.rmdir()
            for name in (".lock", "plan.json"):
                (self.folder / name).unlink(missing_ok=True)
            for folder in dict.fromkeys((self.folder, *self._made)):
                if folder != self.cells:
                    folder.rmdir()

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
        """An empty folder for what the cell's process leaves, on the records' file system. Raises
        CannotWrite."""
        folder = self.cells / f"{cell.name[:200]}.partial"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            if not folder.is_dir():
                folder.unlink(missing_ok=True)
            folder.mkdir()
        except OSError as error:
            raise cannot_write(folder, error) from None
        return folder

    def find(self, cell: Cell) -> Record | None:
        """The cell's record, if there is one that holds and was made by the code that is there."""
        return self.find_or_why(cell)[0]

    def find_or_why(self, cell: Cell) -> tuple[Record | None, str]:
        """(as `find`, a sentence if there is one that does not hold)"""
        path = self.path(cell)
        try:
            record = self._load(path)
        except FileNotFoundError:
            return None, ""
        except Unreadable as error:
            return None, f"{path} {error}; its cell runs again"
        if damage := self._damage(record):
            return None, f"{path} {damage}; its cell runs again"
        return (record if record["code"] == dict(cell.code) else None), ""

    def _load(self, path: Path) -> Record:
        """A record, with what lies beside it as it was left. Raises FileNotFoundError, Unreadable.

        Those of older schemas hold no checksums (see `_damage`).
        """
        record = parse(files.content(path, MOST))
        if record["status"] != "done":
            return record
        name = name_of(record)
        for suffix, known in record.get("files", {}).items():
            try:
                same = files.holds(self.cells / f"{name}{suffix}", known)
            except FileNotFoundError:
                raise Unreadable(f"lacks what belongs to it: {name}{suffix} is gone") from None
            except Unreadable as error:
                raise Unreadable(f"lacks what belongs to it: {name}{suffix} {error}") from None
            if not same:
                raise Unreadable(f"does not belong to {name}{suffix}, which was changed since")
        return record

    def _damage(self, record: Record) -> str:
        """Of a record without checksums: what is wrong with its predictions, if they are there."""
        if record["status"] == "done" and not record.get("files"):
            try:
                self._outcomes(record, None)
            except FileNotFoundError:
                pass  # as in a run that was passed on without them
            except Unreadable as error:
                return f"has predictions that are damaged (the file {error})"
        return ""

    def write(self, cell: Cell, record: Record, scratch: Path) -> Record:
        """Put the record in place, its predictions first, then drop the scratch folder; as it was
        written, with the checksums of what lies beside it.

        A reader sees the old record or the new one, never a part; after a power cut as well. Raises
        CannotWrite if nothing can be written here, Unrecordable if this record cannot.
        """
        path = self.path(cell)
        done = record["status"] == "done"
        try:
            beside = {}
            for suffix in BESIDE:
                if done and (new := scratch / f"cell{suffix}").exists():
                    beside[suffix] = files.facts(new)
                    files.settle(new)
            if done:
                record = record | {"files": beside | record.get("files", {})}
            record = plain_data(record)
            text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False).encode()
            if len(text) > MOST:
                raise Unrecordable(f"its record would have {len(text) / 1e6:,.0f} MB")
            parse(text)  # what could not be read again is not written
            for suffix, kept in (*((suffix, done) for suffix in BESIDE), (".log", not done)):
                old, new = path.with_name(f"{cell.name}{suffix}"), scratch / f"cell{suffix}"
                if kept and new.exists():
                    if suffix == ".log":
                        files.shorten(new, LOG)
                    new.replace(old)
                else:
                    old.unlink(missing_ok=True)
            whole = scratch / "record.json"
            whole.write_bytes(text)
            files.settle(whole)
            whole.replace(path)
            files.settle(self.cells)
        except OSError as error:
            if error.errno in OWN:
                raise Unrecordable(f"its record cannot be written ({error.strerror})") from None
            raise cannot_write(path, error) from None
        except (Unreadable, TooMuch) as error:
            raise Unrecordable(f"its record {error}") from None
        if done:
            self.trials(cell).unlink(missing_ok=True)  # the record has them
            shutil.rmtree(self.folders(cell)["checkpoints"], ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
        return record

    def outcomes(
        self, record: Record, names: Collection[str] | None = None
    ) -> dict[str, Any] | None:
        """The raw outcomes of a cell that is done (results/README.md), or those of these names
        that it has; None if they are gone."""
        try:
            found = self._outcomes(whole_of(record), names)
        except (FileNotFoundError, Unreadable):
            return None
        return found if whole_of(record) is record else restricted_outcomes(found)

    def _outcomes(self, record: Record, names: Collection[str] | None) -> dict[str, Any]:
        name = name_of(record)
        if record.get("answer") == "answers":
            return predictions.read_answers(self.cells / f"{name}.answers.jsonl", record)
        return predictions.read_arrays(self.cells / f"{name}.npz", record, names)

    def rows(self, record: Record) -> Given | None:
        """Test rows as they are, if they were kept beside this record and nobody spoiled them."""
        if ROWS not in record.get("files", {}):
            return None
        return given.read(self.cells / f"{name_of(record)}{ROWS}", record["rows"]["test"])

    def glance(self) -> list[Record]:
        """All records that can be read, whatever became of what lies beside them."""
        found = []
        for path in sorted(self.cells.glob("*.json")):
            with contextlib.suppress(FileNotFoundError, Unreadable):
                found.append(parse(files.content(path, MOST)))
        return found

    def read(self) -> list[Record]:
        """All records that can be read, in the order of their file names."""
        return self.scan()[0]

    def scan(self) -> tuple[list[Record], list[str]]:
        """(records that can be read, a sentence on everything that cannot)"""
        records, unreadable = [], []
        for path in sorted(self.cells.glob("*.json")):
            try:
                record = self._load(path)
                records.append(record)
                if damage := self._damage(record):
                    unreadable.append(f"{path} {damage}; its row is shown without them")
            except FileNotFoundError:  # it went while we looked
                continue
            except Unreadable as error:
                unreadable.append(f"{path} {error}; it is left out")
        return records, unreadable
