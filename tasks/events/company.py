"""A company's tables and labels, read once: what is a fault ends in a sentence, what can be lived
with becomes a notice (docs/your-events.md lists both)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tasks.events.manifest import Described, Manifest
from tasks.events.read import places, typed
from tasks.table.columns import Column

NOTED = 0.01  # share of labels after the last event that somebody should know of


@dataclass
class Company:
    """Typed tables by name, and the rows that are predicted."""

    manifest: Manifest
    tables: dict[str, pd.DataFrame]
    """As `tasks.events.read` gives them, without what the task hides"""
    labels: pd.DataFrame
    """A row for each label: key, moment, target, what else is known at the moment, and `split`"""
    own: list[str]
    """Columns of the labels that are known at the moment"""
    columns: dict[str, list[Column]]
    notices: list[str] = field(default_factory=list)
    train_rows: int = 0
    """Of the labels, once they are split and in order"""


def read_company(manifest: Manifest, threads: int) -> Company:
    """All tables and labels. Raises ValueError with one sentence."""
    tables: dict[str, pd.DataFrame] = {}
    columns: dict[str, list[Column]] = {}
    notices: list[str] = []
    hidden = {column for table, column in manifest.removed if table == manifest.rows_of}
    for name, table in manifest.tables.items():
        keys = {*table.fkeys, *filter(None, [table.pkey])}
        target = manifest.target_col if name == manifest.rows_of else None
        if target in keys:
            raise ValueError(f"{manifest.source}: the target {target!r} is a key of {name}")
        rows, columns[name], said = typed(table, keys, table.time_col, target, threads)
        gone = [column for of, column in manifest.removed if of == name and column in rows]
        tables[name] = rows.drop(columns=gone)
        notices += said
        refuse_double_keys(table, rows)
    for name, table in manifest.tables.items():
        tables[name] = timed(table, tables[name], manifest, notices)
    labels, own, said = _labels(manifest, tables, columns, threads)
    own = [name for name in own if name not in hidden]
    found = Company(manifest, tables, labels, own, columns, notices + said)
    check_entities(found)
    check_events(found)
    return found


def refuse_double_keys(table: Described, rows: pd.DataFrame) -> None:
    """Raises ValueError where a primary key is missing, or stands there twice."""
    if table.pkey is None:
        return
    keys = rows[table.pkey]
    if missing := int(keys.isna().sum()):
        raise ValueError(
            f"{table.file}: {missing:,} rows have no {table.pkey}, the key of {table.name}"
        )
    double = keys[keys.duplicated()]
    if len(double):
        raise ValueError(
            f"{table.file}: the key {table.pkey} of {table.name} is {double.iloc[0]} in "
            f"{(keys == double.iloc[0]).sum()} rows; a key names one"
        )


def timed(
    table: Described, rows: pd.DataFrame, manifest: Manifest, notices: list[str]
) -> pd.DataFrame:
    """Rows of events that have a moment, up to where the manifest lets anybody look."""
    if table.time_col is None or table.name == manifest.entity_table:
        return rows
    at = rows[table.time_col]
    keep = at.notna()
    if not keep.any():
        raise ValueError(f"{table.file}: no row has a {table.time_col}")
    if lost := int((~keep).sum()):
        notices.append(f"{lost:,} rows of {table.name} have no {table.time_col}: left out")
    if manifest.until is not None and (late := int((at > manifest.until).sum())):
        notices.append(
            f"{late:,} rows of {table.name} lie after test_timestamp {manifest.until:%Y-%m-%d}: no "
            "row knows them"
        )
        keep &= at <= manifest.until
    return rows if keep.all() else rows[keep].reset_index(drop=True)


def _labels(
    manifest: Manifest,
    tables: dict[str, pd.DataFrame],
    columns: dict[str, list[Column]],
    threads: int,
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """(rows with a label, what is known of them at their moment, notices)"""
    entity, time, target = manifest.entity_col, manifest.time_col, manifest.target_col
    notices: list[str] = []
    if manifest.rows_of is not None:
        table = manifest.tables[manifest.rows_of]
        rows = tables[manifest.rows_of]
        if target not in rows and not manifest.labels:
            raise ValueError(f"{table.file} has no column {target!r}, the target")
        own = names_of(rows, target, time, table.pkey, *table.fkeys)
        base = rows.drop(columns=[target], errors="ignore")
        tables[manifest.rows_of] = base
        if not manifest.labels:
            labels = rows.assign(split="all")
        else:
            key = table.pkey or "primary_key"
            keyed = base if table.pkey else base.assign(primary_key=pd.RangeIndex(len(base)))
            given, _, notices = _files(manifest, {key}, columns, threads)
            place = places(given[key], pd.Index(keyed[key]), f"{key} of labels and {table.name}")
            if (place >= len(base)).any():
                raise ValueError(
                    f"{manifest.source}: labels name {given[key][place >= len(base)].iloc[0]}, "
                    f"which is no {key} of {table.name}"
                )
            labels = base.iloc[place].reset_index(drop=True)
            labels = labels.assign(**{target: given[target], "split": given["split"]})
    else:
        labels, own, notices = _files(manifest, {entity}, columns, threads)
    known = labels[[entity, time, target]].notna().all(axis=1)
    for column in (entity, time, target):
        if lost := int(labels[column].isna().sum()):
            notices.append(f"{lost:,} labels have no {column}: left out")
    if not known.any():
        raise ValueError(f"{manifest.source}: no label has a {entity}, a {time} and a {target}")
    labels = labels[known].reset_index(drop=True)
    double = labels.duplicated([entity, time])
    if manifest.rows_of is None and double.any():
        first = labels[double].iloc[0]
        raise ValueError(
            f"{manifest.source}: there are two labels of {entity} {first[entity]} at {first[time]}"
        )
    return labels, own, notices


def _files(
    manifest: Manifest, keys: set[str], columns: dict[str, list[Column]], threads: int
) -> tuple[pd.DataFrame, list[str], list[str]]:
    parts, notices = [], []
    time, target = manifest.time_col, manifest.target_col
    for split, table in manifest.labels.items():
        of_rows = manifest.rows_of is not None  # their moments stand in the table
        rows, found, said = typed(table, keys, None if of_rows else time, target, threads)
        columns[table.name] = found
        parts.append(rows.assign(split="train" if split == "val" else split))
        notices += said
    kinds = {str(part[target].dtype) for part in parts}
    if len(kinds) > 1 and not all(pd.api.types.is_numeric_dtype(p[target].dtype) for p in parts):
        parts = [part.assign(**{target: part[target].astype(str)}) for part in parts]
    labels = pd.concat(parts, ignore_index=True)
    own = names_of(labels, *keys, time, target, "split")
    for name in own:
        if labels[name].dtype == object:  # levels of two files
            labels[name] = labels[name].astype("category")
    return labels, own, notices


def check_entities(company: Company) -> None:
    """Notices of what labels and tables do not share. Raises ValueError where it is nothing."""
    manifest, labels = company.manifest, company.labels
    if manifest.entity_table is None:
        return
    table = manifest.tables[manifest.entity_table]
    assert table.pkey is not None
    keys = pd.Index(company.tables[table.name][table.pkey])
    entity = labels[manifest.entity_col]
    place = places(entity, keys, f"{manifest.entity_col} of labels and {table.name}.{table.pkey}")
    new = place >= len(keys)
    if new.all():
        raise ValueError(
            f"{manifest.source}: no {manifest.entity_col} of the labels, such as "
            f"{entity.iloc[0]}, is a {table.pkey} of {table.name}, such as {keys[0]}"
        )
    if new.any():
        company.notices.append(
            f"{new.sum():,} labels are of a {manifest.entity_col} that is not in {table.name}, "
            f"such as {entity[new].iloc[0]}: its attributes are missing"
        )


def check_events(company: Company) -> None:
    """Notices of events that are in nobody's past, stand there twice, or end before labels do."""
    manifest, last = company.manifest, None
    for name, column in events_tables(manifest):
        table, rows = manifest.tables[name], company.tables[name]
        if lost := int(rows[column].isna().sum()):
            company.notices.append(f"{lost:,} rows of {name} have no {column}: nobody's past")
        if table.pkey is None and (double := int(rows.duplicated().sum())):
            company.notices.append(
                f"{double:,} rows of {name} stand there twice, alike in every column: each counts"
            )
        latest = rows[str(table.time_col)].max()
        last = latest if last is None else max(last, latest)
    if last is not None and manifest.until is None:
        later = (company.labels[manifest.time_col] > last).mean()
        if later > NOTED:
            company.notices.append(
                f"{later:.0%} of the labels lie after the last event ({last}): of what happened in "
                "between nothing is known"
            )


def names_of(rows: pd.DataFrame, *without: str | None) -> list[str]:
    return [str(name) for name in rows if name not in without]


def seconds(moments: Any, up: bool = False) -> np.ndarray:
    """(n,) whole seconds since 1970, rounded down, or up."""
    micro = np.asarray(moments, "M8[us]").astype(np.int64)
    return -(-micro // 1_000_000) if up else micro // 1_000_000


def events_tables(manifest: Manifest) -> Sequence[tuple[str, str]]:
    """(table, its column that names the entity) of what happens to entities."""
    return [
        (name, column)
        for name, table in manifest.tables.items()
        if table.time_col is not None and name != manifest.entity_table
        for column, parent in table.fkeys.items()
        if parent == manifest.entity_table or column == manifest.entity_col
    ]
