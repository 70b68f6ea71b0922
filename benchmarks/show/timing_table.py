"""Latency by batch size and cold starts, of runs with `timing=full`."""

import io
from collections.abc import Iterable, Sequence
from functools import partial

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.analysis.summary import Row, Section
from benchmarks.records.records import Record
from benchmarks.show.formats import (
    ABSENT,
    Column,
    compact,
    fitting,
    markdown,
    new_table,
    number,
    seconds,
    title,
)

NOTES = (
    "import, cold: seconds of a new process until the model's libraries are loaded, and until its "
    "first prediction (a fit of 64 made-up rows included). N rows: milliseconds of one call with "
    "so many, warm: half of the calls took at most p50, 99 % of them at most p99 (– from fewer "
    "than 1,000 calls). rows/s: with the largest batch."
)


def timed(section: Section) -> list[Row]:
    """Rows with more than the latency of a single row, or with a cold start."""
    return [
        row
        for row in section.everything
        if any(r["cold_start"] or len(batches_of(r)) > 1 for r in row.done)
    ]


def batches_of(record: Record) -> list[int]:
    return list(record["timing"]["batches"])


def columns_of(section: Section) -> list[Column]:
    sizes = sorted({size for row in timed(section) for r in row.done for size in batches_of(r)})

    def calls_of(size: int) -> Column:
        heading = f"{size:,} row{'s' if size > 1 else ''}"
        return Column(heading, lambda row: calls(row, size), str, True)

    return [
        Column("import", lambda row: cold(row, "import"), str, True),
        Column("cold", lambda row: cold(row, "whole"), str, True),
        *map(calls_of, sizes),
        Column("rows/s", throughput, str, True),
    ]


def to_table(section: Section, columns: Sequence[Column], as_markdown: bool = False) -> Table:
    table = new_table(["model"], [column.heading for column in columns], as_markdown)
    for row in timed(section):
        star = "*" if row.label in section.strange_clocks else ""
        texts = [column.cell(row) for column in columns]
        texts = [text if text == ABSENT else text + star for text in texts]
        table.add_row(Text(row.label), *map(Text, texts))
    return table


def cold(row: Row, step: str) -> str:
    value = row.median(lambda r: r["cold_start"] and r["cold_start"][step])
    return ABSENT if value is None else seconds(value)


def calls(row: Row, size: int) -> str:
    """`p50 / p99` in milliseconds."""
    p50 = row.median(lambda r: r["latency"].get(str(size), {}).get("p50"))
    p99 = row.median(lambda r: r["latency"].get(str(size), {}).get("p99"))
    if p50 is None:
        return ABSENT
    return f"{number(1e3 * p50)} / {ABSENT if p99 is None else number(1e3 * p99)}"


def throughput(row: Row) -> str:
    def per_second(record: Record) -> float | None:
        largest = max(batches_of(record))
        return largest / record["latency"][str(largest)]["p50"] if largest > 1 else None

    value = row.median(per_second)
    return ABSENT if value is None else compact(value)


def render(found: Iterable[Section], width: int) -> Group:
    parts: list[RenderableType] = []
    for section in found:
        if timed(section):
            parts.append(Text(f"{title(section)}: latency and cold start", "bold"))
            parts += fitting(partial(to_table, section), columns_of(section), width)
    return Group(*parts, *([Text(NOTES, style="dim")] if parts else []))


def to_markdown(found: Iterable[Section]) -> str:
    """Empty if nothing was timed."""

    def write(console: Console, out: io.StringIO) -> None:
        for section in found:
            if timed(section):
                out.write(f"### {title(section)}: latency and cold start\n")
                console.print(to_table(section, columns_of(section), as_markdown=True))
                out.write(f"\n{NOTES}\n\n")

    return markdown(write)
