"""Features by hand: a SQL file of the user, over the company's tables."""

from pathlib import Path
from typing import Any

import pandas as pd

from tasks import engines
from tasks.base import Data, UnknownView
from tasks.events.company import Company


def view(task: Any, data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row for each row of `labels`, in its order. Raises UnknownView where no file is named, and
    ValueError with one sentence for a query that fails."""
    if task.features is None:
        offered = ("auto", "events", "features with task.features=FILE.sql")
        raise UnknownView("events", "features", offered)
    try:
        sql = Path(task.features).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{task.features} cannot be read: {error}") from None
    try:
        rows = engines.run(sql, tables(data.raw), task.sql_engine, task.n_jobs)
    except ValueError as error:
        raise ValueError(f"{task.features}: {error}") from None
    if len(rows) != len(data.raw.labels):
        raise ValueError(
            f"{task.features} gives {len(rows):,} rows for {len(data.raw.labels):,} labels"
        )
    for name in rows:
        if rows[name].dtype.kind in "mM":
            raise ValueError(
                f"{task.features}: {name!r} holds moments; give numbers of days or such"
            )
    split = data.raw.train_rows
    return rows[:split], rows[split:].reset_index(drop=True)


def tables(company: Company) -> dict[str, pd.DataFrame]:
    """What the query reads: each table by its name, and `labels` with the number of its `row`. The
    target is in it only where the manifest says when it is known."""
    manifest, labels = company.manifest, company.labels
    names = [manifest.entity_col, manifest.time_col, *company.own]
    if manifest.known_after is not None:
        names.append(manifest.target_col)
    rows = labels[names].assign(row=range(len(labels)))
    return {**{name: plain(table) for name, table in company.tables.items()}, "labels": plain(rows)}


def plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Types that DuckDB reads."""
    texts = [name for name in rows if isinstance(rows[name].dtype, pd.StringDtype)]
    return rows.astype(dict.fromkeys(texts, object))
