"""Latency by batch size and cold starts, of runs with `timing=full`."""

from typing import NamedTuple

from benchmarks.analysis.summary import Row, Section, Span
from benchmarks.records.records import Record
from benchmarks.show.formats import ABSENT, Column, compact, seconds_span, section_title, span
from benchmarks.show.helps import LATENCY
from benchmarks.show.parts import Table, entries_of, heads_of

LEGEND = (
    "import, cold: seconds of a new process until the model's libraries are loaded, and until its "
    "first prediction (a fit of 64 made-up rows included). N rows: milliseconds of one call with "
    "so many, warm: half of the calls took at most p50 (from the least to the most over seeds; of "
    "one seed over its calls), 99 % of them at most p99 (its 95 % interval; – from fewer than "
    "1,000 calls). rows/s: with the largest batch."
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
    unlike = {
        label: reason
        for label, reason in section.unlike_calls(sizes).items()
        if label in {row.label for row in rows}
    }
    columns = [
        Column("import", lambda row: cold_seconds(row, "import"), seconds_span, True, block=BLOCK),
        Column("cold", lambda row: cold_seconds(row, "whole"), seconds_span, True, block=BLOCK),
        *map(calls_column, sizes),
        Column("rows/s", rows_per_second, span_compact, True, block=BLOCK, calls=True),
    ]
    helps = LATENCY | {
        column.heading: "milliseconds of a call with so many rows: p50 / p99"
        for column in columns[2:-1]
    }
    return Table(
        name,
        f"{section_title(section)}: latency and cold start",
        heads_of(columns, helps),
        [
            entries_of(row, columns, row.label in section.strange_clocks, row.label in unlike)
            for row in rows
        ],
        [f"* {label}: {reason}" for label, reason in unlike.items()],
        legend=LEGEND,
    )


def batches_of(record: Record) -> list[int]:
    return list(record["timing"]["batches"])


def cold_seconds(row: Row, step: str) -> Span | None:
    return row.seconds(lambda r: r["cold_start"] and r["cold_start"][step])


class Calls(NamedTuple):
    """Milliseconds of a call, over the seeds that were timed in one and the same way."""

    p50: Span
    p99: Span | None
    """With `least` and `most` the ends of its interval; None where a seed has no p99."""


def calls_column(size: int) -> Column:
    """`p50 / p99` in milliseconds, each with its range."""

    def milliseconds(row: Row) -> Calls | None:
        p50 = row.call_seconds(size)
        return None if p50 is None else Calls(times(p50, 1e3), p99(row, size))

    def text(calls: Calls) -> str:
        return f"{span(calls.p50)} / {ABSENT if calls.p99 is None else span(calls.p99)}"

    heading = f"{size:,} row{'s' if size > 1 else ''}"
    return Column(heading, milliseconds, text, True, block=BLOCK, calls=True)


def p99(row: Row, size: int) -> Span | None:
    """From the least to the most that the intervals of its seeds reach, in milliseconds."""
    found = [r["latency"].get(str(size), {}) for r in row.calls(size)]
    if not found or any(one.get("p99") is None for one in found):
        return None
    middle = Span.of([one["p99"] for one in found])
    assert middle
    low = min(one.get("p99_low") or one["p99"] for one in found)
    high = max(one.get("p99_high") or one["p99"] for one in found)
    return times(Span(low, middle.median, high), 1e3)


def times(found: Span, factor: float) -> Span:
    return Span(factor * found.least, factor * found.median, factor * found.most)


def rows_per_second(row: Row) -> Span | None:
    sizes = [max(batches_of(r)) for r in row.timed if r["timing"]["batches"]]
    largest = max(sizes, default=1)
    took = row.call_seconds(largest) if largest > 1 else None
    return took and Span(largest / took.most, largest / took.median, largest / took.least)


def span_compact(found: Span) -> str:
    low, high = compact(found.least), compact(found.most)
    return low if low == high else f"{low}–{high}"
