"""The past of each label: what the views `events` and `auto` are both made of."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tasks.events.company import Company, events_tables, names_of, seconds
from tasks.events.manifest import Described
from tasks.events.read import places
from tasks.histories import Histories, histories

DAY = 86_400
LEVELS = 1_000  # a key with at most so many values is a category


class Source(NamedTuple):
    """What happened to entities, of one table."""

    rows: pd.DataFrame
    entity: np.ndarray
    moment: np.ndarray
    known_after: int


class Past(NamedTuple):
    made: Histories
    """Rows in the order of the labels"""
    known_after: int
    about: list[str]
    """Columns of `events` that tell of the entity: attributes, for sums over like entities"""


def past_of(company: Company, with_attributes: bool = False) -> Past:
    """with_attributes: of the entity of each event as well. Raises ValueError where nothing
    happened to anyone before any label."""
    manifest, labels = company.manifest, company.labels
    moment = seconds(labels[manifest.time_col])
    keys = domain(company)
    entity = places(labels[manifest.entity_col], keys, f"{manifest.entity_col} of labels")
    if manifest.rows_of is None:
        own = relative(labels[company.own], moment)
    else:
        own = described(company, manifest.tables[manifest.rows_of], labels, moment)
    sources = {}
    if manifest.known_after is not None:
        came = labels[manifest.target_col].reset_index(drop=True)
        known = own.assign(**{manifest.target_col: came})
        sources["labels"] = Source(known, entity, moment, max(manifest.known_after, 1))
    tables = events_tables(manifest)
    for name, column in tables:
        if name != manifest.rows_of or manifest.known_after is None:
            once = [table for table, _ in tables].count(name) == 1
            called = name if once else f"{name}.{column}"
            sources[called] = source_of(company, name, column, keys)
    if not sources:
        raise ValueError(
            f"{manifest.source}: no table has a time_col and an fkey to "
            f"{manifest.entity_table or manifest.entity_col}, so no label has a past"
        )
    events = united(sources, manifest.rows_of)
    now = pd.concat([own, attributes(company, entity, moment)], axis=1)
    rows, about = events.rows, list[str]()
    if with_attributes:
        whose = attributes(company, events.entity, events.moment)
        about = [str(n) for n in whose if isinstance(whose[n].dtype, pd.CategoricalDtype)]
        rows = pd.concat([rows, whose[about]], axis=1)
    made = histories(now, entity, moment, rows, events.entity, events.moment, events.known_after)
    if not (made.stop > made.start).any():
        raise ValueError(
            f"{manifest.source}: nothing happened before any label: labels lie between "
            f"{_told(moment)}, events between {_told(events.moment)}"
        )
    return Past(made, events.known_after, about)


def domain(company: Company) -> pd.Index:
    """All keys of entities: those of their table, then those that only labels have."""
    manifest = company.manifest
    mine = company.labels[manifest.entity_col]
    if manifest.entity_table is None:
        return pd.Index(mine.unique())
    keys = company.tables[manifest.entity_table][str(manifest.tables[manifest.entity_table].pkey)]
    if keys.dtype != mine.dtype:
        keys, mine = keys.astype("string"), mine.astype("string")
    return pd.Index(keys).append(pd.Index(mine[~mine.isin(keys)].unique()))


def delay(company: Company) -> int:
    """Seconds from an event to its being known: until its moment is over; but rows of RelBench's
    forecasts know what happens at their moment, as their labels begin after it."""
    return 0 if company.manifest.inclusive else 1


def source_of(company: Company, name: str, column: str, keys: pd.Index) -> Source:
    """What a table says of entities. Events without one are nobody's past."""
    table, rows = company.manifest.tables[name], company.tables[name]
    entity = places(rows[column], keys, f"{name}.{column} and the keys of entities")
    if not ((entity >= 0) & (entity < len(keys))).any():
        raise ValueError(
            f"{table.file}: no {column}, such as {rows[column].iloc[0]}, is the key of an entity, "
            f"such as {keys[0]}"
        )
    known = entity >= 0
    rows, entity = rows[known].reset_index(drop=True), entity[known]
    moment = seconds(rows[str(table.time_col)], up=True)
    return Source(described(company, table, rows, moment, column), entity, moment, delay(company))


def described(
    company: Company, table: Described, rows: pd.DataFrame, moment: np.ndarray, entity: str = ""
) -> pd.DataFrame:
    """Columns of a table's rows: their own, and those of the rows that they refer to."""
    manifest = company.manifest
    entity = entity or manifest.entity_col
    others = {c: parent for c, parent in table.fkeys.items() if c != entity}
    gone = {table.pkey, table.time_col, entity, *others}
    if table.name == manifest.rows_of:
        own = [name for name in company.own if name in rows]
    else:
        own = names_of(rows, *gone)
    parts = [relative(rows[own], moment)]
    for column, parent in others.items():
        codes, levels = pd.factorize(rows[column].astype("string"), sort=True)
        if len(levels) <= LEVELS:
            texts = pd.Index([str(level) for level in levels], dtype=object)
            parts.append(pd.DataFrame({column: pd.Categorical.from_codes(codes, texts)}))
        if parent is not None:
            of = manifest.tables[parent]
            keys = pd.Index(company.tables[parent][str(of.pkey)])
            place = places(rows[column], keys, f"{table.name}.{column} and {parent}.{of.pkey}")
            parts.append(looked_up(company, of, place, moment, column))
    return pd.concat(parts, axis=1)


def looked_up(
    company: Company, table: Described, place: np.ndarray, moment: np.ndarray, prefix: str
) -> pd.DataFrame:
    """Rows of a table as they were known at a moment: nothing of those that came about later."""
    rows = company.tables[table.name]
    names = names_of(rows, table.pkey, *table.fkeys)
    found = rows[names].reindex(place).reset_index(drop=True)
    if table.time_col is not None:
        later = seconds(found[table.time_col]) > moment  # a missing moment lies before all others
        found = found.mask(pd.Series(later), axis=0) if later.any() else found
    return relative(found, moment).add_prefix(f"{prefix}.")


def attributes(company: Company, entity: np.ndarray, moment: np.ndarray) -> pd.DataFrame:
    """What the table of entities says of them."""
    manifest = company.manifest
    if manifest.entity_table is None:
        return pd.DataFrame(index=pd.RangeIndex(len(entity)))
    table = manifest.tables[manifest.entity_table]
    return looked_up(company, table, entity, moment, table.name)


def relative(rows: pd.DataFrame, moment: np.ndarray) -> pd.DataFrame:
    """Rows with dates as the days since then; what lies in the future of a row is not known yet."""
    made = rows.reset_index(drop=True)
    for name in names_of(made):
        if made[name].dtype.kind == "M":
            days = (moment - seconds(made[name])) / DAY
            made[name] = np.where(made[name].notna() & (days >= 0), days, np.nan)
    return made


def united(sources: Mapping[str, Source], rows_of: str | None) -> Source:
    """All sources as one, with the table of each event. Names of columns begin with that of their
    table where there are several, but for those that labels have as well."""
    if len(sources) == 1:
        return next(iter(sources.values()))
    total = sum(len(source.rows) for source in sources.values())
    columns: dict[str, Any] = {}
    offset = 0
    for name, source in sources.items():
        table = name.partition(".")[0]
        rows = source.rows.set_index(pd.RangeIndex(offset, offset + len(source.rows)))
        offset += len(rows)
        for column, values in rows.items():
            named = str(column) if table in ("labels", rows_of) else f"{name}.{column}"
            values = values.astype(np.float64) if values.dtype == bool else values
            columns[named] = values.reindex(pd.RangeIndex(total))
    sizes = [len(source.rows) for source in sources.values()]
    columns["table"] = pd.Categorical.from_codes(
        np.repeat(np.arange(len(sizes)), sizes), pd.Index(list(sources))
    )
    delays = {source.known_after for source in sources.values()}
    moments = [s.moment if len(delays) == 1 else s.moment + s.known_after for s in sources.values()]
    return Source(
        pd.DataFrame(columns),
        np.concatenate([source.entity for source in sources.values()]),
        np.concatenate(moments),
        delays.pop() if len(delays) == 1 else 0,
    )


def _told(moment: np.ndarray) -> str:
    low, high = (pd.Timestamp(int(at), unit="s") for at in (moment.min(), moment.max()))
    return f"{low} and {high}"
