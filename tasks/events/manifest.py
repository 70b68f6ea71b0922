"""What a company's tables are: one small YAML, in the words of RelBench 3's `manifest.yaml`.

A folder of RelBench is read as it is: tables, keys and times in `manifest.yaml`, data in
`db/TABLE.parquet`, a task in `tasks/NAME/manifest.yaml` with its `train`, `val` and `test` rows
beside it. Own words, for tables that lie elsewhere: `file`, `types`, `known_after`, and `task` for
a task in the same YAML (docs/your-events.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tasks.table.target import Kind

VERSION = 1
FILES = ("parquet", "csv", "csv.gz", "tsv", "feather", "jsonl", "json")
SPLITS = ("train", "val", "test")
KINDS: dict[str, Kind] = {  # RelBench's words for what is predicted
    "binary_classification": "binary",
    "multiclass_classification": "multiclass",
    "regression": "regression",
}
OTHER_KINDS = ("multilabel_classification", "recommendation")
OF_DATASET = {"name", "description", "val_timestamp", "test_timestamp", "tables", "task"}
OF_TABLE = {"pkey", "time_col", "fkeys", "file", "types"}
OF_TASK = {
    *("name", "kind", "task_type", "description", "entity_table", "entity_col", "target_col"),
    *("time_col", "timedelta", "num_eval_timestamps", "remove_columns", "sql", "evaluator"),
    *("extra_files", "metrics", "src_entity_table", "src_entity_col", "dst_entity_table"),
    *("dst_entity_col", "eval_k", "file", "types", "known_after"),
}


@dataclass(frozen=True)
class Described:
    """A table: where it lies, and what its columns mean beside their types."""

    name: str
    file: str
    pkey: str | None = None
    time_col: str | None = None
    fkeys: Mapping[str, str | None] = field(default_factory=dict)
    """Column -> table whose `pkey` it holds; None where there is no such table"""
    types: Mapping[str, Any] = field(default_factory=dict)
    """Column -> number, category, date, text or out, where that is not seen rightly"""


@dataclass(frozen=True)
class Manifest:
    """Tables and one task over them."""

    source: str
    tables: Mapping[str, Described]
    target_col: str
    time_col: str
    entity_col: str
    """Of the labels: whose row it is"""
    entity_table: str | None
    """Where the entity's attributes stand"""
    labels: Mapping[str, Described]
    """`all` alone, or `train`, perhaps `val`, and `test`"""
    rows_of: str | None
    """The table whose rows are predicted themselves, if the labels are one of its columns"""
    kind: Kind | None
    known_after: int | None
    """Seconds from a row's moment to that of its outcome being known; None: no row knows the
    outcomes of others"""
    inclusive: bool
    """Does a row know what happened at its very moment?"""
    removed: Sequence[tuple[str, str]] = ()
    """(table, column) that nothing may be made of"""
    until: pd.Timestamp | None = None
    """The last moment of an event that any row may know"""


def read_manifest(path: str, name: str | None) -> Manifest:
    """The manifest of a folder, or a YAML file; name: of a task in `tasks/`. Raises ValueError with
    one sentence on what is wrong where."""
    place = Path(path).expanduser()
    if place.is_dir():
        place = place / "manifest.yaml"
    told = _load(place)
    _refuse_unknown(told, OF_DATASET | {"manifest_version"}, place)
    tables = {}
    for table, said in _mapping(told.get("tables") or {}, f"`tables` of {place}").items():
        tables[table] = _table(table, said, place)
    if not tables:
        raise ValueError(f"{place} names no tables")
    for described in tables.values():
        for column, parent in described.fkeys.items():
            if parent is None:  # entities of which nothing is known
                continue
            if parent not in tables:
                raise ValueError(
                    f"{place}: {described.name}.{column} refers to {parent}, which is none of the "
                    f"tables {', '.join(tables)}"
                )
            if tables[parent].pkey is None:
                raise ValueError(
                    f"{place}: {described.name}.{column} refers to {parent}, which has no pkey"
                )
    where, task = _task(told, name, place)
    until = told.get("test_timestamp")
    return _with_task(where, task, tables, None if until is None else _moment(until, place))


def _with_task(
    where: Path, task: Mapping[str, Any], tables: Mapping[str, Described], until: Any
) -> Manifest:
    kind = task.get("task_type")
    if kind in OTHER_KINDS:
        raise ValueError(f"{where} is of the task_type {kind}, which no model here answers")
    if kind is not None and kind not in KINDS:
        raise ValueError(f"{where}: task_type {kind!r} is none of {', '.join(KINDS)}")
    if not isinstance(target := task.get("target_col"), str):
        raise ValueError(f"{where} does not say what is predicted: target_col")
    owner = task.get("entity_table")
    if owner is not None and owner not in tables:
        raise ValueError(f"{where}: entity_table {owner} is none of the tables {', '.join(tables)}")
    rows_of = owner if task.get("kind") == "autocomplete" else None
    labels = _labels(where, task, rows_of)
    entity, time = task.get("entity_col"), task.get("time_col")
    if rows_of is not None:  # its rows are events themselves, of the first table they refer to
        table = tables[rows_of]
        time = time or table.time_col
        if not table.fkeys:
            raise ValueError(f"{where}: {rows_of} has no fkeys, so none of its rows has a past")
        entity = entity if entity in table.fkeys else next(iter(table.fkeys))
        owner = table.fkeys[str(entity)]
    for word, said in (("entity_col", entity), ("time_col", time)):
        if not isinstance(said, str):
            raise ValueError(f"{where} does not name the labels' {word}")
    if owner is not None and tables[owner].pkey is None:
        raise ValueError(f"{where}: the table {owner} of entities has no pkey")
    removed = [(str(table), str(column)) for table, column in task.get("remove_columns") or ()]
    known_after = None
    if (delay := task.get("known_after")) is not None:
        known_after = _seconds(delay, where)
    return Manifest(
        str(where),
        tables,
        target,
        str(time),
        str(entity),
        owner,
        labels,
        rows_of,
        None if kind is None else KINDS[kind],
        known_after,
        task.get("kind") == "forecast",
        removed,
        until if "test" in labels and rows_of is None else None,
    )


def _labels(where: Path, task: Mapping[str, Any], rows_of: str | None) -> dict[str, Described]:
    """Where the labels lie: the file that is named, or those beside the manifest."""
    types = _mapping(task.get("types") or {}, f"`types` of {where}")
    if (file := task.get("file")) is not None:
        return {"all": Described("labels", _there(where.parent / str(file), where), types=types)}
    found = {}
    for split in SPLITS:
        for ending in FILES:
            if (file := where.parent / f"{split}.{ending}").is_file():
                found[split] = Described(split, str(file), types=types)
                break
    if found and not {"train", "test"} <= found.keys():
        lacking = "test" if "train" in found else "train"
        raise ValueError(
            f"beside {where} there are labels of {', '.join(found)}, none of {lacking}"
        )
    if not found and rows_of is None:
        raise ValueError(
            f"there are no labels: {where} names no file, and no {SPLITS[0]}.parquet lies beside it"
        )
    return found


def _task(told: Mapping[str, Any], name: str | None, place: Path) -> tuple[Path, dict[str, Any]]:
    """(where it is written, what it says)"""
    folder = place.parent / "tasks"
    names = sorted(file.parent.name for file in folder.glob("*/manifest.yaml"))
    if name is None and "task" in told:
        task = _mapping(told["task"], f"`task` of {place}")
        where = place
    else:
        if name is None and len(names) != 1:
            known = f"one of {', '.join(names)}: task.name=…" if names else "none in tasks/"
            raise ValueError(f"{place} has no task of its own; there is {known}")
        chosen = names[0] if name is None else name
        if chosen not in names:
            raise ValueError(
                f"{place.parent} has no task {chosen!r}; there is {', '.join(names) or 'none'}"
            )
        where = folder / chosen / "manifest.yaml"
        task = _load(where)
    _refuse_unknown(task, OF_TASK | {"manifest_version"}, where)
    return where, task


def _table(name: str, said: Any, place: Path) -> Described:
    told = _mapping({} if said is None else said, f"table {name} of {place}")
    _refuse_unknown(told, OF_TABLE, place, f"table {name} of ")
    fkeys = _mapping(told.get("fkeys") or {}, f"fkeys of {name} in {place}")
    types = _mapping(told.get("types") or {}, f"types of {name} in {place}")
    if (file := told.get("file")) is not None:
        path = _there(place.parent / str(file), place)
    else:
        folders = (place.parent / "db", place.parent)
        files = [folder / f"{name}.{ending}" for folder in folders for ending in FILES]
        there = [file for file in files if file.is_file()]
        path = str(there[0]) if there else _there(files[0], place)
    return Described(name, path, told.get("pkey"), told.get("time_col"), fkeys, types)


def _load(place: Path) -> dict[str, Any]:
    try:
        told = yaml.safe_load(place.read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(f"there is no manifest {place}") from None
    except OSError as error:
        raise ValueError(f"{place} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{place} is no YAML: {' '.join(str(error).split())[:200]}") from None
    told = _mapping(told, str(place))
    version = told.get("manifest_version", VERSION)
    if version != VERSION:
        raise ValueError(f"{place} has manifest_version {version}; {VERSION} is what is read here")
    return told


def _mapping(said: Any, what: str) -> dict[str, Any]:
    if not isinstance(said, dict) or not all(isinstance(key, str) for key in said):
        raise ValueError(f"{what} holds {type(said).__name__}, not names with what they mean")
    return said


def _refuse_unknown(told: Mapping[str, Any], known: set[str], place: Path, of: str = "") -> None:
    if unknown := sorted(told.keys() - known):
        raise ValueError(
            f"{of}{place} has {', '.join(map(repr, unknown))}; known are {', '.join(sorted(known))}"
        )


def _there(file: Path, place: Path) -> str:
    if not file.is_file() and not file.is_dir():
        raise ValueError(f"{place} names {file}, and there is no such file")
    return str(file)


def _moment(said: Any, place: Path) -> pd.Timestamp:
    try:
        return pd.Timestamp(said)
    except (ValueError, TypeError):
        raise ValueError(f"{place}: {said!r} is no moment") from None


def _seconds(said: Any, place: Path) -> int:
    try:
        delay = pd.Timedelta(said if isinstance(said, str) else f"{said} s")
    except (ValueError, TypeError):
        raise ValueError(f"{place}: known_after {said!r} is no length of time") from None
    if delay < pd.Timedelta(0):
        raise ValueError(f"{place}: known_after {said!r} is less than nothing")
    return int(-(-delay // pd.Timedelta(seconds=1)))
