"""Latency by batch size and cold starts, of runs with `timing=full`."""

from benchmarks.analysis.summary import Row, Section
from benchmarks.records.records import Record
from benchmarks.show.formats import ABSENT, Column, compact, number, seconds, section_title
from benchmarks.show.helps import LATENCY
from benchmarks.show.parts import Table, entries_of, heads_of

LEGEND = (
    "import, cold: seconds of a new process until the model's libraries are loaded, and until its "
    "first prediction (a fit of 64 made-up rows included). N rows: milliseconds of one call with "
    "so many, warm: half of the calls took at most p50, 99 % of them at most p99 (– from fewer "
    "than 1,000 calls). rows/s: with the largest batch."
)
BLOCK = "calls"  # one for all: no head is folded


def latency_table(section: Section, name: str = "latency") -> Table | None:
    """None if nothing was timed but a single row."""
    rows = [
        row
        for row in section.everything
        if any(r["cold_start"] or len(batches_of(r)) > 1 for r in row.done)
    ]
    if not rows:
        return None
    sizes = sorted({size for row in rows for r in row.done for size in batches_of(r)})
    columns = [
        Column("import", lambda row: cold_seconds(row, "import"), seconds, True, block=BLOCK),
        Column("cold", lambda row: cold_seconds(row, "whole"), seconds, True, block=BLOCK),
        *map(calls_column, sizes),
        Column("rows/s", rows_per_second, compact, True, block=BLOCK),
    ]
    helps = LATENCY | {
        column.heading: "milliseconds of a call with so many rows: p50 / p99"
        for column in columns[2:-1]
    }
    return Table(
        name,
        f"{section_title(section)}: latency and cold start",
        heads_of(columns, helps),
        [entries_of(row, columns, row.label in section.strange_clocks) for row in rows],
        legend=LEGEND,
    )


def batches_of(record: Record) -> list[int]:
    return list(record["timing"]["batches"])


def cold_seconds(row: Row, step: str) -> float | None:
    return row.median(lambda r: r["cold_start"] and r["cold_start"][step])


def calls_column(size: int) -> Column:
    """`p50 / p99` in milliseconds."""

    def milliseconds(row: Row) -> tuple[float, float | None] | None:
        p50, p99 = (
            row.median(lambda r, q=q: r["latency"].get(str(size), {}).get(q))  # type: ignore[misc]
            for q in ("p50", "p99")
        )
        return None if p50 is None else (1e3 * p50, None if p99 is None else 1e3 * p99)

    def text(pair: tuple[float, float | None]) -> str:
        return " / ".join(ABSENT if value is None else number(value) for value in pair)

    heading = f"{size:,} row{'s' if size > 1 else ''}"
    return Column(heading, milliseconds, text, True, block=BLOCK)


def rows_per_second(row: Row) -> float | None:
    def of_largest(record: Record) -> float | None:
        largest = max(batches_of(record))
        return largest / record["latency"][str(largest)]["p50"] if largest > 1 else None

    return row.median(of_largest)
