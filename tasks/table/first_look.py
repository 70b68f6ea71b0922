"""A table of which nobody has said yet what is to be predicted: its columns, one by one."""

from collections.abc import Mapping

from tasks.base import Look
from tasks.table.columns import Kind, Rules, understand
from tasks.table.doubts import sentences
from tasks.table.read import Found


def first_look(found: Found, types: Mapping[str, Kind], rules: Rules) -> Look:
    """What each column is taken for. Raises ValueError with one sentence."""
    if not len(found.table):
        raise ValueError("there are no rows in it")
    pieces = dict(zip(found.table.column_names, found.table.columns, strict=True))
    table, columns = understand(pieces, None, (), types, rules)
    seen = len(found.table)
    part = "" if seen == found.rows else f"; {seen:,} of them, drawn by chance, were looked at"
    facts = [
        ("rows", f"{found.rows:,}{part}"),
        ("columns", f"{len(columns):,}"),
        ("target", "which of them is to be predicted? Say it with task.target=COLUMN"),
    ]
    told = [(column.name, *column.told(seen)) for column in columns]
    return Look(facts, told, [*found.notes, *sentences(columns)], found.rows, len(table.columns))
